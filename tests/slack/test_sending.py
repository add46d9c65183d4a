"""Sending as a person: once, where the confirmation says, the very words on the screen; and every refusal."""

import asyncio
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.slack import wording
from bot.slack.buttons import ANOTHER_VERSION
from bot.slack.home import CONNECT, NOT_NOW
from bot.slack.letters import CHANGE, SEND, SEND_ANYWAY
from bot.slack.modals import DRAFT, WHERE
from bot.verdict import CAUTION_SENTENCE, GOOD_SENTENCE, Draft, Label, Verdict
from tests.slack.conftest import CAUTION, GOOD, FakeScreener
from tests.slack.many import JSON, Many, many


def of(answer: Verdict) -> FakeScreener:
    return FakeScreener(answer)


def action_ids(answer: JSON) -> list[str]:
    return [
        element["action_id"]
        for block in answer["blocks"]
        for element in block.get("elements", ())
        if "action_id" in element
    ]


def element(answer: JSON, action_id: str) -> JSON:
    found: JSON = next(
        each for block in answer["blocks"] for each in block.get("elements", ()) if each.get("action_id") == action_id
    )
    return found


async def modal(angel: Many, until: Callable[[JSON], bool] = bool) -> JSON:
    """The modal in front of the person, as soon as it is as it should be."""

    def shown() -> JSON | None:
        view = angel.slack.view()
        return view if view and until(view) else None

    return await angel.slack.changed(shown) or {}


async def answer_to(angel: Many, text: str, *, user: str | None = None, channel: str | None = None) -> JSON:
    slack = angel.slack
    before = len(slack.ephemerals(user))
    await slack.command("/angel", text, user=user, channel=channel)
    seen = await slack.changed(lambda: slack.ephemerals(user)[before:])
    answer: JSON = seen[-1]
    return answer


async def said_after(angel: Many, answer: JSON, action_id: str) -> JSON:
    """What stands in the answer's place once the button has done its work."""
    slack = angel.slack
    await slack.press(answer, action_id)
    found = await slack.changed(
        lambda: [each for each in slack.ephemerals() if each["ts"] == answer["ts"] and each["text"] != answer["text"]]
    )
    said: JSON = found[0]
    return said


def mine(angel: Many, channel: str | None = None) -> list[JSON]:
    return [each for each in angel.slack.messages(channel) if each.get("user") == angel.slack.user]


class TestSendIt:
    async def test_a_good_draft_goes_out_as_typed_under_the_persons_name(self, tmp_path: Path) -> None:
        text = "Morning @maria! 3 < 4 & *done*, see https://wiki.example/x?a=1&b=2 :tada:\n\nThanks"
        async with many(tmp_path, of(GOOD)) as angel:
            await angel.connected()
            before = len(mine(angel))
            answer = await answer_to(angel, text)
            assert answer["text"].startswith(GOOD_SENTENCE)
            assert await said_after(angel, answer, SEND)
            sent = mine(angel)[before:]
            assert len(sent) == 1
            by_hand = angel.slack.post(text)
            assert sent[0]["text"] == by_hand["text"]
            assert sent[0]["user"] == angel.slack.user
            assert angel.slack.ephemerals()[-1]["text"] == wording.SENT

    async def test_a_caution_offers_the_rewrite_and_quieter_the_draft(self, tmp_path: Path) -> None:
        async with many(tmp_path, of(CAUTION)) as angel:
            await angel.connected()
            for action_id, words in ((SEND, "Sure, happy to!"), (SEND_ANYWAY, "Fine.")):
                answer = await answer_to(angel, "Fine.")
                assert answer["text"].startswith(CAUTION_SENTENCE)
                assert element(answer, SEND)["style"] == "primary"
                assert "style" not in element(answer, SEND_ANYWAY)
                await said_after(angel, answer, action_id)
                assert mine(angel)[-1]["text"] == words

    async def test_the_confirmation_names_the_conversation(self, tmp_path: Path) -> None:
        async with many(tmp_path, of(GOOD)) as angel:
            await angel.connected()
            slack = angel.slack
            for channel, named in ((slack.channel, f"<#{slack.channel}>"), (slack.dm, "this direct message")):
                answer = await answer_to(angel, "Hello there", channel=channel)
                assert named in element(answer, SEND)["confirm"]["text"]["text"]
                await said_after(angel, answer, SEND)
                assert slack.messages(channel)[-1]["text"] == "Hello there"

    async def test_what_is_sent_is_what_was_seen(self, tmp_path: Path) -> None:
        rewrite = "Hi @maria & <!channel>, see https://evil.example <@U9>"
        verdict = Verdict(label=Label.CAUTION, rewrite=rewrite, model="a-model")
        async with many(tmp_path, of(verdict)) as angel:
            await angel.connected()
            answer = await answer_to(angel, "Fine, @maria.")
            shown = re.sub(r"\|[^>]*>", ">", answer["text"].split("\n", 1)[1])
            await said_after(angel, answer, SEND)
            sent = mine(angel)[-1]["text"]
            assert sent == shown
            # Nothing that the draft did not have can notify anybody.
            assert re.findall(r"<[!@][^>]*>", sent) == re.findall(r"<@[^>|]*>", angel.slack.post("@maria")["text"])
            assert "<!channel>" not in sent

    async def test_a_text_too_long_for_a_button_is_there_to_copy(self, tmp_path: Path) -> None:
        async with many(tmp_path, of(GOOD)) as angel:
            await angel.connected()
            answer = await answer_to(angel, "word " * 700)
            assert SEND not in action_ids(answer)
            assert "word word" in str(answer["blocks"])

    async def test_another_version_can_be_sent_too(self, tmp_path: Path) -> None:
        async with many(tmp_path, of(CAUTION)) as angel:
            await angel.connected()
            answer = await answer_to(angel, "Fine.")
            angel.served.screener.answer = CAUTION.model_copy(update={"rewrite": "With pleasure!"})
            again = await said_after(angel, answer, ANOTHER_VERSION)
            await said_after(angel, again, SEND)
            assert mine(angel)[-1]["text"] == "With pleasure!"


