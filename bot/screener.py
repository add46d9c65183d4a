"""One draft in, one verdict out: room, deadline, fallback."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from bot.errors import Busy, ModelError, ModelRateLimited, ModelUnavailable, TooManyAtOnce
from bot.health import KNOWN, Health
from bot.room import Room
from bot.threads import in_thread
from bot.verdict import Draft, Fallback, Verdict

logger = logging.getLogger(__name__)

ROOM_SHARE = 0.5
"""Of the deadline, how long a check waits for room at the most. What is left is the model's."""

TURN_SECONDS, QUIET_SECONDS = 0.02, 0.002
"""How long a check that begins lets others go first, at the most, and how long the loop takes for what is ready when
it is quiet."""


class Model(Protocol):
    """What the screener asks. `check` blocks, and raises ModelError where it has no verdict."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str | None: ...

    def check(self, draft: Draft) -> Verdict: ...


class Screener:
    """Asks a model about drafts, in worker threads; the fallback answers where that model fails, is late or is down.

    `concurrency` checks run at once, `deadline` is in seconds. `sleep` is asyncio's, or that of a test.
    """

    def __init__(
        self,
        model: Model,
        fallback: Model,
        *,
        concurrency: int = 256,
        deadline: float = 15.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._fallback = fallback
        self._concurrency = concurrency
        self._deadline = deadline
        self._sleep = sleep
        self._room = Room(concurrency)
        self._turn = asyncio.Lock()
        self._asked = (model, self._health_of(model))

    @property
    def model(self) -> Model:
        return self._asked[0]

    def swap(self, model: Model) -> None:
        """Ask `model` from now on; checks in flight end with the one they began with."""
        # One assignment: whoever swaps may do so from another thread.
        self._asked = (model, self._health_of(model))

    async def screen(self, draft: Draft, *, person: str | None = None) -> Verdict:
        """The verdict on one draft, within the deadline; `person` is whose it is.

        Raises Busy where no place gets free in time, and, at once, where this person has too many checks in hand.
        """
        began = time.monotonic()
        try:
            async with self._room.place(person, self._deadline * ROOM_SHARE):
                await self._acks_first()
                verdict = await self._verdict(draft, began + self._deadline)
        except Busy as error:
            outcome = "too_many_at_once" if isinstance(error, TooManyAtOnce) else "busy"
            logger.info("check outcome=%s ms=%.0f", outcome, (time.monotonic() - began) * 1_000)
            raise
        logger.info(
            "check outcome=%s fallback=%s model=%s version=%s ms=%.0f chars=%d tokens_in=%s tokens_out=%s",
            verdict.label.value,
            verdict.fallback.value if verdict.fallback else "-",
            verdict.model,
            verdict.version or "-",
            (time.monotonic() - began) * 1_000,
            len(draft.text),
            "-" if verdict.input_tokens is None else verdict.input_tokens,
            "-" if verdict.output_tokens is None else verdict.output_tokens,
        )
        return verdict

    async def _acks_first(self) -> None:
        """Returns in one's turn, once the event loop is quiet, or after TURN_SECONDS.

        A check takes the interpreter for milliseconds as it begins. Where hundreds arrive at once, the acks that wait
        in the loop would come after all of them.
        """
        async with self._turn:
            until = time.monotonic() + TURN_SECONDS
            while (before := time.monotonic()) < until:
                await asyncio.sleep(0)  # everything that is ready has its turn
                if time.monotonic() - before < QUIET_SECONDS:
                    return

    async def _verdict(self, draft: Draft, until: float) -> Verdict:
        model, health = self._asked
        if model is self._fallback:
            return await _asked(model, draft)
        if health.stuck:
            return await self._answer_instead(draft, Fallback.LATE)
        if health.down:
            return await self._answer_instead(draft, health.down)
        try:
            verdict = await self._in_time(model, health, draft, until)
        except ModelError as error:
            logger.warning("model=%s error=%s: %s", model.name, error.code, error)
            why = Fallback(error.code)
            # Who is told to ask less often has a server that is up.
            if isinstance(error, ModelUnavailable) and not isinstance(error, ModelRateLimited):
                health.failed(why)
            else:
                health.answered()
        except TimeoutError:
            logger.warning("model=%s gave no answer within %g s", model.name, self._deadline)
            why = Fallback.LATE
            health.failed(why)
        except Exception as error:
            # A bug in a model, ours or another's, must not cost the person an answer. Its text may hold the draft.
            logger.error("model=%s raised %s at %s", model.name, type(error).__name__, _place(error))
            why = Fallback.FAILED
        else:
            health.answered()
            return verdict
        return await self._answer_instead(draft, why)

    async def _in_time(self, model: Model, health: Health, draft: Draft, until: float) -> Verdict:
        """The model's verdict. Raises TimeoutError where it comes after `until`, and what the model raises."""
        call = _asked(model, draft)
        try:
            done, _ = await asyncio.wait({call}, timeout=until - time.monotonic())
        finally:
            if not call.done():
                health.left_behind(call)
            elif not call.cancelled():
                call.exception()  # looked at, so that asyncio does not print it where nobody waits any more
        if not done:
            raise TimeoutError
        return call.result()

    async def _answer_instead(self, draft: Draft, why: Fallback) -> Verdict:
        verdict = await _asked(self._fallback, draft)
        return verdict.model_copy(update={"fallback": why})

    def _health_of(self, model: Model) -> Health:
        async def trial() -> bool:
            if self._asked[1] is not health:
                raise asyncio.CancelledError  # another model is asked by now
            try:
                await self._in_time(model, health, KNOWN, time.monotonic() + self._deadline)
            except Exception:
                return False  # it is down, as everybody has been told
            return True

        health = Health(model.name, trial, most_stuck=self._concurrency, sleep=self._sleep)
        return health


def _asked(model: Model, draft: Draft) -> asyncio.Future[Verdict]:
    return in_thread(partial(model.check, draft), name="check")


def _place(error: BaseException) -> str:
    """Where an exception was raised, as `module:line`, without anything it says."""
    trace = error.__traceback__
    if trace is None:
        return "?"
    while trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
