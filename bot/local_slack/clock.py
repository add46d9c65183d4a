"""Time as the local Slack knows it: it can be moved on, so that nothing has to wait for a lifetime to end."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")


class Clock:
    """Runs like the machine's clock and can be advanced; a frozen one passes only when it is."""

    def __init__(self, *, frozen: bool = False) -> None:
        self._frozen_at = time.time() if frozen else None
        self._ahead = 0.0
        self._alarms: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        """Seconds since the epoch."""
        return (time.time() if self._frozen_at is None else self._frozen_at) + self._ahead

    def freeze(self) -> None:
        """From now on, time passes only as it is advanced: nothing times out on a busy machine."""
        if self._frozen_at is None:
            self._frozen_at = time.time()

    def advance(self, seconds: float) -> None:
        """Lets time pass; a negative number goes back, which is for before anything has happened."""
        self._ahead += seconds
        for due, alarm in self._alarms:
            if due <= self.now():
                _ring(alarm)

    async def within(self, awaitable: Awaitable[T], seconds: float) -> T:
        """What `awaitable` gives, or TimeoutError once `seconds` of this clock have passed; it is then cancelled."""
        loop = asyncio.get_running_loop()
        alarm: asyncio.Future[None] = loop.create_future()
        entry = (self.now() + seconds, alarm)
        self._alarms.append(entry)
        timer = None
        if self._frozen_at is None:
            timer = loop.call_later(seconds, _ring, alarm)
        work: asyncio.Future[T] = asyncio.ensure_future(awaitable)
        either: set[asyncio.Future[Any]] = {work, alarm}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise TimeoutError
            return work.result()
        finally:
            work.cancel()
            self._alarms.remove(entry)
            if timer:
                timer.cancel()


def _ring(alarm: asyncio.Future[None]) -> None:
    if not alarm.done():
        alarm.set_result(None)
