"""The records of the output: what became of each row, written as JSON Lines or CSV and read back."""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from bot.bulk.rows import MAX_RECORD, BatchError, InputRow, from_json
from bot.verdict import Label, Verdict, whole

_KEYS = tuple(Verdict(label=Label.GOOD).as_json())


@dataclass(frozen=True)
class ScreenedRow:
    """What became of a row: a verdict, or the code of an error and the reason in words.

    Codes are those of `bot.errors` and `late`; `draft` where the text can't be checked, `row` where there is none.
    """

    row: InputRow
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

    def record(self, screened: ScreenedRow) -> str: ...

    def input(self, row: InputRow) -> object: ...

    def read(self, stream: BinaryIO) -> Iterator[tuple[dict[str, Any], int]]: ...


class JsonLines:
    """One object a line."""

    def header(self) -> str:
        return ""

    def record(self, screened: ScreenedRow) -> str:
        return _dumped(screened.as_json()) + "\n"

    def input(self, row: InputRow) -> object:
        return json.loads(_dumped(dict(row.fields)))

    def read(self, stream: BinaryIO) -> Iterator[tuple[dict[str, Any], int]]:
        end = 0
        for line in stream:
            if not line.endswith(b"\n"):
                return
            said = from_json(line.decode("utf-8", "replace"))
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
        return self._bom + _csv_line([inert(name) for name in self._names])

    def record(self, screened: ScreenedRow) -> str:
        said = screened.as_json()
        ours = [said[name] for name in (*_KEYS, "error", "reason")]
        return _csv_line([said["row"], *self.input(screened.row), *(_cell(value) for value in ours)])

    def input(self, row: InputRow) -> list[str]:
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
                        "sentence": said["sentence"],
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
    return inert(whole(value)) if isinstance(value, str) else _dumped(value)


def inert(cell: str) -> str:
    """The cell's text so that no spreadsheet takes it for a formula and runs it: an apostrophe before what begins one.

    The marks are those that OWASP names for CSV injection, the full-width ones too. Plain numbers stay as they are.
    """
    begins_one = cell.lstrip(" ").startswith(_FORMULA_MARKS)
    return f"'{cell}" if begins_one and not _NUMBER.fullmatch(cell) else cell


def as_typed(cell: str) -> str:
    """The text that `inert` made this cell of."""
    return cell[1:] if cell.startswith("'") and inert(cell[1:]) == cell else cell


_FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?\d[\d.,\s]*%?")


def _dumped(value: object) -> str:
    return whole(json.dumps(value, ensure_ascii=False))
