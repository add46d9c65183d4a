"""The thumbs under every answer: what becomes of a vote, and of the words it is about."""

import asyncio
import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.evaluation.feedback import GivenText, feedback
from bot.evaluation.recorder import Recorder
from bot.local_slack.slack import LocalSlack
from bot.slack.angel import REMEMBERED, Votes
from bot.slack.wording import KEPT, MAY_I_KEEP_IT, NO_LONGER_KEPT, NOT_KEPT, SAME_AGAIN
from bot.verdict import GOOD_SENTENCE, Label, Verdict
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
    voted,
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
@pytest.mark.parametrize("keeps_text", [False, True])
async def test_every_verdict_can_be_voted_on_beside_its_small_print(
    place: str, verdict: Verdict, keeps_text: bool
) -> None:
    async with serving(FakeScreener(verdict), "http", recorder=FakeRecorder(keeps_text=keeps_text)) as served:
        slack = served.slack
        if place == "reply":
            await slack.command("/angel", "Fine.")
            answer = await the_answer(slack)
        elif place == "modal":
            answer = await checked_in_thread(slack, "Fine.")
        else:
            answer = await composed(slack, "Fine.")

        thumbs = vote_buttons(answer)
        if keeps_text:
            # Each carries the draft, which an option of a menu has no room for.
            assert [(each["text"]["text"], each["accessibility_label"]) for each in thumbs] == [
                ("👍", "Helpful"),
                ("👎", "Not helpful"),
            ]
            assert not any("style" in each for each in thumbs)
        else:
            (menu,) = thumbs
            assert [each["text"]["text"] for each in menu["options"]] == ["👍 Helpful", "👎 Not helpful"]
            assert "initial_option" not in menu
            (line,) = [block for block in answer["blocks"] if block.get("accessory") == menu]
            assert "Checked by a-model" in line["text"]["text"]


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

        await voted(slack, answer, True)
        await served.end()

        assert [(check, helpful) for check, helpful, _ in recorder.votes] == [("check-0", True)]
        assert slack.ephemerals() == [answer], "there is nothing to ask for"


# What becomes of a vote


async def test_a_check_is_recorded_with_its_way_in(transport: str) -> None:
    recorder = FakeRecorder()
    async with serving(FakeScreener(), transport, recorder=recorder) as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        await slack.press(await the_answer(slack), "another_version")
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


@pytest.mark.parametrize("place", ["reply", "modal", "composer"])
async def test_a_vote_is_recorded_and_shown_by_the_menu_alone(place: str, transport: str) -> None:
    recorder = FakeRecorder()
    async with serving(FakeScreener(), transport, recorder=recorder) as served:
        slack = served.slack
        if place == "reply":
            await slack.command("/angel", "Fine.")
            answer = await the_answer(slack)
        else:
            answer = await (checked_in_thread(slack, "Fine.") if place == "modal" else composed(slack, "Fine."))
        before = len(slack.calls)

        delivery = await voted(slack, answer, True)
        await served.end()

        assert delivery.acked
        assert recorder.votes == [("check-0", True, slack.user)]
        assert len(slack.calls) == before, "nothing is said, and the answer stays as it is"


