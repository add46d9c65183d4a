"""The worker: acks under load, trouble on the line, and its end."""

import asyncio
import json
import logging
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from bot.errors import SettingsError
from bot.local_slack.slack import LocalSlack
from bot.screener import Screener
from bot.slack.http import serve_http
from bot.slack.manifest import manifest
from bot.slack.socket_mode import serve_socket_mode
from bot.slack.wording import GOING_AWAY
from bot.verdict import CAUTION_SENTENCE, Draft, Verdict
from tests.slack.conftest import CAUTION, FakeScreener, seen, serving


def answered(slack: LocalSlack, count: int = 1) -> list[dict[str, Any]]:
    """The ephemeral messages with a verdict, once there are so many."""
    found = [message for message in slack.ephemerals() if CAUTION_SENTENCE in seen(message)]
    return found if len(found) >= count else []


# Acks


async def test_a_slow_model_never_delays_an_ack(transport: str) -> None:
    screener = FakeScreener()
    screener.gate.clear()
    async with serving(screener, transport, patience=60) as served:
        slack = served.slack
        deliveries = await asyncio.gather(*(slack.command("/angel", f"Fine. {number}") for number in range(200)))
        assert {delivery.error for delivery in deliveries} == {None}
        assert len(screener.drafts) == 200
        assert slack.ephemerals() == []

        screener.gate.set()

        await slack.changed(lambda: answered(slack, 200), timeout=30)
        assert slack.notices() == []


async def test_a_hundred_commands_at_once_get_a_hundred_answers(transport: str) -> None:
    async with serving(FakeScreener(), transport) as served:
        slack = served.slack
        await asyncio.gather(*(slack.command("/angel", f"Fine. {number}") for number in range(100)))

        assert len(await slack.changed(lambda: answered(slack, 100), timeout=30)) == 100
        assert {draft.text for draft in served.screener.drafts} == {f"Fine. {number}" for number in range(100)}


@dataclass
class BlockingModel:
    """Blocks its thread until `gate` is open, as a model does that waits for its server."""

    name: str = "a-model"
    version: str | None = None
    gate: threading.Event = field(default_factory=threading.Event)

    def check(self, draft: Draft) -> Verdict:
        assert self.gate.wait(60)
        return CAUTION


async def test_past_the_screeners_bound_people_are_told_at_once(transport: str) -> None:
    model = BlockingModel()
    screener = Screener(model, model, concurrency=64, deadline=60)
    async with serving(screener, transport, patience=60) as served:
        slack = served.slack
        deliveries = await asyncio.gather(*(slack.command("/angel", f"Fine. {number}") for number in range(100)))
        assert {delivery.error for delivery in deliveries} == {None}
        busy = await slack.changed(lambda: slack.ephemerals() if len(slack.ephemerals()) == 36 else None)
        assert busy
        assert all("try again" in seen(message) for message in busy)

        model.gate.set()

        await slack.changed(lambda: answered(slack, 64))


async def test_nothing_is_asked_of_slack_before_the_ack() -> None:
    async with serving(FakeScreener(), "http") as served:
        slack = served.slack
        await slack.changed(lambda: any(call.method == "auth.test" for call in slack.calls))
        slack.fail("auth.test", hang=True, times=9)

        assert (await slack.command("/angel", "Fine.")).acked


# Deliveries


async def test_a_delivery_that_comes_twice_is_checked_once(transport: str) -> None:
    async with serving(FakeScreener(), transport) as served:
        slack = served.slack
        delivery = await slack.command("/angel", "Fine.")
        again = await slack.redeliver(delivery)
        await slack.changed(lambda: answered(slack))

        assert again.acked
        assert len(served.screener.drafts) == 1
        assert len(slack.ephemerals()) == 1


async def test_a_wrong_signature_is_refused() -> None:
    async with serving(FakeScreener(), "http") as served:
        delivery = await served.slack.command("/angel", "Fine.")
        forged = await served.slack.redeliver(delivery, secret="guessed")  # what a forger has

        assert (forged.acked, forged.status) == (False, 401)


