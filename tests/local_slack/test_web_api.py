import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from slack_sdk import WebClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.local_slack.slack import LocalSlack
from tests.local_slack.conftest import refusal
from tests.local_slack.shapes import JSON, actions, ask, button, modal, plain, section, text_input


async def trigger(slack: LocalSlack) -> str:
    """A trigger_id, from an interaction that reached nobody."""
    return str((await slack.global_shortcut("compose")).payload["trigger_id"])


async def test_auth_test_tells_who_and_with_which_scopes(slack: LocalSlack, client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert answer["user_id"] == slack.bot
    assert answer.headers["x-oauth-scopes"] == "chat:write,commands"


async def test_the_synchronous_client_is_answered_too(slack: LocalSlack) -> None:
    client = WebClient(token=slack.bot_token, base_url=slack.api_url)
    assert (await asyncio.to_thread(client.auth_test))["ok"]
    posted = await asyncio.to_thread(client.chat_postMessage, channel=slack.channel, text="a & b", blocks=[section()])
    assert slack.messages()[0]["ts"] == posted["ts"]


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (None, "not_authed"),
        ("xoxb-of-somebody-else", "invalid_auth"),
        ("nonsense", "invalid_auth"),
        ("app", "not_allowed_token_type"),
    ],
)
async def test_a_token_that_does_not_fit_is_refused(slack: LocalSlack, token: str | None, code: str) -> None:
    token = slack.app_token if token == "app" else token  # noqa: S105  # which token, not one
    client = AsyncWebClient(token=token, base_url=slack.api_url)
    assert (await refusal(client.auth_test()))["error"] == code


@pytest.mark.parametrize(("token", "code"), [("bot", "not_allowed_token_type"), ("xapp-other", "invalid_auth")])
async def test_socket_mode_opens_for_the_app_token_alone(slack: LocalSlack, token: str, code: str) -> None:
    client = AsyncWebClient(base_url=slack.api_url)
    wrong = slack.bot_token if token == "bot" else token  # noqa: S105  # which token, not one
    assert (await refusal(client.apps_connections_open(app_token=wrong)))["error"] == code
    assert (await client.apps_connections_open(app_token=slack.app_token))["url"].startswith("ws://127.0.0.1:")


async def test_a_missing_scope_is_named() -> None:
    async with LocalSlack(scopes=["commands"]) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        answer = await refusal(client.chat_postMessage(channel=slack.channel, text="hi"))
        assert (answer["error"], answer["needed"], answer["provided"]) == ("missing_scope", "chat:write", "commands")


async def test_an_unknown_method_is_refused(client: AsyncWebClient) -> None:
    assert (await refusal(client.api_call("angel.sing")))["error"] == "unknown_method"


@pytest.mark.parametrize("body", ["{", "[]", "null"])
async def test_a_body_that_is_no_json_object_is_refused(slack: LocalSlack, body: str) -> None:
    headers = {"Authorization": f"Bearer {slack.bot_token}", "Content-Type": "application/json"}
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{slack.api_url}api.test", data=body, headers=headers)
        assert (await answer.json())["error"] == "invalid_json"


async def test_messages_are_posted_changed_and_deleted(slack: LocalSlack, client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel=slack.channel, text="first", blocks=[actions(button())]))["ts"]
    await client.chat_update(channel=slack.channel, ts=ts, text="second")
    (message,) = slack.messages()
    assert (message["text"], message["user"], "blocks" in message) == ("second", slack.bot, False)
    await client.chat_delete(channel=slack.channel, ts=ts)
    assert slack.messages() == []


async def test_a_message_to_a_person_begins_direct_messages(slack: LocalSlack, client: AsyncWebClient) -> None:
    channel = (await client.chat_postMessage(channel=slack.user, text="hello"))["channel"]
    assert [message["text"] for message in slack.messages(channel)] == ["hello"]
    assert channel in {each["id"] for each in slack.snapshot()["channels"]}