@pytest.mark.parametrize("keeps_text", [False, True])
async def test_a_vote_counts_once_and_can_be_changed_and_nobody_is_thanked_twice(
    keeps_text: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    recorder = FakeRecorder(keeps_text=keeps_text)
    async with serving(FakeScreener(GOOD), "http", recorder=recorder) as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        answer = await the_answer(slack)
        for helpful in (True, True, False, False, True):
            await voted(slack, answer, helpful)
            if keeps_text:
                await said(slack, MAY_I_KEEP_IT)
        await served.end()

        assert recorder.votes == [("check-0", helpful, slack.user) for helpful in (True, False, True)]
        assert len(slack.ephemerals()) == 1 + keeps_text
        outcomes = re.findall(r"kind=vote outcome=(\w+)", caplog.text)
        assert sorted(outcomes) == ["down", "same", "same", "up", "up"]


async def test_two_people_and_two_answers_have_votes_of_their_own() -> None:
    votes = Votes()

    assert [
        votes.cast("U1", "a", True),
        votes.cast("U2", "a", True),
        votes.cast("U1", "b", True),
        votes.cast("U1", "a", False),
    ] == [None, None, None, True]


def test_no_more_votes_are_remembered_than_there_is_room_for() -> None:
    votes = Votes()
    for number in range(REMEMBERED + 1):
        votes.cast("U1", str(number), True)

    assert votes.cast("U1", str(REMEMBERED), True) is True
    assert votes.cast("U1", "0", True) is None


async def test_a_vote_delivered_twice_is_noted_once() -> None:
    recorder = FakeRecorder()
    async with serving(FakeScreener(GOOD), "http", recorder=recorder) as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        delivery = await voted(slack, await the_answer(slack), True)
        await slack.redeliver(delivery)
        await served.end()

        assert len(recorder.votes) == 1


async def test_another_version_is_voted_on_by_itself() -> None:
    recorder = FakeRecorder()
    async with serving(FakeScreener(), "http", recorder=recorder) as served:
        slack = served.slack
        await slack.command("/angel", "Fine.")
        first = await the_answer(slack)
        await slack.press(first, "another_version")
        await slack.changed(lambda: "the same words as before" in seen(slack.ephemerals()[0]))
        second = slack.ephemerals()[0]
        assert {block["block_id"] for block in first["blocks"] if "accessory" in block}.isdisjoint(
            block["block_id"] for block in second["blocks"]
        ), "a menu with its old id would go on showing the old vote"

        await voted(slack, second, False)
        await served.end()

        assert recorder.votes == [("check-1", False, slack.user)]


async def test_a_vote_leaves_what_is_typed_in_the_composer_alone(transport: str) -> None:
    recorder = FakeRecorder()
    async with serving(FakeScreener(), transport, recorder=recorder) as served:
        slack = served.slack
        view = await composed(slack, "Fine. My own.")
        slack.fill(view, {"draft": "Fine. My own, and more."})

        await voted(slack, view, False)

        await slack.submit(the_modal(slack))
        await slack.changed(lambda: len(served.screener.drafts) == 2)
        assert served.screener.drafts[-1].text == "Fine. My own, and more."
        assert recorder.votes == [("check-0", False, slack.user)]


async def test_a_question_that_comes_late_replaces_no_newer_answer() -> None:
    recorder = FakeRecorder(keeps_text=True)
    async with serving(FakeScreener(), "http", recorder=recorder) as served:
        slack = served.slack
        view = await composed(slack, "Fine.")
        delivery = await slack.press(view, "helpful")
        await the_view(slack, "May I keep")
        served.screener.answer = GOOD
        await slack.submit(the_modal(slack))
        await the_view(slack, GOOD_SENTENCE)

        # A press on the view as it stood before, by somebody who has not been asked yet.
        delivery.payload["trigger_id"] = "another"
        delivery.payload["user"]["id"] = slack.other
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
    recorder = FakeRecorder(keeps_text=True)
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
        await voted(slack, await the_answer(slack), False)
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
        await slack.command("/angel", "Fine again.", channel=slack.dm)
        (other,) = await slack.changed(lambda: slack.ephemerals(channel=slack.dm))
        await slack.press(other, "helpful")
        await slack.changed(lambda: len(slack.ephemerals(channel=slack.dm)) == 2)


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
        await voted(slack, answer, True)
        await served.end()

        assert recorder.votes == [("check-0", True, slack.user)]
        everything = "\n".join(map(seen, [*slack.ephemerals(), *filter(None, [slack.view()])]))
        assert ("May I keep" in everything) is (whose == "own")


async def test_somebody_elses_words_stay_theirs_through_the_buttons() -> None:
    recorder = FakeRecorder(keeps_text=True)
    async with serving(FakeScreener(), "http", recorder=recorder) as served:
        slack = served.slack
        await slack.message_shortcut("check_message", slack.post(f"Fine, {MARK}.", user=slack.other))
        await slack.press(await the_answer(slack), "another_version")
        await slack.changed(lambda: SAME_AGAIN in seen(slack.ephemerals()[0]))
        assert MARK not in json.dumps(vote_buttons(slack.ephemerals()[0]))

        # An older version had a button to write on with them. The trigger is of a pick that opens nothing.
        delivery = await slack.press(slack.ephemerals()[0], "tone", "warm")
        delivery.payload["actions"][0] |= {
            "action_id": "edit_draft",
            "value": json.dumps({"draft": f"Fine, {MARK}.", "tone": "warm", "own": False}),
        }
        assert (await slack.redeliver(delivery)).acked
        await served.end()
        assert slack.view() is None


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
        await voted(slack, await the_answer(slack), True)
        await voted(slack, await composed(slack, f"Fine, {MARK}."), False)
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
        await voted(slack, view, False)
        assert "May I keep" not in seen(the_modal(slack))
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
