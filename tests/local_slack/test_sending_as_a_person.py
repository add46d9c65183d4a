"""What an app does in somebody's name, with the token that they gave it."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.local_slack.slack import LocalSlack
from tests.local_slack.conftest import refusal
from tests.local_slack.shapes import JSON, section
from tests.local_slack.test_oauth import as_, installed


@pytest.fixture
async def mine(slack: LocalSlack) -> AsyncWebClient:
    """The Web API as `slack.user`."""
    answer = await installed(slack, scope="", user_scope="chat:write")
    return as_(slack, answer["authed_user"]["access_token"])


async def test_a_message_goes_out_under_the_persons_own_name(slack: LocalSlack, mine: AsyncWebClient) -> None:
    for channel in (slack.channel, slack.quiet, slack.private, slack.dm):
        await mine.chat_postMessage(channel=channel, text=f"Thanks, <@{slack.other}> &amp; all :tada:")
        (message,) = slack.messages(channel)
        assert (message["user"], message["text"]) == (slack.user, f"Thanks, <@{slack.other}> &amp; all :tada:")
        assert message["app_id"]  # Slack says which app it was


async def test_a_reply_goes_into_its_thread_and_nowhere_else(slack: LocalSlack, mine: AsyncWebClient) -> None:
    parent = slack.post("who is in?", user=slack.other)
    reply = await mine.chat_postMessage(channel=slack.channel, text="me", thread_ts=parent["ts"])
    assert slack.messages()[-1]["thread_ts"] == parent["ts"]
    for wrong in (reply["ts"], "1.0"):
        call = mine.chat_postMessage(channel=slack.channel, text="me", thread_ts=wrong)
        assert (await refusal(call))["error"] == "cannot_reply_to_message"


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("elsewhere", "not_in_channel"),
        ("second_channel", "channel_not_found"),
        ("other", "channel_not_found"),
        ("C0NOWHERE", "channel_not_found"),
    ],
)
async def test_where_the_person_is_not_nothing_can_be_sent(
    slack: LocalSlack, mine: AsyncWebClient, where: str, error: str
) -> None:
    call = mine.chat_postMessage(channel=getattr(slack, where, where), text="hi")
    assert (await refusal(call))["error"] == error


async def test_an_archived_channel_takes_no_message_and_no_change(slack: LocalSlack, mine: AsyncWebClient) -> None:
    ts = slack.post("mine")["ts"]
    slack.archive(slack.channel)
    assert (await refusal(mine.chat_postMessage(channel=slack.channel, text="hi")))["error"] == "is_archived"
    assert (await refusal(mine.chat_update(channel=slack.channel, ts=ts, text="hi")))["error"] == "is_inactive"


async def test_a_message_can_be_sent_and_the_confirmation_lost(slack: LocalSlack, mine: AsyncWebClient) -> None:
    slack.fail("chat.postMessage", status=500, done=True)
    assert (await refusal(mine.chat_postMessage(channel=slack.channel, text="hi"))).status_code == 500
    assert [message["text"] for message in slack.messages()] == ["hi"]


async def test_ones_own_message_is_changed_in_place(slack: LocalSlack, mine: AsyncWebClient) -> None:
    message = slack.post("Per my last message")
    await mine.chat_update(channel=slack.channel, ts=message["ts"], text="Any news?")
    (changed,) = slack.messages()
    assert (changed["ts"], changed["text"], "blocks" in changed) == (message["ts"], "Any news?", False)
    assert changed["edited"]["user"] == slack.user


async def test_what_can_not_be_changed_is_refused(slack: LocalSlack, mine: AsyncWebClient) -> None:
    own, others = slack.post("mine"), slack.post("theirs", user=slack.other)
    hidden = slack.post("theirs", channel=slack.elsewhere, user=slack.other)
    refused: list[tuple[JSON, str]] = [
        ({"channel": slack.channel, "ts": others["ts"], "text": "t"}, "cant_update_message"),
        ({"channel": slack.elsewhere, "ts": hidden["ts"], "text": "t"}, "cant_update_message"),
        ({"channel": slack.channel, "ts": "1.0", "text": "t"}, "message_not_found"),
        ({"channel": slack.second_channel, "ts": own["ts"], "text": "t"}, "channel_not_found"),
        ({"channel": slack.channel, "ts": own["ts"], "text": "t" * 4001}, "msg_too_long"),
        ({"channel": slack.channel, "ts": own["ts"], "text": ""}, "no_text"),
        ({"channel": slack.channel, "ts": own["ts"], "blocks": [section()]}, "block_mismatch"),
    ]
    for args, error in refused:
        assert (await refusal(mine.api_call("chat.update", json=args)))["error"] == error
    assert slack.messages()[0]["text"] == "mine"


async def test_the_time_for_changes_may_be_over(slack: LocalSlack, mine: AsyncWebClient) -> None:
    slack.edit_seconds = 60
    ts = slack.post("mine")["ts"]
    slack.clock.advance(59)
    assert (await mine.chat_update(channel=slack.channel, ts=ts, text="first"))["ok"]
    slack.clock.advance(2)
    call = mine.chat_update(channel=slack.channel, ts=ts, text="second")
    assert (await refusal(call))["error"] == "edit_window_closed"


async def test_a_persons_token_needs_its_scope_and_opens_no_view(slack: LocalSlack, mine: AsyncWebClient) -> None:
    trigger_id = (await slack.global_shortcut("compose")).payload["trigger_id"]
    call = mine.views_open(trigger_id=trigger_id, view={"type": "modal"})
    assert (await refusal(call))["error"] == "not_allowed_token_type"
