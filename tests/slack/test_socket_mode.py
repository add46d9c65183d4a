"""The line to Slack."""

import asyncio
import logging
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import SettingsError
from bot.local_slack.slack import LocalSlack
from bot.slack.manifest import manifest
from bot.slack.process import end
from bot.slack.socket_mode import serve_socket_mode
from tests.slack.conftest import FakeScreener, answered, serving


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts to connect follow one another without pauses that a test would have to wait for."""
    monkeypatch.setattr("bot.slack.process.FIRST_PAUSE", 0.01)


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

        await slack.changed(lambda: answered(slack, 41))
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


# A connection that goes


async def test_what_was_read_is_acked_before_a_connection_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.slack.socket_mode.ARRIVING_SECONDS", 0.0)
    async with serving(FakeScreener(), "socket_mode") as served:
        command = asyncio.ensure_future(served.slack.command("/angel", "Fine."))
        await served.screener.asked.wait()  # the ack follows a few milliseconds later
        await served.end()

        assert (await command).acked


async def test_an_ack_that_can_no_longer_be_sent_goes_over_the_next_connection() -> None:
    async with serving(FakeScreener(), "socket_mode") as served:
        command = asyncio.ensure_future(served.slack.command("/angel", "Fine."))
        await served.screener.asked.wait()
        await served.slack.disconnect("refresh_requested", acks=False)

        assert (await command).acked
        assert _opened(served.slack) == 2


async def test_what_slack_sent_before_it_closed_is_read_and_acked() -> None:
    async with serving(FakeScreener(), "socket_mode") as served:
        slack = served.slack
        with slack.subscribe() as events:
            commands = [asyncio.ensure_future(slack.command("/angel", f"Fine. {number}")) for number in range(20)]
            sent = 0
            async for event in events:
                sent += event["type"] == "delivery"
                if sent == len(commands):
                    break
        for _ in range(5):  # they are on their way now
            await asyncio.sleep(0)
        await slack.disconnect("refresh_requested", acks=False)
        deliveries = await asyncio.gather(*commands)

        assert {delivery.error for delivery in deliveries} == {None}
        await slack.changed(lambda: answered(slack, 20))


async def test_a_connection_that_was_warned_listens_on_for_a_while() -> None:
    async with serving(FakeScreener(), "socket_mode", linger_seconds=0.5) as served:
        slack = served.slack
        await slack.disconnect("warning")
        await slack.changed(lambda: slack.connections == 2)
        deliveries = [await slack.command("/angel", f"Fine. {number}") for number in range(10)]

        assert slack.connections == 2, "half of them have come over the old one"
        assert {delivery.error for delivery in deliveries} == {None}
        await slack.changed(lambda: slack.connections == 1)


async def test_a_connection_that_was_warned_listens_while_there_is_no_next_one() -> None:
    async with serving(FakeScreener(), "socket_mode") as served:
        slack = served.slack
        slack.fail("apps.connections.open", status=503, times=2)
        slack.fail("link", status=503, times=2)
        await slack.disconnect("warning")
        await slack.changed(lambda: _opened(slack) >= 3)
        await slack.disconnect("warning")
        deliveries = [await slack.command("/angel", f"Fine. {number}") for number in range(5)]

        assert {delivery.error for delivery in deliveries} == {None}
        await slack.changed(lambda: slack.connections == 2)


async def test_the_time_that_closing_takes_is_part_of_the_time_to_end_in(monkeypatch: pytest.MonkeyPatch) -> None:
    left = []

    async def noted(in_flight: Any, seconds: float) -> None:
        left.append(seconds)
        await end(in_flight, seconds)

    monkeypatch.setattr("bot.slack.socket_mode.end", noted)
    async with serving(FakeScreener(), "socket_mode", end_seconds=10.0) as served:
        await served.end()

    assert [0 < 10.0 - seconds < 10.0 for seconds in left] == [True]


# A next one that does not come at once


@pytest.mark.parametrize(("asked", "paused"), [(7, 7), (100_000, 300)])
async def test_a_pause_that_slack_asks_for_is_kept_within_bounds(
    asked: int, paused: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with LocalSlack(manifest=manifest()) as slack:
        slack.fail("apps.connections.open", retry_after=asked)
        stop, said = asyncio.Event(), _Said(f"no connection to Slack (ratelimited), trying again in {paused} s")
        logging.getLogger("bot.slack.process").addHandler(said)
        serve = serve_socket_mode(
            FakeScreener(),
            stop,
            bot_token=slack.bot_token,
            app_token=slack.app_token,
            slack_url=slack.api_url,
        )
        worker = asyncio.ensure_future(serve)
        await said.event.wait()
        logging.getLogger("bot.slack.process").removeHandler(said)
        stop.set()
        await worker


class _Said(logging.Handler):
    """Sets `event` once this line is logged."""

    def __init__(self, line: str) -> None:
        super().__init__()
        self.event = asyncio.Event()
        self._line = line

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == self._line:
            self.event.set()


@pytest.mark.parametrize(
    "trouble",
    [
        {"what": "link", "status": 503, "times": 3},
        {"what": "link", "drop": True},
        {"what": "link", "hang": True},
        {"what": "apps.connections.open", "hang": True},
        {"what": "apps.connections.open", "drop": True},
        {"what": "apps.connections.open", "retry_after": 0, "times": 3},
        {"what": "apps.connections.open", "error": "internal_error"},
    ],
    ids=str,
)
async def test_whatever_keeps_a_connection_from_standing_it_is_tried_again(
    trouble: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.socket_mode.CONNECT_SECONDS", 0.5)
    slack = LocalSlack(manifest=manifest())
    slack.fail(**trouble)
    async with serving(FakeScreener(), "socket_mode", slack=slack) as served:
        assert (await served.slack.command("/angel", "Fine.")).acked


async def test_a_connection_to_which_slack_says_no_hello_does_not_stand(caplog: pytest.LogCaptureFixture) -> None:
    async with LocalSlack(manifest=manifest()) as slack, aiohttp.ClientSession() as session:
        others = []
        for _ in range(10):
            opened = await AsyncWebClient(base_url=slack.api_url).apps_connections_open(app_token=slack.app_token)
            others.append(await session.ws_connect(str(opened["url"])))
        stop = asyncio.Event()
        serve = serve_socket_mode(
            FakeScreener(), stop, bot_token=slack.bot_token, app_token=slack.app_token, slack_url=slack.api_url
        )
        worker = asyncio.ensure_future(serve)
        await slack.changed(lambda: _opened(slack) >= 13)  # Slack allows ten, and this is one more
        for other in others:
            await other.close()
        await slack.changed(lambda: slack.connections == 1)
        assert (await slack.command("/angel", "Fine.")).acked
        stop.set()
        await worker

    assert "no connection to Slack (ConnectionError), trying again in" in caplog.text


async def test_an_app_whose_socket_mode_is_switched_off_is_told_so(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(FakeScreener(), "socket_mode") as served:
        await served.slack.disconnect("link_disabled")
        await served.slack.changed(lambda: _opened(served.slack) >= 2 and served.slack.connections)

    assert "Socket Mode is switched off for the app" in caplog.text


async def test_an_event_that_nobody_handles_is_acked(transport: str) -> None:
    subscribed = manifest()
    subscribed["settings"]["event_subscriptions"] = {"bot_events": ["app_home_opened", "app_uninstalled"]}
    async with serving(FakeScreener(), transport, slack=LocalSlack(manifest=subscribed)) as served:
        slack = served.slack
        await slack.changed(lambda: any(call.method == "auth.test" for call in slack.calls))
        with slack.subscribe() as events:
            slack.uninstall()
            async for event in events:
                if event["type"] == "ack":
                    break

        assert (event["kind"], event["error"]) == ("events_api", None)


def _opened(slack: LocalSlack) -> int:
    return len([call for call in slack.calls if call.method == "apps.connections.open"])


@pytest.mark.parametrize("token", ["bot_token", "app_token"])
async def test_a_token_that_slack_does_not_accept_ends_it_and_says_which(token: str) -> None:
    async with LocalSlack(manifest=manifest()) as slack:
        tokens: dict[str, Any] = {"bot_token": slack.bot_token, "app_token": slack.app_token}
        tokens[token] += "-no-more"
        with pytest.raises(SettingsError, match=f"SLACK_{token.upper()} \\(invalid_auth"):
            await serve_socket_mode(FakeScreener(), asyncio.Event(), slack_url=slack.api_url, **tokens)
