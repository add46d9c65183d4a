import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.local_slack.clock import Clock
from bot.local_slack.slack import LocalSlack, NotOffered
from tests.local_slack.shapes import JSON, actions, ask, button, menu, modal, option, plain, text_input


class Heard:
    """A Bolt app that acks everything and keeps what it got."""

    def __init__(self, app: AsyncApp) -> None:
        self.bodies: list[JSON] = []
        for register in (app.command("/angel"), app.command("/raw"), app.shortcut("compose"), app.view("composer")):
            register(self.listen)
        for register in (app.shortcut("check_message"), app.action("again"), app.action("menu")):
            register(self.listen)
        app.view_closed("composer")(self.listen)

    async def listen(self, ack: Any, body: JSON) -> None:
        self.bodies.append(body)
        await ack()


@pytest.fixture
def heard(app: AsyncApp) -> Heard:
    return Heard(app)


async def test_a_command_arrives_with_everything_slack_sends(slack: LocalSlack, heard: Heard) -> None:
    delivery = await slack.command("/angel", "  hello  ")
    assert delivery.acked
    (body,) = heard.bodies
    assert body == delivery.payload
    assert list(body) == [
        *("token", "team_id", "team_domain", "channel_id", "channel_name", "user_id", "user_name", "command", "text"),
        *("api_app_id", "is_enterprise_install", "response_url", "trigger_id"),
    ]
    assert (body["command"], body["text"], body["channel_name"]) == ("/angel", "hello", "team")


@pytest.mark.parametrize(("where", "name"), [("quiet", "quiet"), ("private", "privategroup"), ("dm", "directmessage")])
async def test_a_payload_keeps_the_names_of_private_places(
    slack: LocalSlack, heard: Heard, where: str, name: str
) -> None:
    await slack.command("/angel", channel=getattr(slack, where))
    await slack.message_shortcut("check_message", slack.post("hi", channel=getattr(slack, where)))
    command, shortcut = heard.bodies
    assert command["channel_name"] == shortcut["channel"]["name"] == name


async def test_a_command_can_hold_everything_a_person_can_type(slack: LocalSlack, heard: Heard) -> None:
    await slack.command("/raw", "a=b&c=d+e %41 <é> ✨\n@maria")
    assert heard.bodies[0]["text"] == "a=b&amp;c=d+e %41 &lt;é&gt; ✨\n@maria"


async def test_a_message_shortcut_carries_the_message(slack: LocalSlack, heard: Heard) -> None:
    message = slack.post("Fine, @maria.", user=slack.other)
    delivery = await slack.message_shortcut("check_message", message)
    (body,) = heard.bodies
    assert delivery.acked
    assert body["type"] == "message_action"
    assert body["message"]["text"] == f"Fine, <@{slack.other}>."
    assert body["message"]["user"] == slack.other
    assert body["user"]["id"] == slack.user
    assert body["message_ts"] == message["ts"]
    assert {"response_url", "trigger_id", "team", "channel", "action_ts"} <= set(body)
    assert "channel" not in body["message"]


async def test_a_message_may_be_made_of_other_things_than_text(slack: LocalSlack, heard: Heard) -> None:
    message = slack.post("", files=[{"id": "F1"}], blocks=[])
    await slack.message_shortcut("check_message", message)
    assert heard.bodies[0]["message"]["files"] == [{"id": "F1"}]


async def test_a_global_shortcut_knows_no_place(slack: LocalSlack, heard: Heard) -> None:
    await slack.global_shortcut("compose")
    (body,) = heard.bodies
    assert body["type"] == "shortcut"
    assert not {"channel", "message", "response_url"} & set(body)


async def test_what_is_not_in_the_manifest_is_not_offered(slack: LocalSlack, client: AsyncWebClient) -> None:
    message = slack.post("hi")
    with pytest.raises(NotOffered):
        await slack.command("/other")
    with pytest.raises(NotOffered):
        await slack.global_shortcut("check_message")
    with pytest.raises(NotOffered):
        await slack.message_shortcut("compose", message)
    await client.chat_postEphemeral(channel=slack.channel, user=slack.user, text="psst")
    with pytest.raises(NotOffered):
        await slack.message_shortcut("check_message", slack.ephemerals()[0])


