"""The batch: every row of the input asked about, a few at once, again where it helps, and written in its turn."""

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.bulk.pace import FIRST_PAUSE, Pace
from bot.bulk.records import Outcome
from bot.bulk.results import Results
from bot.bulk.rows import BatchError, Row, Table
from bot.errors import Busy, DraftRejected, ModelError
from bot.screener import Model, Screener
from bot.verdict import Draft, Fallback, Label, Tone, Verdict

READ_AHEAD = 4
"""Rows read for each one that is asked about: a slow row holds up the writing, which keeps the order, not others."""

DEADLINE = 60.0
"""Seconds for one answer. No person waits for this one; the built-in chat model takes 20 at the most."""
TRIES = 6
"""How often a row is asked about that the model is late for or turns away."""

_TRY_LATER = {Fallback.LATE, Fallback.UNAVAILABLE}
_TRY_ONCE_MORE = {Fallback.UNREADABLE, Fallback.EMPTY, Fallback.FAILED}
_NOT_THE_ROW = {*_TRY_LATER, Fallback.MISCONFIGURED, Fallback.FAILED}
_NEVER_ASKED = {"row", "draft"}

SHOWN_PROBLEMS = 5


@dataclass
class Summary:
    """What became of the rows so far. `resumed` of them stem from an earlier run; `problems` are the first few."""

    rows: int = 0
    resumed: int = 0
    good: int = 0
    caution: int = 0
    not_checked: int = 0
    categories: Counter[str] = field(default_factory=Counter)
    problems: list[tuple[int, str]] = field(default_factory=list)
    offline: bool = False

    def add(self, said: Mapping[str, Any]) -> None:
        """Count one record, as `Outcome.as_json` has it."""
        self.rows += 1
        self.offline = self.offline or said["offline"] is True
        if said["verdict"] == Label.GOOD.value:
            self.good += 1
        elif said["verdict"] == Label.CAUTION.value:
            self.caution += 1
            self.categories.update({finding["category"] for finding in said["findings"]})
        else:
            self.not_checked += 1
            if len(self.problems) < SHOWN_PROBLEMS:
                self.problems.append((self.rows, said["reason"] or said["sentence"]))


