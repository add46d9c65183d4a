"""A worker process whose model takes its time: `python -m tests.slack.worker TRANSPORT API_URL TOKENS... SECONDS`."""

import asyncio
import logging
import sys

from bot.slack.http import serve_http
from bot.slack.process import run
from bot.slack.socket_mode import serve_socket_mode
from bot.verdict import Draft, Verdict
from tests.slack.conftest import CAUTION


class SlowScreener:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def screen(self, draft: Draft, *, person: str | None = None) -> Verdict:
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
