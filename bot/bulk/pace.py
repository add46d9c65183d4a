"""The pace of a batch: how many rows are asked about at once, and when; and when the model counts as gone."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from bot.errors import ModelError, ModelUnavailable

DEAD_PAUSES = 7
"""Pauses in a row, no row answered in between, after which the model counts as gone: two minutes of them."""
DEAD_ROWS = 10
"""Rows in a row that the model failed on for no reason of theirs, after which it counts as broken."""
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
"""Seconds. OpenAI's limits are counted by the minute."""


class Pace:
    """How many rows are asked about at once, and when: a model that turns one away gets a pause, and half the rows."""

    def __init__(self, most: int, pause: float, waiting: Callable[[float, str], None]) -> None:
        self._most, self._first_pause = most, pause
        self._waiting = waiting
        self._limit = float(most)
        self._pause = pause
        self._until = 0.0
        self._pauses = self._failures = 0  # in a row, nobody answered in between
        self._gone: ModelError | None = None
        self._asking = 0
        self._moved = asyncio.Condition()

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """One row's turn to be asked about. Raises ModelError once the model counts as gone."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._asking < int(self._limit))
            self._asking += 1
        try:
            await asyncio.sleep(self._until - asyncio.get_running_loop().time())
            if self._gone:
                raise self._gone
            yield
        finally:
            self._asking -= 1
            async with self._moved:
                self._moved.notify_all()

    def answered(self) -> None:
        self._pauses = self._failures = 0
        self._limit = min(self._limit + 1 / self._limit, self._most)
        self._pause = max(self._pause / 2, self._first_pause)

    def turned_away(self, why: str) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._until:
            return  # asked before the pause began
        self._pauses += 1
        if self._pauses >= DEAD_PAUSES:
            self.give_up(why)
            return
        self._limit = max(self._limit / 2, 1.0)
        self._until = now + self._pause
        self._waiting(self._pause, why)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def failed(self, why: str) -> None:
        self._failures += 1
        if self._failures >= DEAD_ROWS:
            self.give_up(why)

    def give_up(self, why: str) -> ModelError:
        """Nobody is asked about any more; each turn raises the error that this returns."""
        self._gone = self._gone or ModelUnavailable(why)
        return self._gone
