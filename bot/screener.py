"""One draft in, one verdict out: capacity, deadline, fallback."""

import asyncio
import logging
import time
from functools import partial
from typing import Protocol

from bot.errors import Busy, ModelError
from bot.threads import in_thread
from bot.verdict import Draft, Fallback, Verdict

logger = logging.getLogger(__name__)

FORGET_STUCK_SECONDS = 600.0
"""How long a thread that outlived its deadline counts as stuck. It bounds how fast threads can pile up behind a model
that never answers (as many as there are slots, in that time), and lets that model be tried again."""


class Model(Protocol):
    """What the screener asks. `check` blocks, and raises ModelError where it has no verdict."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str | None: ...

    def check(self, draft: Draft) -> Verdict: ...


class Screener:
    """Asks a model about drafts, in worker threads; the fallback answers where that model fails or is late.

    `concurrency` checks run at once, `deadline` is in seconds.
    """

    def __init__(self, model: Model, fallback: Model, *, concurrency: int = 64, deadline: float = 15.0) -> None:
        self._fallback = fallback
        self._concurrency = concurrency
        self._deadline = deadline
        self._in_flight = 0
        self.swap(model)

    @property
    def model(self) -> Model:
        return self._asked[0]

    def swap(self, model: Model) -> None:
        """Ask `model` from now on; checks in flight end with the one they began with."""
        # One assignment: whoever swaps may do so from another thread.
        self._asked = (model, _Stuck())

    async def screen(self, draft: Draft) -> Verdict:
        """The verdict on one draft, within the deadline. Raises Busy, at once, where every slot is taken."""
        if self._in_flight >= self._concurrency:
            logger.info("check outcome=busy in_flight=%d", self._in_flight)
            raise Busy("A lot of people are asking me right now. Give me a few seconds and try again.")
        self._in_flight += 1
        began = time.monotonic()
        try:
            verdict = await self._verdict(draft)
        finally:
            self._in_flight -= 1
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

    async def _verdict(self, draft: Draft) -> Verdict:
        model, stuck = self._asked
        if model is self._fallback:
            return await in_thread(partial(model.check, draft), name="check")
        if stuck.count() >= self._concurrency:
            logger.warning("model=%s is stuck in %d calls; not asked", model.name, stuck.count())
            return await self._answer_instead(draft, Fallback.LATE)
        asked = in_thread(partial(model.check, draft), name="check")
        try:
            done, _ = await asyncio.wait({asked}, timeout=self._deadline)
        finally:
            if not asked.done():
                stuck.add(asked)
        if not done:
            logger.warning("model=%s gave no answer within %g s", model.name, self._deadline)
            return await self._answer_instead(draft, Fallback.LATE)
        try:
            return asked.result()
        except ModelError as error:
            logger.warning("model=%s error=%s: %s", model.name, error.code, error)
            return await self._answer_instead(draft, Fallback(error.code))
        except Exception as error:
            # A bug in a model, ours or another's, must not cost the person an answer. Its text may hold the draft.
            logger.error("model=%s raised %s at %s", model.name, type(error).__name__, _place(error))
            return await self._answer_instead(draft, Fallback.FAILED)

    async def _answer_instead(self, draft: Draft, why: Fallback) -> Verdict:
        verdict = await in_thread(partial(self._fallback.check, draft), name="check")
        return verdict.model_copy(update={"fallback": why})


class _Stuck:
    """The calls that outlived their deadline and have not come back, as long as they are remembered."""

    def __init__(self) -> None:
        self._since: dict[asyncio.Future[Verdict], float] = {}

    def add(self, call: asyncio.Future[Verdict]) -> None:
        self._since[call] = time.monotonic()
        call.add_done_callback(self._came_back)

    def _came_back(self, call: asyncio.Future[Verdict]) -> None:
        self._since.pop(call, None)
        if not call.cancelled():
            call.exception()  # nobody waits for it any more; asking keeps asyncio from printing it

    def count(self) -> int:
        horizon = time.monotonic() - FORGET_STUCK_SECONDS
        self._since = {call: since for call, since in self._since.items() if since > horizon}
        return len(self._since)


def _place(error: BaseException) -> str:
    """Where an exception was raised, as `module:line`, without anything it says."""
    trace = error.__traceback__
    if trace is None:
        return "?"
    while trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
