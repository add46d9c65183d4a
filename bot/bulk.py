"""Many messages from a file: read one by one, screened at a pace the model can take, written as they are answered."""

import asyncio
import contextlib
import csv
import io
import itertools
import json
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Protocol, Self

from bot.errors import AngelError, Busy, DraftRejected, ModelError, ModelUnavailable
from bot.screener import Model, Screener
from bot.verdict import Draft, Fallback, Label, Tone, Verdict

MAX_RECORD = 2**20
"""Characters of one line or one CSV cell that are held in memory. What is longer is no message."""

READ_AHEAD = 4
"""Rows read for each one that is asked about: a slow row holds up the writing, which keeps the order, not others."""

DEADLINE = 60.0
"""Seconds for one answer. No person waits for this one; the built-in chat model takes 20 at the most."""
TRIES = 6
"""How often a row is asked about that the model is late for or turns away."""
DEAD_PAUSES = 7
"""Pauses in a row, no row answered in between, after which the model counts as gone: two minutes of them."""
DEAD_ROWS = 10
"""Rows in a row that the model failed on for no reason of theirs, after which it counts as broken."""
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
"""Seconds. OpenAI's limits are counted by the minute."""

_TRY_LATER = {Fallback.LATE, Fallback.UNAVAILABLE}
_TRY_ONCE_MORE = {Fallback.UNREADABLE, Fallback.EMPTY, Fallback.FAILED}
_NOT_THE_ROW = {*_TRY_LATER, Fallback.MISCONFIGURED, Fallback.FAILED}
_NEVER_ASKED = {"row", "draft"}

SHOWN_PROBLEMS = 5


class BatchError(AngelError):
    """The batch can't be begun or gone on with. The text says what to change."""


class Format(StrEnum):
    CSV = "csv"
    JSON_LINES = "jsonl"
    TEXT = "text"


_ENDINGS = {
    ".csv": Format.CSV,
    ".jsonl": Format.JSON_LINES,
    ".ndjson": Format.JSON_LINES,
    ".txt": Format.TEXT,
    ".text": Format.TEXT,
}


def format_of(path: Path) -> Format | None:
    """The format that a file's ending names."""
    return _ENDINGS.get(path.suffix.lower())


# ---------------------------------------------------------------------------------------------------------------- in


@dataclass(frozen=True)
class Row:
    """One row of the input, counted from 1 without a CSV's header. `problem`: why there is no text in it."""

    number: int
    fields: Mapping[str, Any]
    text: object = None
    problem: str | None = None


@dataclass(frozen=True)
class Table:
    """The rows of a file, read as they are taken. `column` holds the messages; `bom`: it began with one, as Excel's."""

    column: str
    columns: Sequence[str]
    bom: bool
    rows: Iterator[Row]


def read(stream: BinaryIO, format: Format, column: str | None = None) -> Table:
    """The table in a stream of UTF-8. Raises BatchError where it has no such column, or is no UTF-8 from the start."""
    lines = _lines(stream)
    first = next(lines, "")
    if first.startswith(("\udcff\udcfe", "\udcfe\udcff")):
        raise BatchError("That file is in UTF-16. Save it as UTF-8 and try again.")
    bom = first.startswith("\ufeff")
    first = first.removeprefix("\ufeff")
    lines = itertools.chain([first] if first else [], lines)
    match format:
        case Format.CSV:
            names, delimiter = _header(lines, column)
            chosen = _column(column, names)
            return Table(chosen, names, bom, _csv_rows(lines, delimiter, names, chosen))
        case Format.JSON_LINES:
            example = _json(first)
            chosen = _column(column, list(example)) if isinstance(example, dict) else column or "text"
            return Table(chosen, [chosen], bom, _json_rows(lines, chosen))
        case Format.TEXT:
            if column not in (None, "text"):
                raise BatchError("Lines of text have no columns. Leave --column out, or name another --format.")
            return Table("text", ["text"], bom, _text_rows(lines))


def _lines(stream: BinaryIO) -> Iterator[str]:
    """The lines of a stream, each with its end. A byte that is no UTF-8 becomes half an emoji, which Draft refuses."""
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="")
    try:
        while line := text.readline(MAX_RECORD):
            yield line
            while len(line) == MAX_RECORD and not line.endswith(("\n", "\r")):
                line = text.readline(MAX_RECORD)
    except OSError as error:
        raise BatchError(f"The messages can't be read any further: {error.strerror}.") from error
    finally:
        with contextlib.suppress(ValueError):  # the caller has closed it already
            text.detach()  # it would close the stream, which is the caller's


