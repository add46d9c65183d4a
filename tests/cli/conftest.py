"""`angel` from its entry point on, in this process: a process of its own costs the import of MLflow each time."""

import contextlib
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TextIO

import pytest

from bot import cli


class Ended(NamedTuple):
    code: int
    out: bytes
    err: bytes


Main = Callable[..., Ended]


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Main:
    """Runs `angel` with these arguments, with real files as its streams.

    `out` and `err` are other places for those: a path, or a stream. `encoding` is the terminal's.
    """

    def opened(place: str | TextIO, encoding: str, errors: str) -> TextIO:
        if not isinstance(place, str):
            return place
        return (tmp_path / place).open("w", encoding=encoding, errors=errors)

    def run(
        *arguments: str,
        encoding: str = "utf-8",
        out: str | TextIO = "stdout",
        err: str | TextIO = "stderr",
        input: bytes = b"",
    ) -> Ended:
        monkeypatch.setattr(sys, "argv", ["angel", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(input)))
        # As Python opens them: strict for output, with escapes for errors.
        monkeypatch.setattr(sys, "stdout", opened(out, encoding, "strict"))
        monkeypatch.setattr(sys, "stderr", opened(err, encoding, "backslashreplace"))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):  # of a pipe that is closed
                stream.close()
        assert isinstance(ended.value.code, int)
        written = [tmp_path / place for place in ("stdout", "stderr")]
        return Ended(ended.value.code, *(path.read_bytes() if path.exists() else b"" for path in written))

    return run