async def test_without_a_manifest_everything_is_offered() -> None:
    async with LocalSlack() as slack:
        delivery = await slack.command("/anything", "@maria")
        assert delivery.payload["text"] == f"<@{slack.other}|maria>"


# Pressing


async def shown(slack: LocalSlack, *blocks: JSON, ephemeral: bool) -> JSON:
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    if ephemeral:
        await client.chat_postEphemeral(channel=slack.channel, user=slack.user, text="t", blocks=list(blocks))
        return slack.ephemerals()[-1]
    await client.chat_postMessage(channel=slack.channel, text="t", blocks=list(blocks))
    return slack.messages()[-1]


@pytest.mark.parametrize("ephemeral", [False, True])
async def test_pressing_a_button_tells_where_and_what(slack: LocalSlack, heard: Heard, ephemeral: bool) -> None:
    message = await shown(slack, actions(button(value="v"), block_id="row"), ephemeral=ephemeral)
    assert (await slack.press(message, "again")).acked
    (body,) = heard.bodies
    assert body["container"] == {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": slack.channel,
        "is_ephemeral": ephemeral,
    }
    (action,) = body["actions"]
    assert {name: action[name] for name in ("action_id", "block_id", "type", "value")} == {
        "action_id": "again",
        "block_id": "row",
        "type": "button",
        "value": "v",
    }
    assert ("message" in body) is not ephemeral
    assert {"response_url", "trigger_id", "state", "team", "user", "channel"} <= set(body)


@pytest.mark.parametrize(
    ("element", "value", "holds"),
    [
        (menu("static_select", "a", "b"), "b", {"selected_option": option("b")}),
        (
            {"type": "conversations_select", "action_id": "menu"},
            "D0LOCALMARIA",
            {"selected_conversation": "D0LOCALMARIA"},
        ),
    ],
    ids=lambda each: str(each.get("type", "")) if isinstance(each, dict) else "",
)
async def test_picking_tells_what_was_picked(
    slack: LocalSlack, heard: Heard, element: JSON, value: Any, holds: JSON
) -> None:
    message = await shown(slack, actions(element, block_id="row"), ephemeral=True)
    await slack.press(message, "menu", value)
    (body,) = heard.bodies
    assert holds.items() <= body["actions"][0].items()
    assert holds.items() <= body["state"]["values"]["row"]["menu"].items()


async def test_what_was_picked_stands_in_the_state_of_the_next_press(slack: LocalSlack, heard: Heard) -> None:
    row = actions(menu("static_select", "a", "b"), button(), block_id="row")
    message = await shown(slack, row, ephemeral=True)
    await slack.press(message, "menu", "b")
    await slack.press(message, "again")
    assert heard.bodies[1]["state"]["values"] == {
        "row": {"menu": {"type": "static_select", "selected_option": option("b")}}
    }


async def test_of_buttons_with_one_action_id_the_value_says_which(slack: LocalSlack, heard: Heard) -> None:
    rows = [actions(button(value=value)) for value in ("a", "b")]
    message = await shown(slack, *rows, ephemeral=True)
    await slack.press(message, "again", "b")
    assert heard.bodies[0]["actions"][0]["value"] == "b"


@pytest.mark.parametrize(
    ("element", "action_id", "value"),
    [
        (button(value="v"), "other", None),
        (button(value="v"), "again", "w"),
        (menu("static_select", "a"), "menu", "c"),
    ],
)
async def test_what_is_not_there_can_not_be_pressed(
    slack: LocalSlack, element: JSON, action_id: str, value: Any
) -> None:
    message = await shown(slack, actions(element), ephemeral=True)
    with pytest.raises(NotOffered):
        await slack.press(message, action_id, value)


async def test_a_message_that_is_gone_or_anothers_can_not_be_pressed(slack: LocalSlack, client: AsyncWebClient) -> None:
    message = await shown(slack, actions(button()), ephemeral=False)
    await client.chat_delete(channel=slack.channel, ts=message["ts"])
    with pytest.raises(NotOffered):
        await slack.press(message, "again")
    with pytest.raises(NotOffered):
        await slack.press(await shown(slack, actions(button()), ephemeral=True), "again", user=slack.other)


