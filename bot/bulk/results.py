"""The results of a run: the file or stream that records go to, and taking an unfinished file up again."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

from filelock import FileLock, Timeout

from bot.bulk.records import ScreenedRow, Writing
from bot.bulk.rows import BatchError, InputRow


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
        """The results in a file. Raises BatchError where a file is there that is not this very run's, unfinished, or
        where another process is writing it."""
        note = path.with_name(path.name + ".unfinished")
        try:
            anew = restart or not path.exists()
            if not anew and not note.exists():
                raise BatchError(
                    f"{path} is there already. Add --restart to write it anew, or name another file: --out"
                )
            with path.open("a+b") as stream, _locked(path):
                if anew:
                    stream.truncate(0)
                    note.write_text(json.dumps(options) + "\n", encoding="utf-8")
                else:
                    _same_run(options, note.read_text(encoding="utf-8"), path)
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

    def is_of(self, said: Mapping[str, Any], row: InputRow) -> bool:
        """Whether an earlier record is this row's."""
        return (said.get("row"), said.get("input")) == (row.number, self._writing.input(row))

    def write(self, screened: ScreenedRow) -> None:
        self._put(self._writing.record(screened))

    def finish(self) -> None:
        """The run is complete; another of the same command would begin a new one."""
        if self._note is not None:
            self._note.unlink(missing_ok=True)

    def _put(self, text: str) -> None:
        self._stream.write(text.encode())
        self._stream.flush()  # row by row: what was answered stays, whatever becomes of this process


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep the file for this process, until this is left or the process ends."""
    beside = path.with_name(f".{path.name}.lock")
    lock = FileLock(beside)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise BatchError(f"Another run is writing {path}. Wait for it to end, or name another file: --out") from error
    try:
        yield
    finally:
        # Before it is let go of: whoever opens it from now on makes a new one, and nobody gets hold of this one.
        with contextlib.suppress(OSError):  # Windows removes no open file
            beside.unlink()
        lock.release()


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