class TestOnce:
    async def test_presses_that_come_together_send_once(self, tmp_path: Path) -> None:
        async with many(tmp_path, of(GOOD)) as angel:
            await angel.connected()
            answer = await answer_to(angel, "Hello there")
            presses = [await angel.slack.press(answer, SEND)]
            presses += await asyncio.gather(*(angel.slack.redeliver(presses[0]) for _ in range(3)))
            await angel.served.end()
            assert [each["text"] for each in mine(angel)].count("Hello there") == 1

    async def test_another_press_of_the_same_answer_sends_nothing(self, tmp_path: Path) -> None:
        async with many(tmp_path, of(GOOD)) as angel:
            await angel.connected()
            answer = await answer_to(angel, "Hello there")
            angel.slack.fail("response_url", status=500, times=20)
            await angel.slack.press(answer, SEND)
            await angel.slack.changed(lambda: len([1 for each in mine(angel) if each["text"] == "Hello there"]) == 1)
            await angel.slack.press(answer, SEND)
            await angel.served.end()
            assert [each["text"] for each in mine(angel)].count("Hello there") == 1

    @pytest.mark.parametrize("how", [{"hang": True}, {"drop": True}, {"status": 500}], ids=["hangs", "drops", "500"])
    async def test_what_may_be_out_is_never_sent_again(self, tmp_path: Path, how: dict[str, Any]) -> None:
        async with many(tmp_path, of(GOOD)) as angel:
            await angel.connected()
            answer = await answer_to(angel, "Hello there")
            angel.slack.fail("chat.postMessage", done=True, **how)
            said = await said_after(angel, answer, SEND)
            assert said["text"].startswith(wording.UNKNOWN)
            assert "Hello there" in said["text"]
            assert SEND not in action_ids(said)
            assert [each["text"] for each in mine(angel)].count("Hello there") == 1