# Modals


async def opened(slack: LocalSlack, view: JSON, *, command: bool = False) -> JSON:
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    interaction = await (slack.command("/angel", channel=slack.quiet) if command else slack.global_shortcut("compose"))
    await client.views_open(trigger_id=interaction.payload["trigger_id"], view=view)
    found = slack.view()
    assert found
    return found


async def test_a_submission_carries_what_was_typed_and_picked(slack: LocalSlack, heard: Heard) -> None:
    tone = menu("static_select", "warm", "brief", action_id="tone", initial_option=option("warm"))
    view = await opened(slack, modal(ask(text_input()), ask(tone, "tone"), private_metadata="m"))
    assert (await slack.submit(view, {"draft": "two\nlines", "tone": "brief"})).acked
    body = heard.bodies[-1]
    assert body["type"] == "view_submission"
    assert body["view"]["state"]["values"] == {
        "draft": {"draft": {"type": "plain_text_input", "value": "two\nlines"}},
        "tone": {"tone": {"type": "static_select", "selected_option": option("brief")}},
    }
    assert (body["view"]["private_metadata"], body["response_urls"]) == ("m", [])


@pytest.mark.parametrize(
    ("element", "value"),
    [
        (text_input(), ""),
        (text_input(max_length=3), "four"),
        (text_input(min_length=3), "2"),
        (text_input(), "x" * 3001),
        ({"type": "plain_text_input", "action_id": "draft"}, "two\nlines"),
        (menu("static_select", "a", action_id="draft"), None),
        ({"type": "multi_users_select", "action_id": "draft"}, []),
        ({"type": "multi_users_select", "action_id": "draft", "max_selected_items": 1}, ["U0LOCALSAM", "U0LOCALMARIA"]),
        ({"type": "conversations_select", "action_id": "draft"}, "C0NOWHERE"),
    ],
)
async def test_slack_holds_back_a_submission_that_does_not_fit(slack: LocalSlack, element: JSON, value: Any) -> None:
    view = await opened(slack, modal(ask(element)))
    with pytest.raises(NotOffered):
        await slack.submit(view, {"draft": value})


async def test_an_optional_input_may_stay_empty(slack: LocalSlack, heard: Heard) -> None:
    view = await opened(slack, modal(ask(text_input(), optional=True)))
    await slack.submit(view)
    assert heard.bodies[-1]["view"]["state"]["values"] == {
        "draft": {"draft": {"type": "plain_text_input", "value": None}}
    }


async def test_a_modal_without_submit_can_not_be_submitted(slack: LocalSlack) -> None:
    view = await opened(slack, {"type": "modal", "title": plain("t"), "blocks": [actions(button())]})
    with pytest.raises(NotOffered):
        await slack.submit(view)
    with pytest.raises(NotOffered):
        await slack.submit(view, {"draft": "words"})


async def test_closing_is_told_to_those_who_asked(slack: LocalSlack, heard: Heard) -> None:
    assert await slack.close(await opened(slack, modal())) is None
    closed = await slack.close(await opened(slack, modal(notify_on_close=True)))
    assert closed
    assert closed.acked
    assert (heard.bodies[-1]["type"], heard.bodies[-1]["is_cleared"]) == ("view_closed", False)
    assert slack.view() is None


async def test_a_closed_or_anothers_modal_can_not_be_used(slack: LocalSlack) -> None:
    view = await opened(slack, modal(actions(button())))
    with pytest.raises(NotOffered):
        await slack.press(view, "again", user=slack.other)
    await slack.close(view)
    for act in (slack.submit(view), slack.close(view), slack.press(view, "again")):
        with pytest.raises(NotOffered):
            await act


async def test_pressing_in_a_modal_carries_the_view_with_what_was_typed(slack: LocalSlack, heard: Heard) -> None:
    view = await opened(slack, modal(ask(text_input()), actions(button())))
    slack.fill(view, {"draft": "half"})
    await slack.press(view, "again")
    body = heard.bodies[-1]
    assert body["container"] == {"type": "view", "view_id": view["id"]}
    assert body["view"]["state"]["values"]["draft"]["draft"]["value"] == "half"
    assert "response_url" not in body