def _header(lines: Iterator[str], column: str | None) -> tuple[list[str], str]:
    """A CSV's column names, and its delimiter: semicolons and tabs are what spreadsheets write in half of the world."""
    kept: list[str] = []

    def keeping() -> Iterator[str]:
        for line in lines:
            kept.append(line)
            yield line

    csv.field_size_limit(MAX_RECORD)
    try:
        next(csv.reader(keeping()), None)
    except csv.Error as error:
        raise BatchError("The first line names no columns: is that a CSV? Name another --format.") from error
    found = {mark: next(csv.reader(kept, delimiter=mark), []) for mark in ",;\t"}
    delimiter = max(found, key=lambda mark: (((column or "text") in found[mark]), len(found[mark])))
    names: list[str] = []
    for place, name in enumerate((name.strip() for name in found[delimiter]), 1):
        names.append(name if name and name not in names else f"column {place}")
    if not names:
        raise BatchError("The first line of a CSV names its columns; this one is empty.")
    return names, delimiter


def _column(wanted: str | None, names: Sequence[str]) -> str:
    """The column with the messages: the one asked for, else `text`, else the only one."""
    if wanted is None and len(names) == 1:
        return names[0]
    chosen = wanted or "text"
    if chosen not in names:
        raise BatchError(f"There is no column {chosen}. Name one with --column: {', '.join(names)}")
    return chosen


def _csv_rows(lines: Iterator[str], delimiter: str, names: list[str], column: str) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter)
    numbers = itertools.count(1)
    place = names.index(column)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield Row(next(numbers), {}, problem="This row is no CSV. Is a quote opened and never closed?")
            continue
        if not cells:  # a blank line is no row to anybody who reads CSV
            continue
        number, fields = next(numbers), dict(zip(names, cells, strict=False))
        if len(cells) > len(names):
            said = (
                f"This row has {len(cells)} cells and the header {len(names)}. "
                f"A text with {delimiter!r} in it needs quotes around it."
            )
            yield Row(number, fields, problem=said)
        elif len(cells) <= place:
            yield Row(number, fields, problem=f"This row ends before the column {column}.")
        else:
            yield Row(number, fields, cells[place])


def _json_rows(lines: Iterator[str], column: str) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        value = _json(line)
        if isinstance(value, str):
            yield Row(number, {column: value}, value)
        elif isinstance(value, dict) and column in value:
            yield Row(number, value, value[column])
        elif isinstance(value, dict):
            yield Row(number, value, problem=f"This row has no {column}.")
        else:
            broken = line.rstrip("\r\n")
            yield Row(number, {column: broken}, problem="This line is neither a JSON object nor a JSON string.")


def _json(line: str) -> object:
    """What a line of JSON says, or None."""
    try:
        value: object = json.loads(line)
        json.dumps(value, allow_nan=False)  # NaN and 1e999 are read, and what is written of them is no JSON
    except (ValueError, RecursionError):
        return None
    return value


