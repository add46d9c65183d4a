"""The thumbs under every answer: what becomes of a vote, and of the words it is about."""

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.evaluation.feedback import GivenText, feedback
from bot.evaluation.recorder import Recorder
from bot.local_slack.slack import LocalSlack
from bot.slack.wording import KEPT, MAY_I_KEEP_IT, NO_LONGER_KEPT, NOT_KEPT, NOTED
from bot.verdict import CAUTION_SENTENCE, GOOD_SENTENCE, Label, Verdict
from tests.evaluation.test_recorder import store_bytes, wait_for
from tests.slack.conftest import (
    CAUTION,
    GOOD,
    FakeRecorder,
    FakeScreener,
    Served,
    buttons,
    seen,
    serving,
    the_answer,
    the_modal,
    the_view,
    vote_buttons,
)

MARK = "zebrafinch"


async def said(slack: LocalSlack, words: str) -> dict[str, Any]:
    """The ephemeral message that says exactly this, once there is one."""
    found = await slack.changed(lambda: [each for each in slack.ephemerals() if each["text"] == words])
    return dict(found[-1])


async def composed(slack: LocalSlack, draft: str) -> dict[str, Any]:
    """The composer with the verdict on a draft."""
    await slack.global_shortcut("write_with_angel")
    await slack.submit(await the_view(slack, "Your draft"), {"draft": draft})
    return await the_view(slack, "Checked by")


async def checked_in_thread(slack: LocalSlack, text: str, **fields: Any) -> dict[str, Any]:
    """The modal with the verdict on a message in a thread."""
    parent = slack.post("Who does it?")
    await slack.message_shortcut("check_message", slack.post(text, thread_ts=parent["ts"], **fields))
    return await the_view(slack, "Checked by")


# The thumbs


@pytest.mark.parametrize("verdict", [CAUTION, GOOD])
@pytest.mark.parametrize("place", ["reply", "modal", "composer"])
async def test_every_verdict_has_two_quiet_thumbs_with_names(place: str, verdict: Verdict) -> None:
    async with serving(FakeScreener(verdict), "http") as served:
        slack = served.slack
        if place == "reply":
            await slack.command("/angel", "Fine.")
            answer = await the_answer(slack)
        elif place == "modal":
            answer = await checked_in_thread(slack, "Fine.")
        else:
            answer = await composed(slack, "Fine.")

        thumbs = vote_buttons(answer)
        assert [(each["text"]["text"], each["accessibility_label"]) for each in thumbs] == [
            ("👍", "Helpful"),
            ("👎", "Not helpful"),
        ]
        assert not any("style" in each for each in thumbs)


async def test_what_is_no_verdict_has_none() -> None:
    async with serving(FakeScreener(), "http") as served:
        await served.slack.command("/angel", "help")

        assert vote_buttons(await the_answer(served.slack)) == []


@pytest.mark.parametrize("length", [300, 500])
async def test_a_draft_too_long_for_buttons_can_be_voted_on_all_the_same(length: int) -> None:
    recorder = FakeRecorder(keeps_text=True)
    async with serving(FakeScreener(), "http", recorder=recorder) as served:
        slack = served.slack
        await slack.command("/angel", "Fine. " + "really " * length)
        answer = await the_answer(slack)
        assert buttons(answer) == []

        await slack.press(answer, "helpful")

        await said(slack, NOTED)
        assert [(check, helpful) for check, helpful, _ in recorder.votes] == [("check-0", True)]


# What becomes of a vote


async def test_a_check_is_recorded_with_its_way_in(transport: str) -> None:
    recorder = FakeRecorder()
    async with serving(FakeScreener(), transport, recorder=recorder) as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        await slack.press(await the_answer(slack), "tone_warm")
        await slack.changed(lambda: len(recorder.checks) == 2 or None)
        await checked_in_thread(slack, "Fine.")
        await composed(slack, "Fine.")

        assert [each["way_in"] for each in recorder.checks.values()] == [
            "command",
            "button",
            "check_message",
            "composer",
        ]
        assert {each["user"] for each in recorder.checks.values()} == {slack.user}
        assert recorder.checks["check-0"]["draft"] == served.screener.drafts[0]


async def test_a_vote_is_recorded_and_quietly_thanked_for_beside_the_answer(transport: str) -> None:
    recorder = FakeRecorder()
    async with serving(FakeScreener(), transport, recorder=recorder) as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        answer = await the_answer(slack)

        delivery = await slack.press(answer, "helpful")

        thanks = await said(slack, NOTED)
        assert delivery.acked
        assert recorder.votes == [("check-0", True, slack.user)]
        assert thanks["seen_by"] == slack.user
        assert answer in slack.ephemerals(), "the answer stays as it is"
        assert slack.messages(slack.channel) == []