async def test_a_stale_timestamp_is_refused() -> None:
    async with serving(FakeScreener(), "http") as served:
        delivery = await served.slack.command("/angel", "Fine.")
        replayed = await served.slack.redeliver(delivery, timestamp=time.time() - 301)

        assert (replayed.acked, replayed.status) == (False, 401)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"{", "application/json", 400),
        (b"", "application/x-www-form-urlencoded", 401),
        (b"payload=%7B", "application/x-www-form-urlencoded", 400),
        (b"x" * 1_000_001, "application/x-www-form-urlencoded", 413),
    ],
)
async def test_what_slack_would_not_send_is_refused(body: bytes, content_type: str, status: int) -> None:
    async with serving(FakeScreener(), "http") as served, aiohttp.ClientSession() as client:
        headers = {"Content-Type": content_type}
        async with client.post(f"{served.url}/slack/events", data=body, headers=headers) as response:
            assert response.status == status


async def test_it_is_healthy_and_ready() -> None:
    async with serving(FakeScreener(), "http") as served, aiohttp.ClientSession() as client:
        await served.slack.changed(lambda: any(call.method == "auth.test" for call in served.slack.calls))
        async with client.get(f"{served.url}/healthz") as response:
            assert (response.status, await response.json()) == (200, {"up": True})
        async with client.get(f"{served.url}/readyz") as response:
            assert (response.status, await response.json()) == (200, {"model": True, "slack": True})


async def test_it_is_not_ready_as_long_as_slack_has_not_accepted_its_token() -> None:
    slack = LocalSlack(manifest=manifest())
    slack.fail("auth.test", status=503, times=1_000)
    async with serving(FakeScreener(), "http", slack=slack) as served, aiohttp.ClientSession() as client:
        async with client.get(f"{served.url}/healthz") as response:
            assert response.status == 200
        async with client.get(f"{served.url}/readyz") as response:
            assert (response.status, await response.json()) == (503, {"model": True, "slack": False})


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
    async with serving(FakeScreener(), "http", timeout=0.3) as served:
        slack = served.slack
        slack.fail(method, **trouble)
        if method == "response_url":
            await slack.command("/angel", "Fine.")
            await slack.changed(lambda: answered(slack))
        else:
            parent = slack.post("Who does it?")
            await slack.message_shortcut("check_message", slack.post("Fine.", thread_ts=parent["ts"]))
            await slack.changed(lambda: slack.view() and CAUTION_SENTENCE in seen(slack.view()))


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


# The line to Slack


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_a_refreshed_connection_loses_no_check(reason: str) -> None:
    screener = FakeScreener()
    screener.gate.clear()
    async with serving(screener, "socket_mode") as served:
        slack = served.slack
        before = await asyncio.gather(*(slack.command("/angel", f"Fine. {number}") for number in range(20)))
        meanwhile = [asyncio.ensure_future(slack.command("/angel", f"Fine. {number}")) for number in range(20, 40)]
        while not screener.drafts[20:]:
            screener.asked.clear()
            await screener.asked.wait()
        await slack.disconnect(reason)
        await slack.changed(lambda: _opened(slack) >= 2 and slack.connections)
        after = await slack.command("/angel", "Fine. 40")
        deliveries = [*before, *await asyncio.gather(*meanwhile), after]
        screener.gate.set()

        await slack.changed(lambda: answered(slack, 41), timeout=20)
        assert {delivery.error for delivery in deliveries} == {None}


async def test_a_dropped_line_is_taken_up_again_and_its_checks_are_answered() -> None:
    screener = FakeScreener()
    screener.gate.clear()
    async with serving(screener, "socket_mode") as served:
        slack = served.slack
        await slack.command("/angel", "Fine. 1")
        slack.drop_connections()
        await slack.changed(lambda: _opened(slack) >= 2 and slack.connections)
        await slack.command("/angel", "Fine. 2")
        screener.gate.set()

        await slack.changed(lambda: answered(slack, 2))


async def test_a_token_revoked_meanwhile_ends_it_with_what_is_in_hand_answered() -> None:
    screener = FakeScreener()
    screener.gate.clear()
    with pytest.raises(SettingsError, match="SLACK_APP_TOKEN"):  # noqa: PT012  # raised as the worker is awaited
        async with serving(screener, "socket_mode") as served:
            slack = served.slack
            await slack.command("/angel", "Fine.")
            slack.fail("apps.connections.open", error="token_revoked")
            await slack.disconnect("refresh_requested")
            await slack.changed(lambda: _opened(slack) >= 2)
            screener.gate.set()
            await asyncio.wait({served.worker})
            assert answered(slack)


