"""Labelled messages for a few seconds' evaluation, and chat models that judge them well or badly."""

import csv
from collections.abc import Callable, Container
from pathlib import Path

from tests.fakes import verdict

STINGS = tuple(
    f"Your {thing} is a bad joke, you idiot."
    for thing in ("plan", "report", "cooking", "singing", "garden", "code", "speech", "letter")
)
FINE = tuple(
    f"Thanks for the {thing}, see you later." for thing in ("plan", "report", "cake", "song", "flowers", "book")
)
REWRITES = {text: f"Could we look at the {text.split()[1]} together?" for text in STINGS}


def write_examples(path: Path, *, stings: int = len(STINGS), fine: int = len(FINE)) -> Path:
    """A CSV of the messages, as `--data` takes it."""
    rows = [(text, "caution") for text in STINGS[:stings]] + [(text, "good") for text in FINE[:fine]]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return path


def judge(*, misses: Container[str] = (), alarms: Container[str] = ()) -> Callable[[str], str]:
    """A model that knows every sting but those it misses, and takes `alarms` for stings."""

    def said(draft: str) -> str:
        stings = (draft in STINGS and draft not in misses) or draft in alarms
        return verdict("caution", REWRITES.get(draft, "Could we talk?")) if stings else verdict("good")

    return said
