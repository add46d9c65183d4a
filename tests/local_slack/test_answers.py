from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.local_slack.slack import LocalSlack
from tests.local_slack.shapes import JSON, actions, ask, button, modal, plain, section, text_input


async def a_response_url(slack: LocalSlack, **where: Any) -> AsyncWebhookClient:
    """Of a command that reached nobody: what an app could say later on."""
    return AsyncWebhookClient((await slack.command("/angel", **where)).payload["response_url"])


async def test_an_answer_is_ephemeral_wherever_the_command_was(slack: LocalSlack) -> None:
    for channel in (slack.channel, slack.quiet, slack.private, slack.dm):
        answer = await (await a_response_url(slack, channel=channel)).send(text="only you")
        assert (answer.status_code, answer.body) == (200, "ok")
        assert [message["text"] for message in slack.ephemerals(channel=channel)] == ["only you"]
        assert slack.messages(channel) == []
        assert slack.ephemerals(slack.other) == []


async def test_an_answer_in_channel_is_for_everybody(slack: LocalSlack) -> None:
    await (await a_response_url(slack, channel=slack.quiet)).send(text="all", response_type="in_channel")
    assert [message["text"] for message in slack.messages(slack.quiet)] == ["all"]
    assert slack.ephemerals() == []


async def test_the_sixth_use_is_refused(slack: LocalSlack) -> None:
    url = await a_response_url(slack)
    for number in range(5):
        assert (await url.send(text=str(number))).status_code == 200
    sixth = await url.send(text="5")
    assert (sixth.status_code, sixth.body) == (404, '{"ok": false, "error": "used_url"}')
    assert len(slack.ephemerals()) == 5


async def test_half_an_hour_later_it_has_expired(slack: LocalSlack) -> None:
    url = await a_response_url(slack)
    slack.clock.advance(30 * 60)
    assert (await url.send(text="just in time")).status_code == 200
    slack.clock.advance(1)
    late = await url.send(text="too late")
    assert (late.status_code, late.body) == (404, '{"ok": false, "error": "expired_url"}')


async def test_a_made_up_url_is_refused(slack: LocalSlack) -> None:
    url = AsyncWebhookClient(f"{slack.url}/actions/T0LOCAL/nonsense")
    assert (await url.send(text="hi")).status_code == 404


REFUSALS: list[tuple[JSON, str]] = [
    ({"text": ""}, "no_text"),
    ({"blocks": [section("x" * 3001)]}, "invalid_blocks"),
    ({"blocks": [section("x" * 3000)] * 5}, "msg_blocks_too_long"),
    ({"blocks": {"type": "section"}}, "invalid_blocks_format"),
    ({"text": ["list"]}, "invalid_arguments"),
    ({"delete_original": True}, "message_not_found"),
]


@pytest.mark.parametrize(("answer", "code"), REFUSALS)
async def test_an_answer_slack_would_not_show_is_refused_and_costs_a_use(
    slack: LocalSlack, answer: JSON, code: str
) -> None:
    url = await a_response_url(slack)
    for _ in range(4):
        refused = await url.send_dict(answer)
        assert (refused.status_code, refused.body) == (500, f'{{"ok": false, "error": "{code}"}}')
    assert slack.ephemerals() == []
    assert (await url.send(text="hi")).status_code == 200
    assert (await url.send(text="hi")).status_code == 404


async def test_a_body_that_is_no_json_is_refused(slack: LocalSlack) -> None:
    url = (await slack.command("/angel")).payload["response_url"]
    async with aiohttp.ClientSession() as session:
        answer = await session.post(url, data="{", headers={"Content-Type": "application/json"})
        assert (answer.status, await answer.text()) == (400, "invalid_payload")


async def test_replacing_keeps_to_the_message_of_the_interaction(slack: LocalSlack) -> None:
    command = await a_response_url(slack)
    await command.send(text="first", blocks=[actions(button())])
    await command.send(text="second")
    (first, _) = slack.ephemerals()
    press = AsyncWebhookClient((await slack.press(first, "again")).payload["response_url"])
    await press.send(text="first, again", replace_original=True)
    # What only one person sees stays so.
    await press.send(text="first, once more", replace_original=True, response_type="in_channel")
    assert [message["text"] for message in slack.ephemerals()] == ["first, once more", "second"]
    assert slack.messages() == []
    await press.send(text="", delete_original=True)
    assert [message["text"] for message in slack.ephemerals()] == ["second"]


