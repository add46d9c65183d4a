"""A worker process whose model takes its time: `python -m tests.slack.worker TRANSPORT API_URL TOKENS... SECONDS`."""

import asyncio
import logging
import re
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.local_slack.slack import LocalSlack
from bot.slack.http import serve_http
from bot.slack.process import run
from bot.slack.socket_mode import serve_socket_mode
from bot.verdict import Draft, Verdict
from tests.slack.conftest import CAUTION

ROOT = Path(__file__).parents[2]
AT_ONCE = "at once"
"""In a draft on which the model does not take its time."""


@asynccontextmanager
async def worker(
    slack: LocalSlack,
    transport: str,
    seconds: float,
    *,
    descriptors: int = 1_024,
    stderr: int = asyncio.subprocess.PIPE,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker that is ready, with a model that takes `seconds`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.slack.worker", transport, slack.api_url, slack.bot_token, slack.app_token),
        *(slack.signing_secret, str(seconds), "0"),
        cwd=ROOT,
        stderr=stderr,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors)),
    )
    try:
        if transport == "http":
            port = await said(process, r"listening on port (\d+)")
            slack.request_url = f"http://127.0.0.1:{port}/slack/events"
        else:
            await slack.changed(lambda: slack.connections)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def said(process: asyncio.subprocess.Process, pattern: str) -> str:
    """What the pattern's group matched in a line that the process has just logged."""
    assert process.stderr
    while line := (await process.stderr.readline()).decode():
        if found := re.search(pattern, line):
            return found[found.re.groups]
    raise AssertionError(f"it ended without saying {pattern}")


class SlowScreener:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def screen(self, draft: Draft, *, person: str | None = None) -> Verdict:
        if AT_ONCE not in draft.text:
            await asyncio.sleep(self._seconds)
        return CAUTION


def main() -> int:
    transport, url, bot_token, app_token, secret, seconds, port = sys.argv[1:]
    logging.basicConfig(level=logging.INFO)
    screener = SlowScreener(float(seconds))

    async def serving(stop: asyncio.Event) -> None:
        if transport == "http":
            await serve_http(
                screener,
                stop,
                bot_token=bot_token,
                signing_secret=secret,
                slack_url=url,
                host="127.0.0.1",
                port=int(port),
                model_loaded=lambda: True,
            )
        else:
            await serve_socket_mode(screener, stop, bot_token=bot_token, app_token=app_token, slack_url=url)

    return run(serving)


if __name__ == "__main__":
    sys.exit(main())