async def test_a_reply_belongs_to_its_thread(slack: LocalSlack, client: AsyncWebClient) -> None:
    parent = slack.post("who is in?")
    slack.post("elsewhere")
    await client.chat_postMessage(channel=slack.channel, text="me", thread_ts=parent["ts"])
    assert [message["text"] for message in slack.messages(thread_ts=parent["ts"])] == ["who is in?", "me"]
    assert slack.messages()[0]["reply_count"] == 1


async def test_an_ephemeral_message_is_for_one_person_and_beyond_chat_update(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    answer = await client.chat_postEphemeral(channel=slack.channel, user=slack.user, text="psst")
    assert [message["text"] for message in slack.ephemerals()] == ["psst"]
    assert slack.ephemerals(slack.other) == slack.messages() == []
    update = client.chat_update(channel=slack.channel, ts=answer["message_ts"], text="louder")
    assert (await refusal(update))["error"] == "message_not_found"


PERSONS = "a message of a person"
CHAT_REFUSALS: list[tuple[str, JSON, str]] = [
    ("chat.postMessage", {"channel": "C0NOWHERE", "text": "t"}, "channel_not_found"),
    ("chat.postMessage", {"channel": "quiet", "text": "t"}, "not_in_channel"),
    ("chat.postMessage", {"channel": "private", "text": "t"}, "channel_not_found"),
    ("chat.postMessage", {"channel": "dm", "text": "t"}, "channel_not_found"),
    ("chat.postMessage", {"channel": "channel"}, "no_text"),
    ("chat.postMessage", {"channel": "channel", "blocks": {"type": "section"}}, "invalid_blocks_format"),
    ("chat.postMessage", {"channel": "channel", "blocks": [section("x" * 3001)]}, "invalid_blocks"),
    ("chat.postMessage", {"channel": "channel", "blocks": [section("x" * 3000)] * 5}, "msg_blocks_too_long"),
    ("chat.postEphemeral", {"channel": "quiet", "user": "user", "text": "t"}, "not_in_channel"),
    ("chat.postEphemeral", {"channel": "channel", "user": "U0NOBODY", "text": "t"}, "user_not_found"),
    ("chat.postEphemeral", {"channel": "channel", "user": "user", "text": "t" * 40_001}, "msg_too_long"),
    ("chat.postMessage", {"channel": "channel", "text": "t", "thread_ts": "1.0"}, "cannot_reply_to_message"),
    ("chat.postMessage", {"text": "t"}, "invalid_arguments"),
    ("chat.update", {"channel": "C0NOWHERE", "ts": "1.0", "text": "t"}, "channel_not_found"),
    ("chat.update", {"channel": "channel", "ts": "1.0", "text": "t"}, "message_not_found"),
    ("chat.update", {"channel": "channel", "ts": PERSONS, "text": "t"}, "cant_update_message"),
    ("chat.update", {"channel": "channel", "ts": PERSONS, "text": "t" * 4001}, "cant_update_message"),
    ("chat.delete", {"channel": "channel", "ts": PERSONS}, "cant_delete_message"),
]


@pytest.mark.parametrize(("method", "args", "code"), CHAT_REFUSALS)
async def test_a_message_slack_would_not_take_is_refused(
    slack: LocalSlack, client: AsyncWebClient, method: str, args: JSON, code: str
) -> None:
    persons = slack.post("mine")["ts"]
    named = {name: getattr(slack, value, value) if isinstance(value, str) else value for name, value in args.items()}
    named = {name: persons if value == PERSONS else value for name, value in named.items()}
    assert (await refusal(client.api_call(method, json=named)))["error"] == code
    assert [message["text"] for message in slack.messages()] == ["mine"]


async def test_a_member_alone_sees_an_ephemeral_message(slack: LocalSlack, client: AsyncWebClient) -> None:
    channel = (await client.chat_postMessage(channel=slack.user, text="hello"))["channel"]
    call = client.chat_postEphemeral(channel=channel, user=slack.other, text="psst")
    assert (await refusal(call))["error"] == "user_not_in_channel"


async def test_a_text_over_40_000_characters_is_cut(slack: LocalSlack, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel=slack.channel, text="x" * 40_001)
    assert len(slack.messages()[0]["text"]) == 40_000


async def test_invalid_blocks_are_refused_with_the_place(slack: LocalSlack, client: AsyncWebClient) -> None:
    answer = await refusal(client.chat_postMessage(channel=slack.channel, text="t", blocks=[section("x" * 3001)]))
    problem = "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    assert answer["errors"] == [problem]
    assert answer["response_metadata"]["messages"] == [f"[ERROR] {problem}"]


# Views


async def test_a_trigger_opens_one_view(slack: LocalSlack, client: AsyncWebClient) -> None:
    trigger_id = await trigger(slack)
    opened = await client.views_open(trigger_id=trigger_id, view=modal(private_metadata="kept"))
    assert slack.view() == opened["view"]
    assert opened["view"]["root_view_id"] == opened["view"]["id"]
    again = await refusal(client.views_open(trigger_id=trigger_id, view=modal()))
    assert again["error"] == "exchanged_trigger_id"


async def test_a_trigger_lives_three_seconds(slack: LocalSlack, client: AsyncWebClient) -> None:
    trigger_id = await trigger(slack)
    slack.clock.advance(3.1)
    answer = await refusal(client.views_open(trigger_id=trigger_id, view=modal()))
    assert answer["error"] == "expired_trigger_id"
    assert slack.view() is None


async def test_a_refused_view_is_named_with_its_place_and_costs_the_trigger(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    trigger_id = await trigger(slack)
    answer = await refusal(client.views_open(trigger_id=trigger_id, view=modal(title=plain("t" * 25))))
    assert answer["error"] == "invalid_arguments"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]"
    ]
    again = await refusal(client.views_open(trigger_id=trigger_id, view=modal()))
    assert again["error"] == "exchanged_trigger_id"