async def test_a_conversation_select_begins_with_the_current_one(slack: LocalSlack) -> None:
    choice = {"type": "conversations_select", "action_id": "where", "default_to_current_conversation": True}
    view = await opened(slack, modal(ask(choice, "where")), command=True)
    assert slack.state(view)["where"]["where"]["selected_conversation"] == slack.quiet


# What goes wrong


async def test_no_ack_within_three_seconds_is_told_to_the_person(slack: LocalSlack, app: AsyncApp) -> None:
    reached, over = asyncio.Event(), asyncio.Event()

    @app.command("/angel")
    async def slow(ack: Any) -> None:
        reached.set()
        await over.wait()
        await ack("too late")

    waiting = asyncio.create_task(slack.command("/angel"))
    await reached.wait()
    slack.clock.advance(2.9)
    assert slack.notices() == []
    slack.clock.advance(0.2)
    delivery = await waiting
    assert (delivery.acked, delivery.error) == (False, "operation_timeout")
    assert slack.notices() == [{"error": "operation_timeout", "about": "/angel", "channel": slack.channel}]
    over.set()
    assert (await slack.command("/angel")).acked
    # The late ack went out before this one, and was not shown.
    assert len(slack.ephemerals()) == 1


async def test_a_submission_that_reaches_nobody_keeps_the_modal(slack: LocalSlack) -> None:
    view = await opened(slack, modal())
    delivery = await slack.submit(view, {"draft": "words"})
    assert delivery.error == "dispatch_failed"
    assert slack.state(view)["draft"]["draft"]["value"] == "words"


async def test_a_running_clock_times_out_by_itself() -> None:
    clock = Clock()
    with pytest.raises(TimeoutError):
        await clock.within(asyncio.Event().wait(), 0.01)
    assert await clock.within(asyncio.sleep(0, "done"), 60) == "done"


async def test_the_same_delivery_can_come_twice(slack: LocalSlack, heard: Heard) -> None:
    first = await slack.command("/angel", "hello")
    second = await slack.redeliver(first)
    assert second.acked
    assert heard.bodies[0] == heard.bodies[1]


async def test_a_hundred_commands_at_once_are_all_acked(slack: LocalSlack, heard: Heard) -> None:
    deliveries = await asyncio.gather(*(slack.command("/angel", str(number)) for number in range(100)))
    assert all(delivery.acked for delivery in deliveries)
    assert {body["text"] for body in heard.bodies} == {str(number) for number in range(100)}


async def test_two_workspaces_know_nothing_of_each_other() -> None:
    async with LocalSlack() as one, LocalSlack() as two:
        one.post("hi")
        assert two.messages() == []
        client = AsyncWebClient(token=one.bot_token, base_url=two.api_url)
        with pytest.raises(SlackApiError, match="invalid_auth"):
            await client.auth_test()


async def test_a_page_is_served_beside_slack_and_a_taken_port_is_said(slack: LocalSlack) -> None:
    def routes(local: LocalSlack) -> list[web.AbstractRouteDef]:
        async def home(_: web.Request) -> web.Response:
            return web.json_response(local.snapshot())

        return [web.get("/", home)]

    async with LocalSlack(routes=routes) as other, aiohttp.ClientSession() as session:
        assert await (await session.get(other.url)).json() == other.snapshot()
    with pytest.raises(OSError, match="address already in use"):
        await LocalSlack(port=int(slack.url.rpartition(":")[2])).__aenter__()


async def test_nothing_of_a_text_is_logged(
    slack: LocalSlack, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    caplog.set_level("CRITICAL", "slack_sdk")  # theirs, not ours
    slack.request_url = "http://127.0.0.1:9/nobody"
    delivery = await slack.command("/angel", "xyzzy-marker")
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    await client.chat_postMessage(channel=slack.channel, text="xyzzy-marker")
    assert "xyzzy" not in caplog.text + "".join(capfd.readouterr()) + repr(delivery)
