"""Labelled messages for a few seconds' evaluation, and chat models that judge them well or badly."""

import csv
import itertools
from collections.abc import Callable, Container
from pathlib import Path

from bot.evaluation.examples import read_examples
from bot.evaluation.rewrites import names
from bot.particulars import particulars
from bot.verdict import Label
from tests.fakes import verdict

STINGS = tuple(
    f"Your {thing} is a bad joke, you idiot."
    for thing in ("plan", "report", "cooking", "singing", "garden", "code", "speech", "letter")
)
FINE = tuple(
    f"Thanks for the {thing}, see you later." for thing in ("plan", "report", "cake", "song", "flowers", "book")
)
ADJECTIVES = ("quick", "calm", "short", "fresh", "second", "shared", "careful", "slow", "close", "proper")
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


def judge_of_the_examples(missed: int = 0) -> Callable[[str], str]:
    """A model that knows the built-in examples but the last `missed` stings, and keeps what a rewrite has to keep."""
    examples = read_examples()
    stings = [example for example in examples if example.label is Label.CAUTION]
    known = {example.text: example for example in stings[: len(stings) - missed]}
    # No two rewrites alike, as the gate wants it, and without a name or a number that a draft may lack.
    looks = dict(zip(known, itertools.product(ADJECTIVES, ADJECTIVES), strict=False))

    def said(draft: str) -> str:
        if draft not in known:
            return verdict("good")
        kept = [*particulars(draft).values(), *names(draft, known[draft].language)]
        return verdict("caution", f"A {', '.join(looks[draft])} look at this together? {' '.join(kept)}".strip())

    return said