async def test_the_oldest_trigger_is_forgotten_first(
    slack: LocalSlack, client: AsyncWebClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.local_slack.grants.GRANTS", 2)
    first, second, third = [await trigger(slack) for _ in range(3)]
    assert (await refusal(client.views_open(trigger_id=first, view=modal())))["error"] == "invalid_trigger_id"
    for living in (second, third):
        assert (await client.views_open(trigger_id=living, view=modal()))["ok"]


@pytest.mark.parametrize("trigger_id", ["1.2.abc", "nonsense"])
async def test_a_made_up_trigger_is_refused(client: AsyncWebClient, trigger_id: str) -> None:
    assert (await refusal(client.views_open(trigger_id=trigger_id, view=modal())))["error"] == "invalid_trigger_id"


async def test_a_view_needs_a_trigger(client: AsyncWebClient) -> None:
    assert (await refusal(client.views_open(view=modal())))["error"] == "invalid_arguments"


async def test_a_view_of_more_than_250_kb_is_refused(slack: LocalSlack, client: AsyncWebClient) -> None:
    large = modal(*[section("x" * 3000)] * 100)
    answer = await refusal(client.views_open(trigger_id=await trigger(slack), view=large))
    assert answer["error"] == "view_too_large"


async def test_an_external_id_is_for_one_view_and_finds_it(slack: LocalSlack, client: AsyncWebClient) -> None:
    await client.views_open(trigger_id=await trigger(slack), view=modal(external_id="mine"))
    again = await refusal(client.views_open(trigger_id=await trigger(slack), view=modal(external_id="mine")))
    assert again["error"] == "duplicate_external_id"
    await client.views_update(external_id="mine", view=modal(external_id="mine", title=plain("New")))
    view = slack.view()
    assert view
    assert view["title"]["text"] == "New"


async def test_an_update_keeps_the_id_and_what_was_typed_and_changes_the_hash(
    slack: LocalSlack, client: AsyncWebClient
) -> None:
    before = (await client.views_open(trigger_id=await trigger(slack), view=modal()))["view"]
    slack.fill(before, {"draft": "half a thought"})
    after = await client.views_update(
        view_id=before["id"], hash=before["hash"], view=modal(section(), *modal()["blocks"])
    )
    assert after["view"]["id"] == before["id"]
    assert after["view"]["hash"] != before["hash"]
    assert after["view"]["state"]["values"]["draft"]["draft"]["value"] == "half a thought"
    late = await refusal(client.views_update(view_id=before["id"], hash=before["hash"], view=modal()))
    assert late["error"] == "hash_conflict"


async def test_a_new_block_id_begins_an_empty_input(slack: LocalSlack, client: AsyncWebClient) -> None:
    view = (await client.views_open(trigger_id=await trigger(slack), view=modal()))["view"]
    slack.fill(view, {"draft": "half a thought"})
    await client.views_update(view_id=view["id"], view=modal(ask(text_input(initial_value="fresh"), "draft-2")))
    assert slack.state(view) == {"draft-2": {"draft": {"type": "plain_text_input", "value": "fresh"}}}


async def test_a_closed_view_is_not_found(slack: LocalSlack, client: AsyncWebClient) -> None:
    view = (await client.views_open(trigger_id=await trigger(slack), view=modal()))["view"]
    await slack.close(view)
    assert (await refusal(client.views_update(view_id=view["id"], view=modal())))["error"] == "not_found"


async def test_an_update_names_the_view_in_one_way(client: AsyncWebClient) -> None:
    answer = await refusal(
        client.api_call("views.update", json={"view_id": "V1", "external_id": "mine", "view": modal()})
    )
    assert answer["response_metadata"]["messages"] == ["[ERROR] Cannot provide both `view_id` and `external_id`"]


# Trouble on request


async def test_the_next_uses_fail_as_asked_and_then_work_again(slack: LocalSlack, client: AsyncWebClient) -> None:
    slack.fail("auth.test", error="internal_error", times=2)
    slack.fail("auth.test", retry_after=7)
    for _ in range(2):
        assert (await refusal(client.auth_test()))["error"] == "internal_error"
    limited = await refusal(client.auth_test())
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "7")
    assert (await client.auth_test())["ok"]


