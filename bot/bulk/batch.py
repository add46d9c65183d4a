"""The batch: every row of the input asked about, and written in its turn."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.bulk.asking import THE_MODELS_FAULT, Asker
from bot.bulk.records import ScreenedRow
from bot.bulk.results import Results
from bot.bulk.rows import BatchError, InputRow, Table
from bot.errors import DraftRejected
from bot.verdict import Draft, Label, Tone

NO_ROW, NO_DRAFT = "row", "draft"
"""The errors of rows that the model is never asked about: one that can't be read, and a text that can't be checked."""

SHOWN_PROBLEMS = 5


@dataclass
class Summary:
    """What became of the rows so far. `resumed` of them stem from an earlier run; `problems` are the first few.

    `end` is the byte of the input that the last of them ends at.
    """

    rows: int = 0
    resumed: int = 0
    good: int = 0
    caution: int = 0
    not_checked: int = 0
    categories: Counter[str] = field(default_factory=Counter)
    problems: list[tuple[int, str]] = field(default_factory=list)
    offline: bool = False
    end: int = 0

    def add(self, said: Mapping[str, Any]) -> None:
        """Count one record, as `ScreenedRow.as_json` has it."""
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
    """Asks about the rows of a table, and writes what became of each.

    A row that the model has no verdict for is written as not checked. A model that is gone or broken ends the run with
    a ModelError, and the rows it left open are not written.
    """

    def __init__(self, asker: Asker, *, tone: Tone = Tone.PLAYFUL, context: str | None = None) -> None:
        self._asker = asker
        self._tone, self._context = tone, context

    async def run(
        self, table: Table, results: Results, progress: Callable[[Summary], None] = lambda summary: None
    ) -> Summary:
        """Screen the rows of the table that the results don't have yet, and write each in its turn."""
        summary = Summary()

        def count(said: Mapping[str, Any], row: InputRow) -> None:
            summary.add(said)
            summary.end = row.end
            progress(summary)

        for said in results.earlier():
            row = next(table.rows, None)
            if row is None or not results.is_of(said, row):
                raise BatchError(
                    f"Row {summary.rows + 1} is not the one that was screened before, so this is another input. "
                    "Add --restart to begin anew, or name another file: --out"
                )
            summary.resumed += 1
            count(said, row)
            await asyncio.sleep(0)  # Ctrl-C gets through here
        answered, held = False, list[ScreenedRow]()
        async with contextlib.aclosing(self._asker.in_order(table.rows, self._screened)) as screened:
            async for each in screened:
                held.append(each)
                # A row that the model failed on is written once the model has answered for another: until then it may
                # be the model's fault, and the row gets its turn when the run goes on.
                if each.error in THE_MODELS_FAULT or (each.error in (NO_ROW, NO_DRAFT) and len(held) > 1):
                    continue
                answered = answered or each.error not in (NO_ROW, NO_DRAFT)
                self._write(held, results, count)
        if held and not answered:
            raise self._asker.give_up(held[-1].reason or "")
        self._write(held, results, count)
        results.finish()
        return summary

    def _write(
        self, held: list[ScreenedRow], results: Results, count: Callable[[Mapping[str, Any], InputRow], None]
    ) -> None:
        for screened in held:
            results.write(screened)
            count(screened.as_json(), screened.row)
        held.clear()

    async def _screened(self, row: InputRow) -> ScreenedRow:
        if row.problem:
            return ScreenedRow(row, error=NO_ROW, reason=row.problem)
        try:
            draft = Draft(text=row.text, tone=self._tone, context=self._context)  # type: ignore[arg-type]  # Draft says what it can't read
        except DraftRejected as error:
            return ScreenedRow(row, error=NO_DRAFT, reason=str(error))
        answer = await self._asker.ask(draft)
        return ScreenedRow(row, answer.verdict, answer.error, answer.reason)
