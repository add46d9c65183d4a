"""The line to Slack."""

import asyncio
from typing import Any

import pytest

from bot.errors import SettingsError
from bot.local_slack.slack import LocalSlack
from bot.slack.manifest import manifest
from bot.slack.socket_mode import serve_socket_mode
from tests.slack.conftest import FakeScreener, answered, serving


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


@pytest.mark.parametrize("token", ["bot_token", "app_token"])
async def test_a_token_that_slack_does_not_accept_ends_it_and_says_which(token: str) -> None:
    async with LocalSlack(manifest=manifest()) as slack:
        tokens: dict[str, Any] = {"bot_token": slack.bot_token, "app_token": slack.app_token}
        tokens[token] += "-no-more"
        with pytest.raises(SettingsError, match=f"SLACK_{token.upper()} \\(invalid_auth"):
            await serve_socket_mode(FakeScreener(), asyncio.Event(), slack_url=slack.api_url, **tokens)
