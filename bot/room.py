"""Room for so many checks at once, shared fairly: who comes when it is full waits a while, and nobody takes it all."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.errors import Busy, TooManyAtOnce

PER_PERSON = 10
"""Checks of one person at once. More than anybody writes by hand; a script or a stuck key reaches it."""


class Room:
    """`places` checks at once, in the order in which they came; of one person's `per_person`, the waiting ones too."""

    def __init__(self, places: int, per_person: int = PER_PERSON) -> None:
        self._free = asyncio.Semaphore(places)
        self._per_person = per_person
        self._of: Counter[str] = Counter()

    @asynccontextmanager
    async def place(self, person: str | None, seconds: float) -> AsyncIterator[None]:
        """A place for one check of this person, or of nobody in particular.

        Raises TooManyAtOnce, at once, where the person has too many already, and Busy where none is free for `seconds`.
        """
        if person is not None and self._of[person] >= self._per_person:
            raise TooManyAtOnce(
                f"I have {self._per_person} of yours in hand already. "
                "Once you've heard back on one, send me this one again."
            )
        if person is not None:
            self._of[person] += 1
        try:
            try:
                async with asyncio.timeout(seconds):
                    await self._free.acquire()
            except TimeoutError:
                raise Busy("A lot of people are asking me right now. Give me a few seconds and try again.") from None
            try:
                yield
            finally:
                self._free.release()
        finally:
            if person is not None:
                self._of[person] -= 1
                self._of += Counter()  # forgets those at zero
