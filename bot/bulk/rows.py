"""The rows of the input: its formats, and reading it a row at a time, a bad row in its place."""

import contextlib
import csv
import io
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from bot.errors import AngelError

MAX_RECORD = 2**20
"""Characters of one line or one CSV cell that are held in memory. What is longer is no message."""


NOT_UTF8 = "This row is not UTF-8 text. Save the file as UTF-8 and try again."


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


@dataclass(frozen=True)
class InputRow:
    """One row of the input, counted from 1 without a CSV's header.

    `problem` is why there is no text in it; `end` the byte of the input that it ends at, where that is known.
    """

    number: int
    fields: Mapping[str, Any]
    text: object = None
    problem: str | None = None
    end: int = 0


@dataclass(frozen=True)
class Table:
    """The rows of a file, read as they are taken. `column` holds the messages; `bom`: it began with one, as Excel's."""

    column: str
    columns: Sequence[str]
    bom: bool
    rows: Iterator[InputRow]


def read(stream: BinaryIO, format: Format, column: str | None = None) -> Table:
    """The table in a stream of UTF-8. Raises BatchError where it has no such column, or is no UTF-8 from the start."""
    source = _Lines(stream)
    lines: Iterator[str] = iter(source)
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
            return Table(chosen, names, bom, source.ending(_csv_rows(lines, delimiter, names, chosen)))
        case Format.JSON_LINES:
            example = from_json(first)
            chosen = _column(column, list(example)) if isinstance(example, dict) else column or "text"
            return Table(chosen, [chosen], bom, source.ending(_json_rows(lines, chosen)))
        case Format.TEXT:
            if column not in (None, "text"):
                raise BatchError("Lines of text have no columns. Leave --column out, or name another --format.")
            return Table("text", ["text"], bom, source.ending(_text_rows(lines)))


class _Lines:
    """The lines of a stream, each with its end. A byte that is no UTF-8 becomes half an emoji, which Draft refuses."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._end = 0

    def __iter__(self) -> Iterator[str]:
        text = io.TextIOWrapper(self._stream, encoding="utf-8", errors="surrogateescape", newline="")
        try:
            while line := self._read(text):
                yield line
                while len(line) == MAX_RECORD and not line.endswith(("\n", "\r")):
                    line = self._read(text)
        except OSError as error:
            raise BatchError(f"The messages can't be read any further: {error.strerror}.") from error
        finally:
            with contextlib.suppress(ValueError):  # the caller has closed it already
                text.detach()  # it would close the stream, which is the caller's

    def _read(self, text: io.TextIOWrapper) -> str:
        line = text.readline(MAX_RECORD)
        self._end += len(line.encode("utf-8", "surrogateescape"))
        return line

    def ending(self, rows: Iterator[InputRow]) -> Iterator[InputRow]:
        """The rows made of these lines, each with the byte that it ends at."""
        for row in rows:
            yield replace(row, end=self._end)


def undecoded(text: str) -> bool:
    """Whether there are bytes in it that are no UTF-8, as `_Lines` lets them through."""
    return any("\udc80" <= character <= "\udcff" for character in text)


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
    wanted = (column or "text").casefold()
    delimiter = max(found, key=lambda mark: (wanted in map(str.casefold, found[mark]), len(found[mark])))
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
    if chosen in names:
        return chosen
    alike = [name for name in names if name.casefold() == chosen.casefold()]
    if len(alike) != 1:
        raise BatchError(f"There is no column {chosen}. Name one with --column: {', '.join(names)}")
    return alike[0]


def _csv_rows(lines: Iterator[str], delimiter: str, names: list[str], column: str) -> Iterator[InputRow]:
    reader = csv.reader(lines, delimiter=delimiter)
    numbers = itertools.count(1)
    place = names.index(column)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield InputRow(next(numbers), {}, problem="This row is no CSV. Is a quote opened and never closed?")
            continue
        if not cells:  # a blank line is no row to anybody who reads CSV
            continue
        number, fields = next(numbers), dict(zip(names, cells, strict=False))
        if len(cells) > len(names):
            said = (
                f"This row has {len(cells)} cells and the header {len(names)}. "
                f"A text with {delimiter!r} in it needs quotes around it."
            )
            yield InputRow(number, fields, problem=said)
        elif len(cells) <= place:
            yield InputRow(number, fields, problem=f"This row ends before the column {column}.")
        else:
            yield InputRow(number, fields, cells[place], NOT_UTF8 if undecoded(cells[place]) else None)


def _json_rows(lines: Iterator[str], column: str) -> Iterator[InputRow]:
    for number, line in enumerate(lines, 1):
        value = from_json(line)
        if undecoded(line):
            yield InputRow(number, {column: line.rstrip("\r\n")}, problem=NOT_UTF8)
        elif isinstance(value, str):
            yield InputRow(number, {column: value}, value)
        elif isinstance(value, dict) and column in value:
            yield InputRow(number, value, value[column])
        elif isinstance(value, dict):
            yield InputRow(number, value, problem=f"This row has no {column}.")
        else:
            broken = line.rstrip("\r\n")
            yield InputRow(number, {column: broken}, problem="This line is neither a JSON object nor a JSON string.")


def from_json(line: str) -> object:
    """What a line of JSON says, or None."""
    try:
        value: object = json.loads(line)
        json.dumps(value, allow_nan=False)  # NaN and 1e999 are read, and what is written of them is no JSON
    except (ValueError, RecursionError):
        return None
    return value


def _text_rows(lines: Iterator[str]) -> Iterator[InputRow]:
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        yield InputRow(number, {"text": text}, text, NOT_UTF8 if undecoded(text) else None)
