"""Whether a model is up. While it is down nobody waits for it, and it is tried with a message that is nobody's."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from bot.verdict import Draft, Fallback, Verdict

logger = logging.getLogger(__name__)

KNOWN = Draft(text="Thanks for helping out with the move this weekend. I really appreciate it.")
"""What a model is asked that nobody waits for. Any verdict will do; an error will not."""

DOWN_AFTER = 2
"""Checks in a row that got no answer. One may be bad luck, and each costs somebody the time until the deadline."""
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0
"""Seconds between two trials of a model that is down."""
FORGET_STUCK_SECONDS = 600.0
"""How long a call that outlived its deadline counts as stuck. It bounds how fast threads can pile up behind a model
that never answers (as many as there are places, in that time), and lets that model be tried again."""

Call = asyncio.Future[Verdict]


class Health:
    """What is known of one model from how its checks ended.

    `trial` asks it KNOWN and says whether it answered in time. `most_stuck` calls that never came back are as many as
    may be left behind. `sleep` is asyncio's, or that of a test.
    """

    def __init__(
        self,
        name: str,
        trial: Callable[[], Awaitable[bool]],
        *,
        most_stuck: int,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._name = name
        self._trial = trial
        self._most_stuck = most_stuck
        self._sleep = sleep
        self._failures = 0
        self._pause = FIRST_PAUSE
        self._why: Fallback | None = None
        self._trying: asyncio.Task[None] | None = None
        self._left: dict[Call, float] = {}

    @property
    def down(self) -> Fallback | None:
        """How it failed last, where it is down."""
        return self._why

    @property
    def stuck(self) -> bool:
        """Whether as many calls as may be have not come back."""
        horizon = time.monotonic() - FORGET_STUCK_SECONDS
        self._left = {call: since for call, since in self._left.items() if since > horizon}
        return len(self._left) >= self._most_stuck

    def answered(self) -> None:
        """Somebody got an answer from its server, of whatever kind."""
        self._failures = 0
        self._pause = FIRST_PAUSE
        self._why = None

    def failed(self, why: Fallback) -> None:
        """Somebody got none."""
        self._failures += 1
        if self._failures >= DOWN_AFTER and self._why is None:
            logger.warning("model=%s is down (%s): not asked until it answers a trial", self._name, why.value)
            self._why = why
            if self._trying is None:
                self._trying = asyncio.get_running_loop().create_task(self._try_until_up())

    def left_behind(self, call: Call) -> None:
        """Nobody waits for this call of it any more."""
        self._left[call] = time.monotonic()
        call.add_done_callback(self._came_back)

    def _came_back(self, call: Call) -> None:
        self._left.pop(call, None)
        if not call.cancelled():
            call.exception()  # nobody waits for it any more; asking keeps asyncio from printing it

    async def _try_until_up(self) -> None:
        while self._why is not None:
            await self._sleep(self._pause)
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            if not self.stuck and await self._trial():
                logger.warning("model=%s is up again", self._name)
                self._why = None
                # One failure more and it is down again, for a longer pause, until somebody has got an answer.
                self._failures = DOWN_AFTER - 1
        self._trying = None