async def test_a_command_and_a_shortcut_have_no_original_to_replace(slack: LocalSlack) -> None:
    for payload in (
        (await slack.command("/angel")).payload,
        (await slack.message_shortcut("check_message", slack.post("hi"))).payload,
    ):
        before = len(slack.ephemerals())
        url = AsyncWebhookClient(payload["response_url"])
        await url.send(text="reading", replace_original=True)
        await url.send(text="done", replace_original=True)
        assert [message["text"] for message in slack.ephemerals()[before:]] == ["reading", "done"]
    assert [message["text"] for message in slack.messages()] == ["hi"]


async def test_each_press_brings_five_uses_of_its_own(slack: LocalSlack) -> None:
    command = await a_response_url(slack)
    await command.send(text="0", blocks=[actions(button())])
    for number in range(1, 8):
        (message,) = slack.ephemerals()
        press = AsyncWebhookClient((await slack.press(message, "again")).payload["response_url"])
        for _ in range(5):
            sent = await press.send(text=str(number), blocks=[actions(button())], replace_original=True)
            assert sent.status_code == 200
        assert (await press.send(text="no")).status_code == 404
    assert [message["text"] for message in slack.ephemerals()] == ["7"]


async def test_an_answer_to_a_shortcut_on_a_threaded_message_lands_outside_the_thread(slack: LocalSlack) -> None:
    parent = slack.post("who is in?")
    reply = slack.post("me", thread_ts=parent["ts"])
    url = (await slack.message_shortcut("check_message", reply)).payload["response_url"]
    await AsyncWebhookClient(url).send_dict({"text": "hi", "thread_ts": parent["ts"]})
    assert "thread_ts" not in slack.ephemerals()[0]
    in_channel = {"text": "hi all", "thread_ts": parent["ts"], "response_type": "in_channel"}
    await AsyncWebhookClient(url).send_dict(in_channel)
    assert [message["text"] for message in slack.messages(thread_ts=parent["ts"])] == ["who is in?", "me", "hi all"]


@pytest.mark.parametrize(
    ("fault", "status", "left"),
    [({"status": 500}, 500, 2), ({"status": 503}, 503, 2), ({"error": "ratelimited", "retry_after": 7}, 429, 5)],
)
async def test_a_use_that_fails_counts_and_one_that_is_turned_away_does_not(
    slack: LocalSlack, fault: JSON, status: int, left: int
) -> None:
    url = await a_response_url(slack)
    slack.fail("response_url", times=3, **fault)
    for _ in range(3):
        assert (await url.send(text="hi")).status_code == status
    for _ in range(left):
        assert (await url.send(text="hi")).status_code == 200
    assert (await url.send(text="hi")).status_code == 404
    assert len(slack.ephemerals()) == left


async def test_an_answer_can_be_shown_and_its_confirmation_lost(slack: LocalSlack) -> None:
    url = await a_response_url(slack)
    url.retry_handlers.clear()
    slack.fail("response_url", status=500, done=True)
    assert (await url.send(text="hi")).status_code == 500
    assert [message["text"] for message in slack.ephemerals()] == ["hi"]


async def test_the_clients_own_retry_gets_through_a_rate_limit(slack: LocalSlack) -> None:
    url = await a_response_url(slack)
    url.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=2))
    slack.fail("response_url", retry_after=0, times=2)
    assert (await url.send(text="hi")).status_code == 200


async def test_a_cut_line_is_felt(slack: LocalSlack) -> None:
    url = await a_response_url(slack)
    url.retry_handlers.clear()
    slack.fail("response_url", drop=True)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await url.send(text="hi")


async def test_a_message_that_is_replaced_needs_new_block_ids(slack: LocalSlack) -> None:
    command = await a_response_url(slack)
    await command.send(text="first", blocks=[actions(button(), block_id="row")])
    press = AsyncWebhookClient((await slack.press(slack.ephemerals()[0], "again")).payload["response_url"])
    again = await press.send(text="second", blocks=[actions(button(), block_id="row")], replace_original=True)
    assert (again.status_code, again.body) == (500, '{"ok": false, "error": "invalid_blocks"}')
    for block in (actions(button(), block_id="row-2"), actions(button())):
        assert (await press.send(text="second", blocks=[block], replace_original=True)).status_code == 200
    # Beside it a message may have what it likes.
    assert (await press.send(text="other", blocks=[actions(button(), block_id="row")])).status_code == 200


# Acks