async def test_a_method_can_be_made_to_hang_or_to_drop_the_line(slack: LocalSlack) -> None:
    slack.fail("auth.test", drop=True)
    slack.fail("auth.test", hang=True)
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await session.post(f"{slack.api_url}auth.test")
        hanging = asyncio.create_task(session.post(f"{slack.api_url}auth.test"))
        await slack.changed(lambda: len(slack.calls) == 2)
        assert not hanging.done()
        hanging.cancel()


async def test_calls_are_remembered_without_their_token(slack: LocalSlack, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel=slack.channel, text="hi")
    (call,) = slack.calls
    assert (call.method, call.request["text"], call.response["ok"]) == ("chat.postMessage", "hi", True)
    assert slack.bot_token not in str(call)


def posts_as_form(slack: LocalSlack) -> Callable[..., Any]:
    async def post(**fields: str) -> Any:
        async with aiohttp.ClientSession() as session:
            answer = await session.post(f"{slack.api_url}chat.postMessage", data=fields)
            return await answer.json()

    return post


async def test_form_bodies_carry_blocks_as_json_and_the_token_as_a_field(slack: LocalSlack) -> None:
    post = posts_as_form(slack)
    blocks = '[{"type": "divider"}]'
    assert (await post(token=slack.bot_token, channel=slack.channel, blocks=blocks))["ok"]
    assert slack.messages()[0]["blocks"][0]["type"] == "divider"
    assert (await post(token=slack.bot_token, channel=slack.channel, blocks="[{"))["error"] == "invalid_json"