async def test_voting_again_changes_the_vote() -> None:
    recorder = FakeRecorder()
    async with serving(FakeScreener(GOOD), "http", recorder=recorder) as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        answer = await the_answer(slack)
        await slack.press(answer, "helpful")
        await slack.press(answer, "not_helpful")

        await slack.changed(lambda: len(recorder.votes) == 2)
        assert recorder.votes == [("check-0", True, slack.user), ("check-0", False, slack.user)]


async def test_a_vote_delivered_twice_is_noted_once() -> None:
    recorder = FakeRecorder()
    async with serving(FakeScreener(GOOD), "http", recorder=recorder) as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        delivery = await slack.press(await the_answer(slack), "helpful")
        await said(slack, NOTED)
        await slack.redeliver(delivery)
        await served.end()

        assert len(recorder.votes) == 1
        assert len(slack.ephemerals()) == 2


async def test_another_version_is_voted_on_by_itself() -> None:
    recorder = FakeRecorder()
    async with serving(FakeScreener(), "http", recorder=recorder) as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        await slack.press(await the_answer(slack), "another_version")
        await slack.changed(lambda: "the same words as before" in seen(slack.ephemerals()[0]))

        await slack.press(slack.ephemerals()[0], "not_helpful")

        await said(slack, NOTED)
        assert recorder.votes == [("check-1", False, slack.user)]


@pytest.mark.parametrize("place", ["modal", "composer"])
async def test_in_a_modal_the_thanks_stand_where_the_thumbs_stood(place: str, transport: str) -> None:
    recorder = FakeRecorder()
    async with serving(FakeScreener(), transport, recorder=recorder) as served:
        slack = served.slack
        view = await (checked_in_thread(slack, "Fine.") if place == "modal" else composed(slack, "Fine. My own."))
        if place == "composer":
            slack.fill(view, {"draft": "Fine. My own, and more."})

        await slack.press(view, "not_helpful")

        after = await the_view(slack, NOTED)
        assert "May I keep" not in seen(after)
        assert recorder.votes == [("check-0", False, slack.user)]
        assert vote_buttons(after) == []
        assert CAUTION_SENTENCE in seen(after)
        assert buttons(after) == buttons(view)
        assert slack.ephemerals() == []
        if place == "composer":
            assert "My own, and more." in json.dumps(slack.state(after))
            await slack.submit(after)
            await slack.changed(lambda: len(served.screener.drafts) == 2)
            assert served.screener.drafts[-1].text == "Fine. My own, and more."


async def test_thanks_that_come_late_replace_no_newer_answer() -> None:
    recorder = FakeRecorder()
    async with serving(FakeScreener(), "http", recorder=recorder) as served:
        slack = served.slack
        view = await composed(slack, "Fine.")
        delivery = await slack.press(view, "helpful")
        await the_view(slack, NOTED)
        served.screener.answer = GOOD
        await slack.submit(the_modal(slack))
        await the_view(slack, GOOD_SENTENCE)

        # A press on the view as it stood before, for which nobody was thanked yet.
        delivery.payload["trigger_id"] = "another"
        await slack.redeliver(delivery)
        await served.end()

        assert slack.calls[-1].response["error"] == "hash_conflict"
        assert GOOD_SENTENCE in seen(the_modal(slack))
        assert len(recorder.votes) == 2