@pytest.mark.parametrize(
    ("ack", "shown"),
    [
        ("plain words", "plain words"),
        ({"text": "a message"}, "a message"),
        ({"text": "with blocks", "blocks": [section()]}, "with blocks"),
    ],
)
async def test_what_an_ack_of_a_command_says_is_shown(slack: LocalSlack, app: AsyncApp, ack: Any, shown: str) -> None:
    app.command("/angel")(answering(ack))
    assert (await slack.command("/angel")).acked
    assert [message["text"] for message in slack.ephemerals()] == [shown]


def answering(answer: Any) -> Callable[..., Any]:
    async def listener(ack: Any) -> None:
        if isinstance(answer, dict):
            await ack(**answer)
        else:
            await ack(answer)

    return listener


async def test_an_ack_can_answer_in_channel(slack: LocalSlack, app: AsyncApp) -> None:
    app.command("/angel")(answering({"text": "all", "response_type": "in_channel"}))
    await slack.command("/angel")
    assert [message["text"] for message in slack.messages()] == ["all"]


async def test_an_ack_slack_can_not_show_is_told_as_such(slack: LocalSlack, app: AsyncApp) -> None:
    app.command("/angel")(answering({"text": "t", "blocks": [section("x" * 3001)]}))
    delivery = await slack.command("/angel")
    assert delivery.error == "invalid_command_response"
    assert slack.notices() == [{"error": delivery.error, "about": "/angel", "channel": slack.channel}]


async def opened(slack: LocalSlack, app: AsyncApp, view: JSON | None = None) -> JSON:
    @app.shortcut("compose")
    async def compose(ack: Any, client: Any, body: JSON) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view or modal())

    await slack.global_shortcut("compose")
    found = await slack.changed(slack.view)
    assert found
    return found


async def test_a_bare_ack_closes_the_view(slack: LocalSlack, app: AsyncApp) -> None:
    app.view("composer")(answering(""))
    view = await opened(slack, app)
    assert (await slack.submit(view, {"draft": "words"})).acked
    assert slack.view() is None


async def test_errors_keep_the_view_and_what_was_typed(slack: LocalSlack, app: AsyncApp) -> None:
    app.view("composer")(answering({"response_action": "errors", "errors": {"draft": "too short"}}))
    view = await opened(slack, app)
    await slack.submit(view, {"draft": "words"})
    assert slack.view_errors(view) == {"draft": "too short"}
    assert slack.state(view)["draft"]["draft"]["value"] == "words"


async def test_an_update_stays_in_the_same_view(slack: LocalSlack, app: AsyncApp) -> None:
    app.view("composer")(answering({"response_action": "update", "view": modal(section(), title=plain("Verdict"))}))
    view = await opened(slack, app)
    await slack.submit(view, {"draft": "words"})
    after = slack.view()
    assert after
    assert (after["id"], after["title"]["text"]) == (view["id"], "Verdict")


async def test_clear_closes_the_view(slack: LocalSlack, app: AsyncApp) -> None:
    app.view("composer")(answering({"response_action": "clear"}))
    await slack.submit(await opened(slack, app), {"draft": "words"})
    assert slack.view() is None


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"response_action": "errors", "errors": {"nowhere": "no"}}, "invalid_errors"),
        ({"response_action": "update", "view": modal(title=plain("t" * 25))}, "invalid_arguments"),
        ({"response_action": "push", "view": modal()}, "invalid_response_action"),
    ],
)
async def test_an_answer_to_a_submission_that_makes_no_sense_keeps_the_view(
    slack: LocalSlack, app: AsyncApp, answer: JSON, code: str
) -> None:
    app.view("composer")(answering(answer))
    view = await opened(slack, app)
    delivery = await slack.submit(view, {"draft": "words"})
    assert delivery.error == f"invalid_view_response: {code}"
    assert slack.view_errors(view) == {}
    assert slack.state(view)["draft"]["draft"]["value"] == "words"


async def test_a_chosen_conversation_can_be_answered_in(slack: LocalSlack, app: AsyncApp) -> None:
    @app.view("composer")
    async def send(ack: Any, body: JSON) -> None:
        await ack()
        await AsyncWebhookClient(body["response_urls"][0]["response_url"]).send(text="sent", response_type="in_channel")

    choice = {"type": "conversations_select", "action_id": "where", "response_url_enabled": True}
    view = await opened(slack, app, modal(ask(text_input(), "draft", optional=True), ask(choice, "where")))
    delivery = await slack.submit(view, {"where": slack.dm})
    (entry,) = delivery.payload["response_urls"]
    assert (entry["block_id"], entry["action_id"], entry["channel_id"]) == ("where", "where", slack.dm)
    await slack.changed(lambda: slack.messages(slack.dm))
    assert [message["text"] for message in slack.messages(slack.dm)] == ["sent"]
