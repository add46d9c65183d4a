"""What a person sees, and what is lost, when Slack or the process fails."""

import asyncio
import logging
import os
import time
from types import SimpleNamespace
from typing import Any

import pytest

from bot.local_slack.slack import Clock, LocalSlack
from bot.slack import wording
from bot.slack.manifest import manifest
from bot.slack.socket_mode import serve_socket_mode
from bot.verdict import CAUTION_SENTENCE
from tests.slack.conftest import FakeScreener, answered, seen, serving
from tests.slack.worker import AT_ONCE, worker

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

    (check,) = [line for line in caplog.messages if "kind=command" in line]
    assert check.endswith(" model=a-model version=3 chars=5"), "and tells of the check"
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("slack kind=")]
    assert sorted(line.split(" ms=")[0] for line in lines) == [
        "slack kind=command outcome=caution",
        "slack kind=write_with_angel outcome=opened",
    ]


# What is shown where an answer can't be


@pytest.mark.parametrize(
    "trouble", [{"error": "expired_trigger_id"}, {"status": 500, "times": 100}, {"hang": True, "times": 100}], ids=str
)
async def test_whoever_cannot_have_the_composer_is_told(trouble: dict[str, Any]) -> None:
    async with serving(FakeScreener(), "http", timeout=0.2) as served:
        served.slack.fail("views.open", **trouble)
        await served.slack.command("/angel")
        answers = await served.slack.changed(lambda: served.slack.ephemerals())

        assert wording.OPENED_LATE in seen(answers[0])


async def test_an_answer_that_hangs_is_given_up_and_delays_no_ack(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bot")
    async with serving(FakeScreener(), "http", timeout=0.2) as served:
        served.slack.fail("response_url", hang=True, times=100)
        deliveries = await asyncio.gather(*(served.slack.command("/angel", f"Fine. {number}") for number in range(20)))
        await served.end()

    assert {delivery.error for delivery in deliveries} == {None}
    assert caplog.text.count("kind=command outcome=undeliverable:TimeoutError") == 20


# The line


@pytest.mark.parametrize("how", ["dropped", "link_disabled"])
async def test_a_line_that_goes_in_the_middle_of_a_check_costs_nothing(how: str) -> None:
    screener = FakeScreener()
    screener.gate.clear()
    async with serving(screener, "socket_mode") as served:
        await served.slack.command("/angel", "Fine.")
        if how == "dropped":
            served.slack.drop_connections()
        else:
            await served.slack.disconnect("link_disabled")
        screener.gate.set()

        await served.slack.changed(lambda: answered(served.slack))


# The clock


@pytest.mark.parametrize("jump", [86_400, -86_400])
async def test_a_clock_that_jumps_in_the_middle_of_a_check_costs_nothing(
    transport: str, jump: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    screener, clock = FakeScreener(), time.time
    screener.gate.clear()
    slack = LocalSlack(manifest=manifest(), clock=Clock(frozen=True))  # ours jumps, Slack's does not
    async with serving(screener, transport, slack=slack) as served:
        await slack.command("/angel", "Fine.")
        monkeypatch.setattr(time, "time", lambda: clock() + jump)
        screener.gate.set()

        await served.slack.changed(lambda: answered(served.slack))


async def test_a_clock_that_is_off_is_said_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bot")
    ours = SimpleNamespace(time=lambda: time.time() + 600, monotonic=time.monotonic)
    async with serving(FakeScreener(), "http") as served:
        monkeypatch.setattr("bot.slack.http.time", ours)
        delivery = await served.slack.command("/angel", "Fine.")

    assert delivery.error == "http_client_error"
    assert "http refused=stale" in caplog.messages


# Workers


async def test_two_workers_share_the_work_of_one_app_and_one_may_go() -> None:
    other, stop = FakeScreener(), asyncio.Event()
    async with serving(FakeScreener(), "socket_mode") as served:
        slack = served.slack
        serve = serve_socket_mode(
            other, stop, bot_token=slack.bot_token, app_token=slack.app_token, slack_url=slack.api_url
        )
        second = asyncio.ensure_future(serve)
        await slack.changed(lambda: slack.connections == 2)
        deliveries = await asyncio.gather(*(slack.command("/angel", f"Fine. {number}") for number in range(20)))
        stop.set()
        await second
        deliveries += await asyncio.gather(*(slack.command("/angel", f"Fine. {number}") for number in range(20, 40)))
        await slack.changed(lambda: answered(slack, 40))

    assert {delivery.error for delivery in deliveries} == {None}
    assert len(served.screener.drafts) + len(other.drafts) == 40
    assert len(other.drafts) == 10


async def test_a_worker_that_is_killed_loses_what_was_in_flight_and_nothing_else() -> None:
    async with LocalSlack(manifest=manifest()) as slack:
        async with worker(slack, "socket_mode", 60) as process:
            for number in range(5):
                await slack.command("/angel", f"Fine. {number} {AT_ONCE}")
            await slack.changed(lambda: answered(slack, 5))
            in_flight = [await slack.command("/angel", f"Fine. Slow {number}") for number in range(3)]
            process.kill()
            await slack.changed(lambda: not slack.connections)
        async with worker(slack, "socket_mode", 60):
            after = await slack.command("/angel", f"Fine. After {AT_ONCE}")
            await slack.changed(lambda: answered(slack, 6))

    assert {delivery.error for delivery in (*in_flight, after)} == {None}
    assert len(slack.ephemerals()) == 6


async def test_a_full_disk_under_the_log_costs_nobody_an_answer() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        async with LocalSlack(manifest=manifest()) as slack, worker(slack, "socket_mode", 0, stderr=full) as process:
            for number in range(3):
                assert (await slack.command("/angel", f"Fine. {number}")).acked
            await slack.changed(lambda: answered(slack, 3))
            process.terminate()

            assert await process.wait() == 0
    finally:
        os.close(full)
