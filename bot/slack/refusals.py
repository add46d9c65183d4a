"""What the HTTP front has refused, in the log: at once the first time, then counted, so that a flood can't fill it."""

import asyncio
import logging
from collections import Counter

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 10.0


class Refusals:
    """At most two lines for each kind of refusal in each interval, in seconds."""

    def __init__(self, interval: float = INTERVAL_SECONDS) -> None:
        self._interval = interval
        self._counts: Counter[str] = Counter()
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def note(self, why: str) -> None:
        """`why` is one word of ours, and nothing of what was sent."""
        if why in self._timers:
            self._counts[why] += 1
            return
        logger.info("http refused=%s", why)
        self._timers[why] = asyncio.get_running_loop().call_later(self._interval, self._tell, why)

    def close(self) -> None:
        """Tells what has been counted so far."""
        for why, timer in list(self._timers.items()):
            timer.cancel()
            self._tell(why)

    def _tell(self, why: str) -> None:
        del self._timers[why]
        if count := self._counts.pop(why, 0):
            logger.info("http refused=%s count=%d in %g s", why, count, self._interval)


class RefusedByParser(logging.Handler):
    """Takes what aiohttp has to say of a request that is no HTTP, which it would log with a traceback."""

    def __init__(self, refusals: Refusals) -> None:
        super().__init__()
        self._refusals = refusals

    def emit(self, record: logging.LogRecord) -> None:
        self._refusals.note("not_http")
