import json
from typing import Any

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.local_slack.events import BACKLOG, Subscription
from bot.local_slack.slack import LocalSlack
from tests.local_slack.shapes import JSON, actions, button, modal


async def until(events: Subscription, *kinds: str) -> list[JSON]:
    """The events up to where there was one of each of these kinds."""
    found: list[JSON] = []
    async for event in events:
        found.append(event)
        if set(kinds) <= {each["type"] for each in found}:
            break
    return found


async def test_an_observer_sees_what_happens_in_order(slack: LocalSlack, app: AsyncApp) -> None:
    @app.command("/angel")
    async def angel(ack: Any, respond: Any) -> None:
        await ack()
        await respond(text="hello", blocks=[actions(button())])

    @app.action("again")
    async def again(ack: Any, respond: Any, client: AsyncWebClient, body: JSON) -> None:
        await ack()
        await respond(text="again", replace_original=True)
        await client.views_open(trigger_id=body["trigger_id"], view=modal())
        await respond(delete_original=True)

    with slack.subscribe() as events:
        delivery = await slack.command("/angel", "hi")
        seen = await until(events, "ephemeral", "ack")
        sent, *between = seen
        assert (sent["type"], sent["delivery"], sent["payload"]) == ("delivery", delivery.id, delivery.payload)
        (ack,) = [event for event in between if event["type"] == "ack"]
        assert (ack["delivery"], ack["error"]) == (delivery.id, None)
        await slack.press(slack.ephemerals()[0], "again")
        seen += await until(events, "deleted", "ack")
        assert {"replaced", "view", "ack"} <= {event["type"] for event in seen}
        (replaced,) = [event for event in seen if event["type"] == "replaced"]
        assert (replaced["message"]["text"], replaced["user"]) == ("again", slack.user)
        used = next(event for event in seen if event.get("method") == "response_url")
        assert (used["request"]["text"], used["response"], used["status"]) == ("hello", "ok", 200)
        assert [event["id"] for event in seen] == list(range(seen[0]["id"], seen[0]["id"] + len(seen)))
        assert json.loads(json.dumps(seen)) == seen


async def test_what_slack_tells_a_person_is_an_event(slack: LocalSlack) -> None:
    with slack.subscribe() as events:
        await slack.command("/angel")
        error = (await until(events, "error"))[-1]
    assert (error["error"], error["about"], error["user"]) == ("dispatch_failed", "/angel", slack.user)


async def test_an_event_keeps_what_was_when_it_happened(slack: LocalSlack, client: AsyncWebClient) -> None:
    with slack.subscribe() as events:
        ts = (await client.chat_postMessage(channel=slack.channel, text="before"))["ts"]
        await client.chat_update(channel=slack.channel, ts=ts, text="after")
        assert (await until(events, "message"))[-1]["message"]["text"] == "before"


async def test_a_slow_observer_loses_the_oldest_and_is_told(slack: LocalSlack) -> None:
    with slack.subscribe() as events:
        for number in range(BACKLOG + 3):
            slack.post(str(number))
        assert (await anext(events))["count"] == 3
        assert (await anext(events))["message"]["text"] == "3"


async def test_the_snapshot_is_all_a_page_needs_and_knows_where_events_go_on(slack: LocalSlack) -> None:
    first = slack.post("hi")
    await slack.command("/angel")
    snapshot = slack.snapshot()
    assert json.loads(json.dumps(snapshot)) == snapshot
    assert snapshot["messages"][slack.channel] == [first]
    assert snapshot["notices"][slack.user][0]["error"] == "dispatch_failed"
    assert [each["command"] for each in snapshot["commands"]] == ["/angel", "/raw"]
    with slack.subscribe() as events:
        slack.post("more")
        assert (await anext(events))["id"] == snapshot["last"] + 1


async def test_what_is_handed_out_is_a_copy(slack: LocalSlack) -> None:
    slack.post("hi")
    slack.messages()[0]["text"] = "changed"
    slack.snapshot()["messages"][slack.channel][0]["text"] = "changed"
    assert slack.messages()[0]["text"] == "hi"


async def test_waiting_for_what_does_not_happen_says_what_did(slack: LocalSlack) -> None:
    slack.post("secret words")
    with pytest.raises(TimeoutError, match=r"last happened: message$"):
        await slack.changed(slack.ephemerals, timeout=0.01)
