"""The requests in hand: one log line each, an answer for each, all finished or told so before the worker ends."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Protocol

from bot.errors import AngelError, Busy, DraftRejected, ModelMisconfigured, SettingsError
from bot.slack import wording
from bot.slack.delivery import Undeliverable
from bot.slack.text import escape
from bot.store.terms import StoreUnavailable

logger = logging.getLogger(__name__)

REMEMBERED = 5_000
"""Requests known by their trigger, so that one delivered twice is done once."""
FAREWELL_SECONDS = 4.0
"""Of the time to end in, what is kept for telling whoever could not be served."""

READ_SECONDS = 0.25
"""From sending an ack until Slack has surely read it."""


class Place(Protocol):
    """Where one request's answers appear."""

    async def say(self, sentence: str, *, again: bool = False) -> None:
        """A sentence of ours, in mrkdwn, for what was there; `again` offers to try once more. Raises Undeliverable."""


Work = Callable[[], Awaitable[str]]
"""Does what was asked and gives the outcome in one word."""


class InFlight:
    """Runs the work of each request once it is acked."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[object], dict[str, str]] = {}
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._ending = False

    def __len__(self) -> int:
        return len(self._tasks)

    async def serve(self, kind: str, trigger_id: str, place: Place, work: Work, **labels: str) -> None:
        """Does the work of one interaction, once however often Slack delivers it, and logs one line about it.

        `labels` stand in that line, too.
        """
        task = asyncio.current_task()
        assert task is not None
        self._tasks[task] = labels
        began = time.monotonic()
        outcome = "bug"
        try:
            outcome = await self.answer(place, work) if self._first_time(trigger_id) else "duplicate"
        except Undeliverable as error:
            outcome = f"undeliverable:{error.reason}"
        finally:
            del self._tasks[task]
            log(kind, outcome, time.monotonic() - began, **labels)

    def note(self, **labels: str) -> None:
        """More for the line about the interaction whose work is being done."""
        task = asyncio.current_task()
        if task in self._tasks:
            self._tasks[task].update(labels)

    async def answer(self, place: Place, work: Work) -> str:
        """The outcome of `work`; whatever goes wrong with it is a kind sentence at `place`. Raises Undeliverable."""
        try:
            return await work()
        except AngelError as error:
            word, sentence = _explained(error)
            await place.say(sentence, again=not isinstance(error, DraftRejected))
            return word
        except Undeliverable:
            raise
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._ending or task is None:
                raise
            task.uncancel()
            await place.say(wording.GOING_AWAY, again=True)
            return "unserved"
        except Exception as error:
            log_bug(error)
            await place.say(wording.BUG, again=True)
            return "bug"

    def _first_time(self, trigger_id: str) -> bool:
        if trigger_id in self._seen:
            return False
        self._seen[trigger_id] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True

    async def end(self, seconds: float) -> None:
        """Waits until everything is finished; what is not by then, less the time to say so, is told so and dropped."""
        deadline = time.monotonic() + seconds
        # Whoever is answered may have asked for more meanwhile.
        while self._tasks and (left := deadline - FAREWELL_SECONDS - time.monotonic()) > 0:
            await asyncio.wait(set(self._tasks), timeout=left)
        if self._tasks:
            self._ending = True
            unserved = set(self._tasks)
            for task in unserved:
                task.cancel()
            await asyncio.wait(unserved, timeout=max(0.0, deadline - time.monotonic()))


def log(kind: str, outcome: str, seconds: float, **labels: str) -> None:
    more = "".join(f" {name}={value}" for name, value in labels.items())
    logger.info("slack kind=%s outcome=%s ms=%.0f%s", kind, outcome, seconds * 1_000, more)


def log_bug(error: BaseException) -> None:
    """By type and place: what an exception says may hold a person's words."""
    trace, place = error.__traceback__, "?"
    while trace:
        place = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
        trace = trace.tb_next
    logger.error("slack bug=%s at=%s", type(error).__name__, place)


def _explained(error: AngelError) -> tuple[str, str]:
    """An outcome, and what the person is told, in mrkdwn: only some of our errors speak to them."""
    match error:
        case DraftRejected():
            return "rejected", escape(str(error))
        case Busy():
            return "busy", escape(str(error))
        case ModelMisconfigured() | SettingsError():
            return "misconfigured", wording.BROKEN
        case StoreUnavailable():
            return "store_unavailable", wording.STORE_DOWN
        case _:
            return "failed", wording.FAILED
