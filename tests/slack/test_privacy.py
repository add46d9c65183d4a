"""A person's words go to the model and back to them, and nowhere else."""

import json
import logging
from typing import Any

import pytest

from bot.errors import Busy, ModelUnavailable
from bot.local_slack.slack import LocalSlack
from bot.verdict import CAUTION_SENTENCE, Category, Finding, Label, Verdict
from tests.slack.conftest import FakeRecorder, FakeScreener, Oddity, seen, serving, the_answer, the_view

MARK = "zebrafinch"


def marked(_: Any) -> Verdict:
    return Verdict(
        label=Label.CAUTION,
        findings=(Finding(category=Category.OTHER, excerpt=f"{MARK}.", reason=f"Well, {MARK}."),),
        rewrite=f"Dear {MARK}!",
        model="a-model",
    )


async def _every_way_in(slack: LocalSlack) -> None:
    """Each way in once, with the mark in what is written."""
    slack.fail("response_url", status=500, times=1)
    await slack.command("/angel", f"Fine, {MARK}.")
    await slack.command("/angel", f"{MARK}" * 600)
    await slack.message_shortcut("check_message", slack.post(f"Fine, {MARK}."))
    parent = slack.post(f"Who, {MARK}?")
    await slack.message_shortcut("check_message", slack.post(f"Fine, {MARK}.", thread_ts=parent["ts"]))
    await slack.global_shortcut("write_with_angel")
    await slack.changed(lambda: slack.view() and "Your draft" in seen(slack.view()))
    view = slack.view()
    assert view
    await slack.submit(view, {"draft": f"Fine, {MARK}.", "context": f"to {MARK}"})
    answers = await slack.changed(lambda: slack.ephemerals())
    for answer in answers:
        for action in ("another_version", "edit_draft"):
            if any(action in json.dumps(block) for block in answer["blocks"]):
                await slack.press(answer, action)
                break


@pytest.mark.parametrize(
    "answer",
    [
        marked,
        Busy("One moment."),
        ModelUnavailable("Down."),
        Oddity(f"what about {MARK}?"),
        ValueError(MARK, {"draft": MARK}),
    ],
)
@pytest.mark.parametrize("trouble", ["none", "slack_is_down"])
async def test_no_words_are_logged_or_printed_on_any_path(
    transport: str, answer: Any, trouble: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(FakeScreener(answer), transport) as served:
        slack = served.slack
        if trouble == "slack_is_down":
            slack.fail("response_url", drop=True, times=200)
            slack.fail("views.update", status=503, times=200)
            await slack.command("/angel", f"Fine, {MARK}.")
            parent = slack.post(f"Who, {MARK}?")
            await slack.message_shortcut("check_message", slack.post(f"Fine, {MARK}.", thread_ts=parent["ts"]))
        else:
            await _every_way_in(slack)
        await served.end()

    logged = "\n".join(logging.Formatter().format(record) for record in caplog.records)
    assert "slack kind=command" in logged, "the log is looked at"
    assert MARK not in logged
    assert MARK not in "".join(capfd.readouterr())


@pytest.mark.parametrize("trouble", ["none", "slack_is_down"])
async def test_no_words_are_logged_or_printed_when_people_vote(
    transport: str, trouble: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    recorder = FakeRecorder(keeps_text=True)
    async with serving(FakeScreener(marked), transport, recorder=recorder) as served:
        slack = served.slack
        await slack.command("/angel", f"Fine, {MARK}.")
        answer = await the_answer(slack)
        await slack.press(answer, "not_helpful")
        (asking,) = await slack.changed(lambda: [each for each in slack.ephemerals() if "May I keep" in seen(each)])
        await slack.global_shortcut("write_with_angel")
        await slack.submit(await the_view(slack, "Your draft"), {"draft": f"Fine, {MARK}.", "context": f"to {MARK}"})
        view = await the_view(slack, CAUTION_SENTENCE)
        if trouble == "slack_is_down":
            slack.fail("response_url", drop=True, times=200)
            slack.fail("views.update", status=503, times=200)
        await slack.press(asking, "keep_text")
        await slack.press(answer, "helpful")
        await slack.press(view, "helpful")
        await served.end()

    assert [text for _, text, _ in recorder.texts] == [f"Fine, {MARK}."]
    logged = "\n".join(logging.Formatter().format(record) for record in caplog.records)
    assert "slack kind=keep_text outcome=kept" in logged
    assert "slack kind=vote outcome=up" in logged
    assert not [word for word in (MARK, slack.user) if word in logged]
    assert MARK not in "".join(capfd.readouterr())


async def test_a_refused_request_is_not_logged(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(FakeScreener(marked), "http") as served:
        delivery = await served.slack.command("/angel", f"Fine, {MARK}.")
        await served.slack.redeliver(delivery, secret="guessed")  # what a forger has
        await served.slack.redeliver(delivery, timestamp=1_000_000_000)

    assert "refused=bad_signature" in caplog.text
    assert MARK not in caplog.text
    assert MARK not in "".join(capfd.readouterr())


async def test_what_no_listener_takes_is_not_logged(
    transport: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(FakeScreener(), transport, slack=LocalSlack()) as served:
        await served.slack.command("/devil", f"Fine, {MARK}.")

    assert "outcome=unhandled" in caplog.text
    assert MARK not in caplog.text
    assert MARK not in "".join(capfd.readouterr())


@pytest.mark.parametrize("recorder", [None, FakeRecorder(keeps_text=True)])
async def test_a_draft_rides_in_buttons_of_its_authors_own_answer_only(recorder: FakeRecorder | None) -> None:
    async with serving(FakeScreener(marked), "http", recorder=recorder) as served:
        slack = served.slack
        await slack.command("/angel", f"Fine, {MARK}.")
        await slack.changed(lambda: CAUTION_SENTENCE in "".join(map(seen, slack.ephemerals())))

        assert MARK not in json.dumps(slack.messages(slack.channel))
        assert MARK not in json.dumps(slack.ephemerals(user=slack.other))
        assert [message["seen_by"] for message in slack.ephemerals()] == [slack.user]
