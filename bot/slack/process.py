"""The worker as a process: its signals, its start and its end, in which no check is lost."""

import asyncio
import contextlib
import logging
import os
import resource
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_exponential

from bot.errors import SettingsError
from bot.slack.in_flight import InFlight
from bot.slack.quiet import quiet

logger = logging.getLogger(__name__)

END_SECONDS = 25.0
"""To finish in. Heroku kills 30 s after SIGTERM."""
DESCRIPTORS = 4_096
FIRST_PAUSE = 1.0
MAX_PAUSE = 30.0
"""Seconds between two attempts to reach Slack, at first and at most, where Slack does not ask for more."""
MAX_RETRY_AFTER = 300.0
"""Seconds. A longer pause that Slack asks for is cut: whoever waits for a worker should not wait for hours."""

REJECTED = {
    "account_inactive",
    "invalid_auth",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "not_authed",
    "org_login_required",
    "token_expired",
    "token_revoked",
}
"""What Slack says of a token that no retry will help."""


class Ended(Exception):
    """It is time to stop, and what was tried has not succeeded."""


def run(serving: Callable[[asyncio.Event], Awaitable[None]]) -> int:
    """Serves until SIGTERM or SIGINT sets the event that `serving` gets; a second signal ends the process at once.

    Returns the exit code.
    """

    async def main() -> int:
        stop = asyncio.Event()

        def on_signal(number: signal.Signals) -> None:
            if stop.is_set():
                os._exit(128 + number)
            logger.info("%s: finishing what is in hand; once more ends it now", number.name)
            stop.set()

        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_say)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal, number)
        await serving(stop)
        return 0

    _allow_descriptors()
    return asyncio.run(main())


def _say(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What went wrong where nobody waited for it: asyncio's words, and not the exception's, which may be a person's."""
    logger.error("%s (%s)", context.get("message"), type(context.get("exception")).__name__)


def _allow_descriptors() -> None:
    """As many as the system lets the process have, within reason: each check and each connection takes one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def accepted(bot_token: str, slack_url: str, stop: asyncio.Event) -> None:
    """Returns once Slack accepts the bot token. Raises SettingsError where it does not, and Ended at `stop`."""
    if not bot_token:
        return  # each workspace has a token of its own, in the store
    client = AsyncWebClient(token=bot_token, base_url=slack_url, timeout=10, logger=quiet(), retry_handlers=[])
    async for attempt in persistently(stop, "Slack can't be asked about the token"):
        with attempt, rejections_explained("SLACK_BOT_TOKEN"):
            await client.auth_test()


def persistently(stop: asyncio.Event, trouble: str) -> AsyncRetrying:
    """Attempts without end at what only Slack can make succeed, each failure a line in the log after `trouble`.

    The pauses double, up to half a minute; a longer one that Slack asks for is kept, within bounds. Raises Ended at
    `stop`, and SettingsError as it comes.
    """
    doubling = wait_exponential(multiplier=FIRST_PAUSE, max=MAX_PAUSE)

    def pause(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return max(doubling(state), _asked_for(getattr(getattr(error, "response", None), "headers", {})))

    def say(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        logger.warning("%s (%s), trying again in %g s", trouble, kind(error), state.upcoming_sleep)

    async def sleep(seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
            raise Ended

    def worth_it(error: BaseException) -> bool:
        # Not a cancellation, which tenacity would take for a failure like any other.
        return isinstance(error, Exception) and not isinstance(error, SettingsError)

    return AsyncRetrying(wait=pause, before_sleep=say, sleep=sleep, retry=retry_if_exception(worth_it))


async def end(in_flight: InFlight, seconds: float) -> None:
    """Finishes what is in flight within these seconds, or says to whom it concerns that it could not be."""
    if in_flight:
        logger.info("finishing %d checks", len(in_flight))
    await in_flight.end(seconds)
    logger.info("ended")


@contextlib.contextmanager
def rejections_explained(variable: str) -> Iterator[None]:
    """Raises SettingsError, naming the variable, where Slack has said that it does not accept a token."""
    try:
        yield
    except Exception as error:
        code = kind(error)
        if code not in REJECTED:
            raise
        raise SettingsError(
            f"Slack does not accept {variable} ({code}). Copy it again from https://api.slack.com/apps, your app, "
            "and check with `angel doctor`."
        ) from error


def kind(error: BaseException | None) -> str:
    """Slack's error code, else the HTTP status, else the kind of the failure."""
    response = getattr(error, "response", None)
    data = getattr(response, "data", None)
    if isinstance(data, dict) and "error" in data:
        return str(data["error"])
    status = getattr(response, "status_code", None) or getattr(response, "status", None) or getattr(error, "status", 0)
    return f"HTTP {status}" if status else type(error).__name__


def _asked_for(headers: Mapping[str, str]) -> float:
    """The pause that a `Retry-After` asks for, in seconds; 0 where there is none."""
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return min(float(value), MAX_RETRY_AFTER) if value.isascii() and value.isdigit() else 0.0
