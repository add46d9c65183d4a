"""What is logged, and how: Angel's own lines, and no secret in any of them."""

import logging
import re
from typing import TextIO

_USER = re.compile(r"(?<=://)[^\s/?#]+@")
"""The user and password of an address. The last `@` ends them, as it does for those who connect."""
_TOKEN = re.compile(r"\b(xox[a-z]-|xapp-|sk-)[\w-]{6,}")
"""Slack's tokens and OpenAI's keys, after their first letters."""


def set_up(level: int | str, form: str, stream: TextIO, *, anew: bool = False) -> None:
    """Log lines of this format at this level to `stream`; with `anew`, to it alone, whatever was set up before.

    The level is for Angel's own loggers. Libraries are heard from WARNING on: at INFO httpx2 writes a line a request,
    with the address, and at DEBUG the OpenAI client writes what a person wrote.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Redacting(form))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=anew)
    logging.getLogger("bot").setLevel(level)
    # A warning for each attempt, dozens while a server of MLflow's hangs; what comes of them is told by MLflow's error.
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def of_a_worker(level: int | str, stream: TextIO) -> None:
    """The same for a worker: a line for each request, which tells of its check, too."""
    set_up(level, "%(levelname)s %(name)s: %(message)s", stream, anew=True)
    logging.getLogger("bot.screener").setLevel(max(logging.WARNING, logging.getLogger("bot").level))


class Redacting(logging.Formatter):
    """The last line of defence: whatever is logged, tracebacks included, has no password and no token in it."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


def without_secrets(text: str) -> str:
    """The text without what stands before the `@` of an address, and without tokens and keys."""
    return _TOKEN.sub(r"\1***", _USER.sub("***@", text))
