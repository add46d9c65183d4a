"""Standard output and error as `angel` writes to them: no character, and no full disk, looks like a verdict."""

import errno
import io
import logging
import os
import sys
from typing import NoReturn, TextIO

from bot.cli.logs import without_secrets

UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""What the system says where there is no more room, or the device fails."""


class _Ascii(io.TextIOWrapper):
    """A stream that was asked to be ASCII, and is.

    Where `encoding` says so in a way that click knows, click takes it for a mistake and writes UTF-8.
    """

    encoding = "ascii, as asked"


def prepare() -> None:
    """Have the standard streams replace what they can't encode.

    A process may be started without them (`>&-`); then what it writes goes nowhere, and the exit code still tells.
    """
    sys.stdout = _prepared(sys.stdout)
    sys.stderr = _prepared(sys.stderr)


def _prepared(stream: TextIO | None) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - it lasts as long as the process
    if isinstance(stream, io.TextIOWrapper):
        if stream.encoding.lower() in ("ascii", "us-ascii", "ansi_x3.4-1968", "646"):
            buffering = stream.line_buffering
            return _Ascii(stream.detach(), encoding="ascii", errors="replace", line_buffering=buffering)
        stream.reconfigure(errors="replace")
    return stream


def encodes(text: str) -> bool:
    """Whether standard output can show all of `text`."""
    encoding = "ascii" if isinstance(sys.stdout, _Ascii) else getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def abandon() -> None:
    """Give up what is still to be written. Python would try once more at its end, and complain."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def complain(said: str) -> None:
    """A line on standard error, where that can be written."""
    try:
        sys.stderr.write(f"{without_secrets(said)}\n")
        sys.stderr.flush()
    except OSError:
        pass


def end(code: int) -> NoReturn:
    """Ends the process at once, with all that was written.

    At Python's own end the threads that are still busy are killed, and one that is inside C++ just then, where the
    phrasebook's patterns and the language detector are made, takes the process with it: SIGABRT, without a word.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