class Batch:
    """Asks the screener about many rows, `at_once` of them at the most, which has to be within its concurrency.

    Nobody answers in the model's place here: a row that the model is late for or turns away is asked about again, after
    pauses that grow from `pause` seconds and with fewer rows at once; one it has no verdict for is written as not
    checked. A model that is gone or broken ends the run with a ModelError, and the rows it left open are not written.
    """

    def __init__(
        self,
        screener: Screener,
        *,
        at_once: int,
        tone: Tone = Tone.PLAYFUL,
        context: str | None = None,
        pause: float = FIRST_PAUSE,
        waiting: Callable[[float, str], None] = lambda seconds, why: None,
    ) -> None:
        self._screener = screener
        self._tone, self._context = tone, context
        self._asked = _Asked(screener.model)
        screener.swap(self._asked)
        self._at_once = at_once
        self._pace = Pace(at_once, pause, waiting)

    async def run(
        self, table: Table, results: Results, progress: Callable[[Summary], None] = lambda summary: None
    ) -> Summary:
        """Screen the rows of the table that the results don't have yet, and write each in its turn."""
        summary = Summary()
        for said in results.earlier():
            row = next(table.rows, None)
            if row is None or not results.is_of(said, row):
                raise BatchError(
                    f"Row {summary.rows + 1} is not the one that was screened before, so this is another input. "
                    "Add --restart to begin anew, or name another file: --out"
                )
            summary.add(said)
            summary.resumed += 1
            progress(summary)
            await asyncio.sleep(0)  # Ctrl-C gets through here
        answered, held = False, list[Outcome]()
        async with contextlib.aclosing(self._outcomes(table.rows)) as outcomes:
            async for outcome in outcomes:
                held.append(outcome)
                # A row that the model failed on is written once the model has answered for another: until then it may
                # be the model's fault, and the row gets its turn when the run goes on.
                if outcome.error in _NOT_THE_ROW or (outcome.error in _NEVER_ASKED and len(held) > 1):
                    continue
                answered = answered or outcome.error not in _NEVER_ASKED
                self._write(held, results, summary, progress)
        if held and not answered:
            raise self._pace.give_up(held[-1].reason or "")
        self._write(held, results, summary, progress)
        results.finish()
        return summary

    def _write(
        self, held: list[Outcome], results: Results, summary: Summary, progress: Callable[[Summary], None]
    ) -> None:
        for outcome in held:
            results.write(outcome)
            summary.add(outcome.as_json())
            progress(summary)
        held.clear()

    async def _outcomes(self, rows: Iterator[Row]) -> AsyncGenerator[Outcome]:
        """The outcome of each row, in order. The rows are read in a thread: a pipe may keep us waiting for the next."""
        loop = asyncio.get_running_loop()
        begun: asyncio.Queue[asyncio.Future[Outcome | None]] = asyncio.Queue()
        room = threading.Semaphore(READ_AHEAD * self._at_once)
        over = False

        def begin(row: Row) -> None:
            begun.put_nowait(loop.create_task(self._outcome(row)))

        def end(error: BaseException | None) -> None:
            last: asyncio.Future[Outcome | None] = loop.create_future()
            if error is None:
                last.set_result(None)
            else:
                last.set_exception(error)
            begun.put_nowait(last)

        def read_ahead() -> None:
            failure: BaseException | None = None
            with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits for rows any more
                try:
                    for row in rows:
                        room.acquire()
                        if over:
                            return
                        loop.call_soon_threadsafe(begin, row)
                except Exception as error:  # it goes to whoever waits for the next row
                    failure = error
                loop.call_soon_threadsafe(end, failure)

        # Not an executor's thread: those are joined at exit, and this one may wait for a pipe that nobody writes to.
        threading.Thread(target=read_ahead, name="read-ahead", daemon=True).start()
        try:
            while (outcome := await (await begun.get())) is not None:
                room.release()
                yield outcome
        finally:
            over = True
            room.release()
            while not begun.empty():
                left = begun.get_nowait()
                if not left.cancel() and not left.cancelled():
                    left.exception()  # nobody waits for it any more; asking keeps asyncio from printing it

    async def _outcome(self, row: Row) -> Outcome:
        if row.problem:
            return Outcome(row, error="row", reason=row.problem)
        try:
            draft = Draft(text=row.text, tone=self._tone, context=self._context)  # type: ignore[arg-type]  # Draft says what it can't read
        except DraftRejected as error:
            return Outcome(row, error="draft", reason=str(error))
        verdict = await self._verdict(draft)
        if verdict.fallback is None:
            return Outcome(row, verdict)
        return Outcome(row, error=verdict.fallback.value, reason=self._asked.why(verdict.fallback))

    async def _verdict(self, draft: Draft) -> Verdict:
        tries = 0
        while True:
            async with self._pace.turn():
                try:
                    verdict = await self._screener.screen(draft)
                except Busy:  # somebody else asks the same screener
                    self._pace.turned_away("The screener is busy.")
                    continue
                tries += 1
                if verdict.fallback in _TRY_LATER:
                    self._pace.turned_away(self._asked.why(verdict.fallback))
                    if tries < TRIES:
                        continue
                elif verdict.fallback in _NOT_THE_ROW:
                    self._pace.failed(self._asked.why(verdict.fallback))
                else:
                    self._pace.answered()
                if verdict.fallback not in _TRY_ONCE_MORE or tries > 1:
                    return verdict


class _Asked:
    """The model, and what it said of each kind of failure: a Verdict that stands in for one carries the kind alone."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._said: dict[str, str] = {}

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def version(self) -> str | None:
        return self._model.version

    def check(self, draft: Draft) -> Verdict:
        try:
            return self._model.check(draft)
        except ModelError as error:
            self._said[error.code] = str(error)
            raise

    def why(self, fallback: Fallback) -> str:
        if fallback is Fallback.LATE:
            return f"{self.name} took too long."
        return self._said.get(fallback.value, f"{self.name} failed.")