@pytest.mark.parametrize("how", ["old", "used_up"])
async def test_a_stale_thumb_makes_no_noise_and_counts_all_the_same(
    how: str, transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    recorder = FakeRecorder()
    async with serving(FakeScreener(), transport, recorder=recorder) as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        answer = await the_answer(slack)
        slack.clock.advance(1801)
        slack.fail("response_url", status=404, times=9)

        delivery = await slack.press(answer, "helpful")
        await served.end()

        assert delivery.acked
        assert slack.notices() == []
        assert recorder.votes == [("check-0", True, slack.user)]
        assert slack.ephemerals() == [answer]
        assert "kind=vote outcome=up" in caplog.text


async def test_without_a_recorder_a_vote_is_a_line_in_the_log(transport: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with serving(FakeScreener(), transport) as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        await slack.press(await the_answer(slack), "not_helpful")
        await said(slack, NOTED)
        await served.end()

    (line,) = [record.getMessage() for record in caplog.records if "kind=vote" in record.getMessage()]
    assert line.startswith("slack kind=vote outcome=down ms=")
    assert line.endswith(" label=caution model=a-model version=3")
    assert slack.user not in line


# The words


async def test_with_text_keeping_off_no_draft_is_added_to_a_thumb() -> None:
    for recorder in (None, FakeRecorder()):
        async with serving(FakeScreener(), "http", recorder=recorder) as served:
            await served.slack.command("/angel", f"Fine, {MARK}.")
            assert MARK not in json.dumps(vote_buttons(await the_answer(served.slack)))


async def test_with_text_keeping_on_the_author_is_asked_and_asked_each_time(transport: str) -> None:
    recorder = FakeRecorder(keeps_text=True)
    async with serving(FakeScreener(), transport, recorder=recorder) as served:
        slack = served.slack
        await slack.command("/angel", "Fine, @maria &lt; <3.")
        answer = await the_answer(slack)
        await slack.press(answer, "not_helpful")
        asking = await said(slack, MAY_I_KEEP_IT)
        assert recorder.texts == [], "not before they said so"

        await slack.press(asking, "keep_text")

        await said(slack, KEPT)
        assert len(slack.ephemerals()) == 2, "it replaces the question"
        assert recorder.texts == [("check-0", "Fine, @maria &lt; <3.", slack.user)]
        await slack.press(answer, "helpful")
        await said(slack, MAY_I_KEEP_IT)


async def test_no_thanks_keeps_nothing(transport: str) -> None:
    recorder = FakeRecorder(keeps_text=True)
    async with serving(FakeScreener(), transport, recorder=recorder) as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        await slack.press(await the_answer(slack), "not_helpful")
        await slack.press(await said(slack, MAY_I_KEEP_IT), "keep_nothing")

        await said(slack, NOT_KEPT)
        assert len(slack.ephemerals()) == 2
        assert recorder.texts == []


@pytest.mark.parametrize("choice", ["keep_text", "keep_nothing"])
async def test_in_the_composer_it_asks_where_the_thumbs_stood(choice: str) -> None:
    recorder = FakeRecorder(keeps_text=True)
    async with serving(FakeScreener(), "http", recorder=recorder) as served:
        slack = served.slack
        view = await composed(slack, "Fine, <@U1> &amp; so on.")
        await slack.press(view, "helpful")
        asking = await the_view(slack, "May I keep this draft")
        assert vote_buttons(asking) == []

        await slack.press(asking, choice)

        after = await the_view(slack, KEPT if choice == "keep_text" else NOT_KEPT)
        assert "May I keep" not in seen(after)
        assert buttons(after) == buttons(view)
        kept = [("check-0", "Fine, <@U1> &amp; so on.", slack.user)]
        assert recorder.texts == (kept if choice == "keep_text" else [])


@pytest.mark.parametrize("thread", [False, True])
@pytest.mark.parametrize("whose", ["own", "somebody_else's"])
async def test_only_the_author_of_a_message_is_asked_for_its_words(thread: bool, whose: str) -> None:
    recorder = FakeRecorder(keeps_text=True)
    async with serving(FakeScreener(), "http", recorder=recorder) as served:
        slack = served.slack
        user = slack.user if whose == "own" else slack.other
        if thread:
            answer = await checked_in_thread(slack, f"Fine, {MARK}.", user=user)
        else:
            await slack.message_shortcut("check_message", slack.post(f"Fine, {MARK}.", user=user))
            answer = await the_answer(slack)

        assert (MARK in json.dumps(vote_buttons(answer))) is (whose == "own")
        await slack.press(answer, "helpful")

        after = await (the_view(slack, NOTED) if thread else said(slack, MAY_I_KEEP_IT if whose == "own" else NOTED))
        assert ("May I keep" in seen(after)) is (whose == "own")


async def test_somebody_elses_words_stay_theirs_through_buttons_and_the_composer() -> None:
    recorder = FakeRecorder(keeps_text=True)
    async with serving(FakeScreener(), "http", recorder=recorder) as served:
        slack = served.slack
        await slack.message_shortcut("check_message", slack.post(f"Fine, {MARK}.", user=slack.other))
        await slack.press(await the_answer(slack), "tone_warm")
        await slack.changed(lambda: "tone_playful" in buttons(slack.ephemerals()[0]))
        (answer,) = slack.ephemerals()
        assert MARK not in json.dumps(vote_buttons(answer))

        await slack.press(answer, "edit_draft")
        await slack.submit(await the_view(slack, "Your draft"))
        view = await the_view(slack, CAUTION_SENTENCE)
        assert MARK not in json.dumps(vote_buttons(view))

        await slack.press(view, "use_rewrite")
        await slack.changed(lambda: CAUTION_SENTENCE not in seen(slack.view()))
        await slack.submit(the_modal(slack))
        view = await the_view(slack, CAUTION_SENTENCE)
        await slack.press(view, "helpful")
        assert "May I keep" not in seen(await the_view(slack, NOTED))


async def test_a_yes_that_comes_when_texts_are_no_longer_kept_keeps_nothing() -> None:
    recorder = FakeRecorder(keeps_text=True)
    async with serving(FakeScreener(), "http", recorder=recorder) as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        await slack.press(await the_answer(slack), "helpful")
        asking = await said(slack, MAY_I_KEEP_IT)
        recorder.keeps_text = False

        await slack.press(asking, "keep_text")

        await said(slack, NO_LONGER_KEPT)
        assert recorder.texts == []


# In a real store


async def votes_in(store: str, served: Served[FakeScreener], *, number: int) -> None:
    """Ends the worker, and waits until this many votes are in the store."""
    await served.end()
    await asyncio.to_thread(
        wait_for, lambda: sum(each.helpful + each.unhelpful for each in feedback(store)[0]) == number
    )


def marked(_: Any) -> Verdict:
    return CAUTION.model_copy(update={"rewrite": f"Dear {MARK}!"})


@pytest.mark.xdist_group("store")  # which is made once for each worker, and takes seconds
async def test_the_store_has_votes_and_no_words_where_texts_are_not_kept(
    mlflow_store: str, recorder_of: Callable[..., Recorder], tmp_path: Path
) -> None:
    recorder = recorder_of(keeps_text=False)
    async with serving(FakeScreener(marked), "socket_mode", recorder=recorder) as served:
        slack = served.slack
        await slack.command("/angel", f"Fine, {MARK}.")
        await slack.press(await the_answer(slack), "helpful")
        await said(slack, NOTED)
        await slack.press(await composed(slack, f"Fine, {MARK}."), "not_helpful")
        await the_view(slack, NOTED)
        await votes_in(mlflow_store, served, number=2)

    (votes,) = feedback(mlflow_store)[0]
    assert (votes.model, votes.version, votes.helpful, votes.unhelpful) == ("a-model", "3", 1, 1)
    written = store_bytes(tmp_path)
    assert b"composer" in written, "the bytes are looked at"
    assert not [word for word in (MARK, slack.user) if word.encode() in written]


@pytest.mark.xdist_group("store")
async def test_the_store_has_only_the_words_that_were_given(
    mlflow_store: str,
    recorder_of: Callable[..., Recorder],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    recorder = recorder_of(keeps_text=True)
    async with serving(FakeScreener(marked), "http", recorder=recorder) as served:
        slack = served.slack
        # Asked, and not answered.
        view = await composed(slack, f"Fine, {MARK}.")
        await slack.press(view, "not_helpful")
        await slack.close(await the_view(slack, "May I keep"))
        # Asked, and declined.
        await slack.command("/angel", f"Fine, {MARK}.")
        await slack.press((await slack.changed(slack.ephemerals))[0], "not_helpful")
        await slack.press(await said(slack, MAY_I_KEEP_IT), "keep_nothing")
        await said(slack, NOT_KEPT)
        # Somebody else's, and so not asked.
        view = await checked_in_thread(slack, f"Fine, {MARK}.", user=slack.other)
        await slack.press(view, "not_helpful")
        assert "May I keep" not in seen(await the_view(slack, NOTED))
        # Given.
        await slack.command("/angel", "Fine, have it.", channel=slack.dm)
        (answer,) = await slack.changed(lambda: slack.ephemerals(channel=slack.dm))
        await slack.press(answer, "not_helpful")
        await slack.press(await said(slack, MAY_I_KEEP_IT), "keep_text")
        await said(slack, KEPT)
        await votes_in(mlflow_store, served, number=4)

    await asyncio.to_thread(wait_for, lambda: feedback(mlflow_store)[1])
    (given,) = feedback(mlflow_store)[1]
    assert given == GivenText("Fine, have it.", Label.CAUTION, False, "a-model", "3")
    assert given.likely is Label.GOOD
    written = store_bytes(tmp_path)
    assert b"Fine, have it." in written, "the bytes are looked at"
    assert not [word for word in (MARK, slack.user) if word.encode() in written]
    told = "\n".join([*(logging.Formatter().format(each) for each in caplog.records), *capfd.readouterr()])
    assert "outcome=kept" in told
    assert not [word for word in (MARK, "have it", slack.user) if word in told]