def _text_rows(lines: Iterator[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        yield Row(number, {"text": text}, text)


# --------------------------------------------------------------------------------------------------------------- out

_KEYS = tuple(Verdict(label=Label.GOOD).as_json())


@dataclass(frozen=True)
class Outcome:
    """What became of a row: a verdict, or the code of an error and the reason in words.

    Codes are those of `bot.errors` and `late`; `draft` where the text can't be checked, `row` where there is none.
    """

    row: Row
    verdict: Verdict | None = None
    error: str | None = None
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        said = self.verdict.as_json() if self.verdict else dict.fromkeys(_KEYS)
        return {
            "row": self.row.number,
            "input": dict(self.row.fields),
            **said,
            "error": self.error,
            "reason": self.reason,
        }


class Writing(Protocol):
    """How outcomes stand in a file. `read` gives back, of each complete record of such a file, what it says and the
    byte it ends at; it stops at the first that is cut off."""

    def header(self) -> str: ...

    def record(self, outcome: Outcome) -> str: ...

    def input(self, row: Row) -> object: ...

    def read(self, stream: BinaryIO) -> Iterator[tuple[dict[str, Any], int]]: ...


class JsonLines:
    """One object a line."""

    def header(self) -> str:
        return ""

    def record(self, outcome: Outcome) -> str:
        return _whole(json.dumps(outcome.as_json(), ensure_ascii=False)) + "\n"

    def input(self, row: Row) -> object:
        return json.loads(_whole(json.dumps(dict(row.fields), ensure_ascii=False)))

    def read(self, stream: BinaryIO) -> Iterator[tuple[dict[str, Any], int]]:
        end = 0
        for line in stream:
            if not line.endswith(b"\n"):
                return
            said = _json(line.decode("utf-8", "replace"))
            if not isinstance(said, dict):
                raise _changed()
            end += len(line)
            yield said, end


class Csv:
    """The input's columns between the row's number and ours. Lists are JSON in their cells."""

    def __init__(self, columns: Sequence[str], *, bom: bool) -> None:
        self._columns = columns
        self._names = ["row", *columns, *_KEYS, "error", "reason"]
        self._bom = "\ufeff" if bom else ""
        taken = sorted({name for name in self._names if self._names.count(name) > 1})
        if taken:
            raise BatchError(
                f"The file has columns of its own called {', '.join(taken)}. Write to a .jsonl instead: --out"
            )

    def header(self) -> str:
        return self._bom + _csv_line(self._names)

    def record(self, outcome: Outcome) -> str:
        said = outcome.as_json()
        for name in ("rewrite", "tip"):
            # A spreadsheet would run what begins so, and these are a model's words.
            if said[name] and said[name].startswith(("=", "+", "-", "@")):
                said[name] = "'" + said[name]
        ours = [said[name] for name in (*_KEYS, "error", "reason")]
        return _csv_line([said["row"], *self.input(outcome.row), *(_cell(value) for value in ours)])

    def input(self, row: Row) -> list[str]:
        return [_cell(row.fields.get(name)) for name in self._columns]

    def read(self, stream: BinaryIO) -> Iterator[tuple[dict[str, Any], int]]:
        end = 0

        def counted() -> Iterator[str]:
            nonlocal end
            for line in stream:
                if not line.endswith(b"\n"):
                    return
                end += len(line)
                yield line.decode("utf-8", "replace")

        csv.field_size_limit(MAX_RECORD)
        reader = csv.reader(counted(), strict=True)  # strict: a quote that is still open at the end is an error
        try:
            names = next(reader, None)
            if names not in (None, next(csv.reader([self.header()]))):
                raise _changed()
            for cells in reader:
                said = dict(zip(self._names, cells, strict=True))
                yield (
                    {
                        "row": int(said["row"]),
                        "input": cells[1 : 1 + len(self._columns)],
                        "verdict": said["verdict"],
                        "findings": json.loads(said["findings"] or "[]"),
                        "offline": said["offline"] == "true",
                        "reason": said["reason"],
                    },
                    end,
                )
        except ValueError as error:
            raise _changed() from error
        except csv.Error as error:
            if stream.read(1):
                raise _changed() from error


def _changed() -> BatchError:
    return BatchError("What is there was not written by this command, or was changed since.")


def _csv_line(cells: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    return _whole(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _whole(text: str) -> str:
    """The text with halves of emoji and bytes that were no UTF-8 as `�`, so that it can be written."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class Results:
    """Where outcomes go as they come: a file that is taken up again, or a stream.

    While a run is unfinished, a small file beside it, `<name>.unfinished`, says which run it is: `options` are what has
    to be the same for it to go on.
    """

    def __init__(self, writing: Writing, stream: BinaryIO, note: Path | None = None) -> None:
        self._writing = writing
        self._stream = stream
        self._note = note

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path, writing: Writing, options: Mapping[str, Any], *, restart: bool) -> Iterator[Self]:
        """The results in a file. Raises BatchError where a file is there that is not this very run's, unfinished."""
        note = path.with_name(path.name + ".unfinished")
        try:
            if restart or not path.exists():
                path.unlink(missing_ok=True)
                note.write_text(json.dumps(options) + "\n", encoding="utf-8")
            elif not note.exists():
                raise BatchError(
                    f"{path} is there already. Add --restart to write it anew, or name another file: --out"
                )
            else:
                _same_run(options, note.read_text(encoding="utf-8"), path)
            with path.open("a+b") as stream:
                yield cls(writing, stream, note)
        except OSError as error:
            raise BatchError(f"{error.filename or path} can't be written: {error.strerror}.") from error

    def earlier(self) -> Iterator[dict[str, Any]]:
        """What an unfinished run has written. To be walked through first: it makes the place ready to write on."""
        end = 0
        if self._note is not None:
            self._stream.seek(0)
            for said, place in self._writing.read(self._stream):
                end = place
                yield said
            self._stream.truncate(end)  # of a record that was cut off, nothing stays
        if end == 0:
            self._put(self._writing.header())

    def is_of(self, said: Mapping[str, Any], row: Row) -> bool:
        """Whether an earlier record is this row's."""
        return (said.get("row"), said.get("input")) == (row.number, self._writing.input(row))

    def write(self, outcome: "Outcome") -> None:
        self._put(self._writing.record(outcome))

    def finish(self) -> None:
        """The run is complete; another of the same command would begin a new one."""
        if self._note is not None:
            self._note.unlink(missing_ok=True)

    def _put(self, text: str) -> None:
        self._stream.write(text.encode())
        self._stream.flush()  # row by row: what was answered stays, whatever becomes of this process


def _same_run(options: Mapping[str, Any], noted: str, path: Path) -> None:
    try:
        before = json.loads(noted)
        other = [name for name, value in options.items() if before.get(name) != value]
    except (ValueError, AttributeError):
        other = ["settings"]
    if other:
        raise BatchError(
            f"{path} was begun with another {', '.join(other)}. Use the same again to go on with it, "
            "add --restart to write it anew, or name another file: --out"
        )


# ------------------------------------------------------------------------------------------------------------ between


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
                self.problems.append((self.rows, said["reason"]))


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
        self._pace = _Pace(at_once, pause, waiting)

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


class _Pace:
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