class TestRefusals:
    async def test_each_is_said_with_the_words_still_there(self, tmp_path: Path) -> None:
        async with many(tmp_path, of(GOOD)) as angel:
            await angel.connected()
            wrong = {}
            for error in (
                "not_in_channel",
                "channel_not_found",
                "is_archived",
                "msg_too_long",
                "restricted_action",
                "new_one",
            ):
                answer = await answer_to(angel, "Hello there")
                angel.slack.fail("chat.postMessage", error=error)
                said = await said_after(angel, answer, SEND)
                if not (said["text"].startswith(wording.refused(error, 0)) and "Hello there" in said["text"]):
                    wrong[error] = said["text"]
            assert wrong == {}
            assert "Hello there" not in [each["text"] for each in mine(angel)]

    async def test_a_conversation_that_is_archived_meanwhile(self, tmp_path: Path) -> None:
        async with many(tmp_path, of(GOOD)) as angel:
            await angel.connected()
            slack = angel.slack
            await slack.global_shortcut("write_with_angel")
            view = await modal(angel)
            await slack.submit(view, {DRAFT: "Hello there", WHERE: slack.quiet})
            view = await modal(angel, lambda view: SEND in action_ids(view))
            slack.archive(slack.quiet)
            await slack.press(view, SEND)
            await slack.changed(lambda: wording.REFUSED["is_archived"] in str(slack.view()))
            assert "Hello there" in str(slack.view())

    async def test_after_a_rate_limit_the_same_press_may_succeed(self, tmp_path: Path) -> None:
        async with many(tmp_path, of(GOOD)) as angel:
            await angel.connected()
            answer = await answer_to(angel, "Hello there")
            angel.slack.fail("chat.postMessage", status=429, retry_after=7)
            said = await said_after(angel, answer, SEND)
            assert "in 7 seconds" in said["text"]
            await said_after(angel, said, SEND)
            assert mine(angel)[-1]["text"] == "Hello there"

    async def test_a_revoked_token_is_forgotten_and_connecting_is_offered(self, tmp_path: Path) -> None:
        async with many(tmp_path, of(GOOD)) as angel:
            await angel.connected()
            answer = await answer_to(angel, "Hello there")
            angel.slack.fail("chat.postMessage", error="token_revoked")
            said = await said_after(angel, answer, SEND)
            assert said["text"].startswith(wording.NOT_CONNECTED)
            assert element(said, CONNECT)["url"].startswith(angel.url)
            assert await angel.store.tokens.of_person(angel.person()) is None


class TestConnectingIsOffered:
    async def test_once(self, tmp_path: Path) -> None:
        async with many(tmp_path, of(CAUTION)) as angel:
            await angel.install()
            first = await answer_to(angel, "Fine.")
            assert element(first, CONNECT)["url"].startswith(f"{angel.url}/slack/connect?for=")
            assert SEND not in action_ids(first)
            second = await answer_to(angel, "Fine.")
            assert CONNECT not in action_ids(second)

    async def test_not_now_is_for_good(self, tmp_path: Path) -> None:
        async with many(tmp_path, of(CAUTION)) as angel:
            await angel.install()
            first = await answer_to(angel, "Fine.")
            await angel.slack.press(first, NOT_NOW)
            await angel.slack.changed(
                lambda: any(each["text"] == wording.NOT_NOW_SAID for each in angel.slack.ephemerals())
            )
            assert (await angel.store.choices.of_person(angel.person())).hides_connect

    async def test_the_press_of_a_link_is_acked(self, tmp_path: Path) -> None:
        async with many(tmp_path, of(CAUTION)) as angel:
            await angel.install()
            first = await answer_to(angel, "Fine.")
            assert (await angel.slack.press(first, CONNECT)).acked


class TestTheComposer:
    async def test_it_sends_to_the_conversation_that_was_picked(self, tmp_path: Path) -> None:
        async with many(tmp_path, of(GOOD)) as angel:
            await angel.connected()
            slack = angel.slack
            await slack.global_shortcut("write_with_angel")
            view = await modal(angel)
            await slack.submit(view, {DRAFT: "Hi <all>, 2 & 2\nbye", WHERE: slack.quiet})
            view = await modal(angel, lambda view: SEND in action_ids(view))
            assert f"<#{slack.quiet}>" in element(view, SEND)["confirm"]["text"]["text"]
            await slack.press(view, SEND)
            await slack.changed(lambda: wording.SENT in str(slack.view()))
            assert slack.messages(slack.quiet)[-1]["text"] == slack.post("Hi <all>, 2 & 2\nbye")["text"]

    async def test_who_picks_nothing_copies(self, tmp_path: Path) -> None:
        async with many(tmp_path, of(CAUTION)) as angel:
            await angel.connected()
            slack = angel.slack
            await slack.global_shortcut("write_with_angel")
            view = await modal(angel)
            await slack.submit(view, {DRAFT: "Fine.", WHERE: None})
            view = await modal(angel, lambda view: "Sure, happy" in str(view))
            assert SEND not in action_ids(view)

    async def test_reply_with_angel_sends_into_the_thread(self, tmp_path: Path) -> None:
        async with many(tmp_path, of(GOOD)) as angel:
            await angel.connected()
            slack = angel.slack
            first = slack.post("Where is the report?", user=slack.other)
            for message in (first, slack.post("Anyone?", user=slack.other, thread_ts=first["ts"])):
                await slack.message_shortcut("reply_with_angel", message)
                view = await modal(angel)
                await slack.submit(view, {DRAFT: "On its way."})
                view = await modal(angel, lambda view: SEND in action_ids(view))
                before = len(slack.messages(thread_ts=first["ts"]))
                await slack.press(view, SEND)
                await slack.changed(lambda: wording.SENT in str(slack.view()))
                thread = slack.messages(thread_ts=first["ts"])
                assert len(thread) == before + 1
                assert thread[-1]["text"] == "On its way."
                await slack.close(await modal(angel))


