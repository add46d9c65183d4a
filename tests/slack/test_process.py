"""The worker as a process, and the signals that end it."""

import asyncio
import signal
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import aiohttp
import pytest

from bot.local_slack.slack import LocalSlack
from bot.slack.manifest import manifest
from bot.verdict import CAUTION_SENTENCE
from tests.slack.conftest import seen
from tests.slack.worker import said, worker


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_once_all_in_flight_is_answered(transport: str, number: signal.Signals) -> None:
    async with LocalSlack(manifest=manifest()) as slack, worker(slack, transport, 0.5) as process:
        deliveries = await asyncio.gather(*(slack.command("/angel", f"Fine. {each}") for each in range(10)))
        process.send_signal(number)
        await said(process, "finishing 10 checks")

        assert await process.wait() == 0
        assert all(delivery.acked for delivery in deliveries)
        assert [CAUTION_SENTENCE in seen(answer) for answer in slack.ephemerals()] == [True] * 10


async def test_a_second_signal_ends_it_now(transport: str) -> None:
    async with LocalSlack(manifest=manifest()) as slack, worker(slack, transport, 60) as process:
        await slack.command("/angel", "Fine.")
        process.terminate()
        await said(process, "once more ends it now")
        process.terminate()

        assert await process.wait() == 128 + signal.SIGTERM


async def test_idle_connections_take_nothing_from_anybody() -> None:
    """More connections than the process may have descriptors."""
    async with (
        LocalSlack(manifest=manifest()) as slack,
        worker(slack, "http", 0, descriptors=128) as process,
        AsyncExitStack() as stack,
    ):
        assert slack.request_url
        url = urlsplit(slack.request_url)
        for _ in range(160):
            _, writer = await asyncio.open_connection(url.hostname, url.port)
            stack.callback(writer.close)
        async with aiohttp.ClientSession() as client:
            for _ in range(10):
                async with client.get(f"http://{url.netloc}/healthz", headers={"Connection": "close"}) as response:
                    assert response.status == 200
        delivery = await slack.command("/angel", "Fine.")
        assert delivery.acked
        await slack.changed(lambda: slack.ephemerals())
        process.terminate()
        assert process.stderr
        assert len(await process.stderr.read()) < 1_000, "and write nothing into the log"
