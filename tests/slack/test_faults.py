"""What a person sees, and what is lost, when Slack or the process fails."""

import logging
from typing import Any

import pytest

from bot.verdict import CAUTION_SENTENCE
from tests.slack.conftest import FakeScreener, answered, seen, serving

# Answers that do not get through at once


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 500},
        {"status": 503, "times": 2},
        {"retry_after": 0},
        {"drop": True},
        {"hang": True},
    ],
)
@pytest.mark.parametrize("method", ["response_url", "views.open", "views.update"])
async def test_an_answer_that_fails_is_tried_again(method: str, trouble: dict[str, Any]) -> None:
    # Short where it is waited for; long enough for a busy machine to answer the next attempt in.
    timeout = 1.0 if "hang" in trouble else 10.0
    async with serving(FakeScreener(), "http", timeout=timeout) as served:
        slack = served.slack
        slack.fail(method, **trouble)
        if method == "response_url":
            await slack.command("/angel", "Fine.")
            await slack.changed(lambda: answered(slack))
        else:
            parent = slack.post("Who does it?")
            await slack.message_shortcut("check_message", slack.post("Fine.", thread_ts=parent["ts"]))
            await slack.changed(lambda: slack.view() and "may sting" in seen(slack.view()))


async def test_an_answer_that_never_gets_through_is_given_up_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bot")
    async with serving(FakeScreener(), "http") as served:
        slack = served.slack
        slack.fail("response_url", status=500, times=100)
        await slack.command("/angel", "Fine.")
        await served.end()

        assert len([call for call in slack.calls if call.method == "response_url"]) == 4
        assert "kind=command outcome=undeliverable:500" in caplog.text


async def test_a_used_up_response_url_is_not_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bot")
    async with serving(FakeScreener(), "http") as served:
        slack = served.slack
        slack.fail("response_url", status=404, error="used_url", times=100)
        await slack.command("/angel", "Fine.")
        await served.end()

        assert len([call for call in slack.calls if call.method == "response_url"]) == 1
        assert "outcome=undeliverable:404" in caplog.text


@pytest.mark.parametrize("status", [400, 500])
async def test_an_answer_whose_blocks_slack_does_not_take_comes_as_words(status: int) -> None:
    async with serving(FakeScreener(), "http") as served:
        slack = served.slack
        slack.fail("response_url", status=status, error="invalid_blocks")
        await slack.command("/angel", "Fine.")
        answers = await slack.changed(lambda: slack.ephemerals())

        assert answers[0]["text"].startswith(CAUTION_SENTENCE)


async def test_every_request_has_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bot")
    async with serving(FakeScreener(), "http") as served:
        await served.slack.command("/angel", "Fine.")
        await served.slack.global_shortcut("write_with_angel")
        await served.end()

    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("slack kind=")]
    assert sorted(line.split(" ms=")[0] for line in lines) == [
        "slack kind=command outcome=caution",
        "slack kind=write_with_angel outcome=opened",
    ]