async def test_a_slack_that_is_down_for_a_while_is_connected_to_when_it_is_back() -> None:
    slack = LocalSlack(manifest=manifest())
    slack.fail("apps.connections.open", status=503, times=1)
    slack.fail("auth.test", drop=True, times=1)
    async with serving(FakeScreener(), "socket_mode", slack=slack) as served:
        await served.slack.command("/angel", "Fine.")
        await slack.changed(lambda: answered(slack))


def _opened(slack: LocalSlack) -> int:
    return len([call for call in slack.calls if call.method == "apps.connections.open"])


async def test_over_http_too_a_token_that_slack_does_not_accept_ends_it() -> None:
    async with LocalSlack(manifest=manifest()) as slack:
        with pytest.raises(SettingsError, match="SLACK_BOT_TOKEN"):
            await serve_http(
                FakeScreener(),
                asyncio.Event(),
                bot_token="xoxb-no-more",  # of nobody
                signing_secret=slack.signing_secret,
                host="127.0.0.1",
                port=0,
                model_loaded=lambda: True,
                slack_url=slack.api_url,
            )


@pytest.mark.parametrize("token", ["bot_token", "app_token"])
async def test_a_token_that_slack_does_not_accept_ends_it_and_says_which(token: str) -> None:
    async with LocalSlack(manifest=manifest()) as slack:
        tokens: dict[str, Any] = {"bot_token": slack.bot_token, "app_token": slack.app_token}
        tokens[token] += "-no-more"
        with pytest.raises(SettingsError, match=f"SLACK_{token.upper()} \\(invalid_auth"):
            await serve_socket_mode(FakeScreener(), asyncio.Event(), slack_url=slack.api_url, **tokens)


async def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"Port {port} can't be had"):
            await serve_http(
                FakeScreener(),
                asyncio.Event(),
                bot_token="xoxb-1",  # of nobody
                signing_secret="secret",  # the same
                host="127.0.0.1",
                port=port,
                model_loaded=lambda: True,
                slack_url="http://127.0.0.1:9/api/",
            )


# The end


async def test_what_is_in_hand_is_finished_before_the_end(transport: str) -> None:
    screener = FakeScreener()
    screener.gate.clear()
    async with serving(screener, transport) as served:
        slack = served.slack
        await asyncio.gather(*(slack.command("/angel", f"Fine. {number}") for number in range(10)))
        served.stop.set()
        if transport == "socket_mode":
            await slack.changed(lambda: not slack.connections)
        assert not served.worker.done()
        screener.gate.set()
        await served.worker

        assert len(answered(slack, 10)) == 10


@pytest.mark.parametrize("way", ["command", "thread", "composer"])
async def test_whoever_could_not_be_served_is_told(transport: str, way: str) -> None:
    screener = FakeScreener()
    screener.gate.clear()
    async with serving(screener, transport, end_seconds=4.2) as served:
        slack = served.slack
        if way == "command":
            await slack.command("/angel", "Fine.")
        elif way == "thread":
            parent = slack.post("Who does it?")
            await slack.message_shortcut("check_message", slack.post("Fine.", thread_ts=parent["ts"]))
        else:
            await slack.global_shortcut("write_with_angel")
            view = await slack.changed(lambda: slack.view())
            assert view
            await slack.submit(view, {"draft": "Fine. Keep this."})
        await screener.asked.wait()
        await served.end()

        shown = [*slack.ephemerals(), *slack.views()]
        assert [GOING_AWAY in seen(each) for each in shown] == [True]
        if way == "composer":
            assert "Keep this." in json.dumps(slack.state(shown[0]))


async def test_what_nobody_can_be_told_does_not_hold_up_the_end() -> None:
    screener = FakeScreener()
    screener.gate.clear()
    async with serving(screener, "http", end_seconds=4.2, timeout=0.2) as served:
        await served.slack.command("/angel", "Fine.")
        served.slack.fail("response_url", hang=True, times=100)

        await served.end()
