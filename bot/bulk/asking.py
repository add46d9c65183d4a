"""Asking one model about many drafts: a few at once, at a pace that it can take, and again where that helps."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TypeVar

from bot.bulk.pace import FIRST_PAUSE, Pace
from bot.errors import (
    AnswerEmpty,
    AnswerUnusable,
    ModelError,
    ModelMisconfigured,
    ModelRateLimited,
    ModelUnavailable,
)
from bot.screener import Model
from bot.threads import in_thread
from bot.verdict import Draft, Verdict

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")

READ_AHEAD = 4
"""Items taken up for each one that is asked about: a slow one holds up what comes after it in the order, not others."""
DEADLINE = 60.0
"""Seconds for one answer. No person waits for this one; the built-in chat model takes 20 at the most."""
TRIES = 6
"""How often a draft is asked about that the model is late for or turns away. A rate limit says nothing about the draft,
so it does not count: whoever is limited is asked again until the model counts as gone."""

LATE = "late"
"""The error of an answer that did not come within the deadline; the other errors are the codes of `bot.errors`."""

_ONCE_MORE = {AnswerUnusable.code, AnswerEmpty.code, ModelError.code}
THE_MODELS_FAULT = {LATE, *(kind.code for kind in (ModelError, ModelUnavailable, ModelMisconfigured))}
"""Errors that tell of the model or its server and not of the draft, unless the model answers for other drafts."""


@dataclass(frozen=True)
class Answer:
    """What the model made of a draft: a verdict, or the code of an error and the reason in words.

    `seconds` is what the last try took, without the pauses before it.
    """

    verdict: Verdict | None = None
    error: str | None = None
    reason: str | None = None
    seconds: float = 0.0


class Asker:
    """Asks `model`, `at_once` drafts at the most.

    Nobody answers in the model's place here. A draft that the model is late for or turns away is asked about again,
    after pauses that grow from `pause` seconds and with fewer drafts at once. `waiting` is told of each pause: its
    seconds, and why. A model that is gone or broken ends all of it with a ModelError.
    """

    def __init__(
        self,
        model: Model,
        *,
        at_once: int,
        deadline: float = DEADLINE,
        pause: float = FIRST_PAUSE,
        waiting: Callable[[float, str], None] = lambda seconds, why: None,
    ) -> None:
        self._model = model
        self._at_once = at_once
        self._deadline = deadline
        self._pace = Pace(at_once, pause, waiting)

    async def ask(self, draft: Draft) -> Answer:
        """The model's answer. Raises ModelError once the model counts as gone."""
        tries = 0
        while True:
            async with self._pace.turn():
                answer = await self._try(draft)
                if answer.error == ModelRateLimited.code:
                    self._pace.turned_away(answer.reason or "")
                    continue
                tries += 1
                if answer.error in (LATE, ModelUnavailable.code):
                    self._pace.turned_away(answer.reason or "")
                    if tries < TRIES:
                        continue
                elif answer.error in THE_MODELS_FAULT:
                    self._pace.failed(answer.reason or "")
                else:
                    self._pace.answered()
                if answer.error not in _ONCE_MORE or tries > 1:
                    return answer

    def give_up(self, why: str) -> ModelError:
        """Nobody is asked about any more: the error to raise, which every later `ask` raises, too."""
        return self._pace.give_up(why)

    async def _try(self, draft: Draft) -> Answer:
        began = perf_counter()
        asked = in_thread(partial(self._model.check, draft), name="check")
        done, _ = await asyncio.wait({asked}, timeout=self._deadline)
        seconds = perf_counter() - began
        if not done:
            asked.add_done_callback(_forget)
            return Answer(error=LATE, reason=f"{self._model.name} took too long.", seconds=seconds)
        try:
            verdict = asked.result()
            logger.info(
                "check outcome=%s model=%s version=%s ms=%.0f chars=%d",
                verdict.label.value,
                verdict.model,
                verdict.version or "-",
                seconds * 1_000,
                len(draft.text),
            )
            return Answer(verdict, seconds=seconds)
        except ModelError as error:
            logger.info("check model=%s error=%s: %s", self._model.name, error.code, error)
            return Answer(error=error.code, reason=str(error), seconds=seconds)
        except Exception as error:
            # A bug in somebody's model must not end a run of many hours. Its text may hold the draft.
            logger.error("check model=%s raised %s", self._model.name, type(error).__name__)
            return Answer(error=ModelError.code, reason=f"{self._model.name} failed.", seconds=seconds)

    async def in_order(
        self, items: Iterator[Item], work: Callable[[Item], Awaitable[Result]]
    ) -> AsyncGenerator[Result]:
        """The result of `work(item)` for each item, in their order, several at once.

        The items are taken in a thread, since a pipe may keep us waiting for the next one; not many more of them than
        are worked on.
        """
        loop = asyncio.get_running_loop()
        begun: asyncio.Queue[asyncio.Future[tuple[Result] | None]] = asyncio.Queue()
        room = threading.Semaphore(READ_AHEAD * self._at_once)
        over = False

        async def boxed(item: Item) -> tuple[Result]:
            return (await work(item),)

        def begin(item: Item) -> None:
            begun.put_nowait(loop.create_task(boxed(item)))

        def end(error: BaseException | None) -> None:
            last: asyncio.Future[tuple[Result] | None] = loop.create_future()
            if error is None:
                last.set_result(None)
            else:
                last.set_exception(error)
            begun.put_nowait(last)

        def read_ahead() -> None:
            failure: BaseException | None = None
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits for items any more
                try:
                    for item in items:
                        room.acquire()
                        if over:
                            return
                        loop.call_soon_threadsafe(begin, item)
                except Exception as error:  # it goes to whoever waits for the next item
                    failure = error
                loop.call_soon_threadsafe(end, failure)

        # Not an executor's thread: those are joined at exit, and this one may wait for a pipe that nobody writes to.
        threading.Thread(target=read_ahead, name="read-ahead", daemon=True).start()
        try:
            while (result := await (await begun.get())) is not None:
                room.release()
                yield result[0]
        finally:
            over = True
            room.release()
            while not begun.empty():
                left = begun.get_nowait()
                if not left.cancel() and not left.cancelled():
                    left.exception()  # nobody waits for it any more; asking keeps asyncio from printing it


def _forget(call: "asyncio.Future[Verdict]") -> None:
    if not call.cancelled():
        call.exception()  # asking keeps asyncio from printing it