class TestMendWhatIsOut:
    async def test_the_rewrite_replaces_the_message_and_can_be_undone(self, tmp_path: Path) -> None:
        async with many(tmp_path, of(CAUTION)) as angel:
            await angel.connected()
            slack = angel.slack
            message = slack.post("Fine.")
            await slack.message_shortcut("check_message", message)
            answer = (await slack.changed(slack.ephemerals))[-1]
            changed = await said_after(angel, answer, CHANGE)
            assert text_of(angel, message) == "Sure, happy to!"
            assert changed["text"].startswith(wording.CHANGED)
            assert "Fine." in changed["text"]
            await slack.press(changed, CHANGE)
            await slack.changed(lambda: text_of(angel, message) == "Fine.")

    @pytest.mark.parametrize("error", ["edit_window_closed", "cant_update_message", "message_not_found"])
    async def test_what_can_not_be_changed_is_said_plainly(self, tmp_path: Path, error: str) -> None:
        async with many(tmp_path, of(CAUTION)) as angel:
            await angel.connected()
            message = angel.slack.post("Fine.")
            await angel.slack.message_shortcut("check_message", message)
            answer = (await angel.slack.changed(angel.slack.ephemerals))[-1]
            angel.slack.fail("chat.update", error=error)
            said = await said_after(angel, answer, CHANGE)
            assert said["text"].startswith(wording.REFUSED[error])
            assert "Sure, happy to!" in said["text"]

    async def test_somebody_elses_message_has_no_such_button(self, tmp_path: Path) -> None:
        async with many(tmp_path, of(CAUTION)) as angel:
            await angel.connected()
            message = angel.slack.post("Fine.", user=angel.slack.other)
            await angel.slack.message_shortcut("check_message", message)
            answer = (await angel.slack.changed(angel.slack.ephemerals))[-1]
            assert not {CHANGE, SEND, SEND_ANYWAY, CONNECT} & set(action_ids(answer))


def text_of(angel: Many, message: JSON) -> str:
    return next(str(each["text"]) for each in angel.slack.messages() if each["ts"] == message["ts"])


async def test_neither_words_nor_tokens_are_logged_or_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    mark = "marzipan-quarantine"

    def judged(draft: Draft) -> Verdict:
        return CAUTION.model_copy(update={"rewrite": f"Softer {mark}"})

    async with many(tmp_path, FakeScreener(judged)) as angel:
        await angel.connected()
        token = str(await angel.store.tokens.of_person(angel.person()))
        message = angel.slack.post(f"Fine, {mark}.")
        await angel.slack.message_shortcut("check_message", message)
        answer = (await angel.slack.changed(angel.slack.ephemerals))[-1]
        await said_after(angel, answer, CHANGE)
        for error in ("not_in_channel", "token_revoked"):
            answer = await answer_to(angel, f"Fine, {mark}.")
            angel.slack.fail("chat.postMessage", error=error)
            await said_after(angel, answer, SEND)
        await angel.served.end()
        await angel.store.close()
    ours = [
        record
        for record in caplog.records
        if record.name.startswith(("bot.", "slack")) and "local_slack" not in record.name
    ]
    assert ours
    logged = "\n".join(record.getMessage() for record in ours)
    assert mark not in logged
    assert token not in logged
    kept = everything_in(tmp_path)
    assert mark.encode() not in kept
    assert token.encode() not in kept


async def test_without_a_store_nothing_is_offered_to_send(tmp_path: Path) -> None:
    from tests.slack.conftest import serving

    async with serving(FakeScreener(CAUTION), "http") as served:
        await served.slack.command("/angel", "Fine.")
        answer = (await served.slack.changed(served.slack.ephemerals))[-1]
        assert not {SEND, SEND_ANYWAY, CONNECT} & set(action_ids(answer))


def everything_in(folder: Path) -> bytes:
    return b"".join(part.read_bytes() for part in folder.glob("angel.db*"))
