"""A search for the drafts that cost most to read, by near-misses of every pattern, repeated.

    python -m tests.benchmarks.slowest [--seconds 60] [--seed 0] [--out FILE]

For each reader it makes texts of 4,000 characters: beginnings of what its patterns match, with and without an end, one
after the other, and keeps changing the slowest ones it knows. Prints what each reader's slowest text cost in
milliseconds of CPU, and exits with 1 where one is above 50. FILE gets the slowest as JSON strings, a line each, for
`python -m tests.benchmarks.beside --drafts FILE`.
"""

import argparse
import contextlib
import json
import random
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

from bot import particulars
from bot.errors import AnswerUnusable, DraftRejected
from bot.evaluation import rewrites
from bot.model import answer
from bot.model.language import Languages
from bot.model.phrasebook import Phrasebook
from bot.slack import rich_text, text
from bot.slack.buttons import Asked, Ballot, Element, answer_buttons
from bot.slack.checking import answer_on
from bot.slack.text import Rewrite
from bot.terminal import visible
from bot.verdict import MAX_DRAFT, Category, Draft, Finding, Label, Verdict

MAX_MS = 50
KEPT = 30
"""The slowest texts that are changed further."""
CHARACTERS = [
    *"a@#:./<>|&;[]()\\\"'`*_~-1 \n\t\0",
    "é",
    "e\u0301",
    "\u200b",
    "\u00ad",
    "💩",
    "。",
    "[[",
    "]]",
    "//",
    "<@U",
    "&amp;",
]

Reader = Callable[[str], object]


class _Reply:
    gives_back = True

    def buttons(self, asked: Asked, verdict: Verdict, rewrite: Rewrite | None) -> list[Element]:
        return answer_buttons(asked, verdict, rewrite)


def shown_in_slack(draft: str) -> object:
    """All that is done with a draft on its way in and with an answer that repeats it on its way out."""
    written = text.read(draft)
    rewrite = f"{written.text[: MAX_DRAFT - 5]} Sure"
    lost, added = particulars.differences(written.text, rewrite)
    finding = Finding(category=Category.OTHER, excerpt=draft, reason=draft)
    verdict = Verdict(label=Label.CAUTION, findings=(finding,) * 5, rewrite=rewrite, lost=lost, added=added)
    return answer_on(_Reply(), Asked(draft), written, verdict, Ballot("x"), True)  # type: ignore[arg-type]  # a place as far as it is used


def _answered(content: str) -> None:
    with contextlib.suppress(AnswerUnusable):  # what can't be read is refused, and that must be quick, too
        answer.read_answer(content, content[:MAX_DRAFT])


def _quoted(draft: str) -> object:
    """A quotation that the draft has but for its end."""
    finding = {"category": "other", "excerpt": f"{draft[:-9].casefold()} no", "reason": ""}
    return answer.answer_row(draft, Label.CAUTION, [finding] * 5)


def readers() -> dict[str, tuple[Reader, list[str]]]:
    """What reads a draft, and beginnings of what it looks for."""
    phrasebook = Phrasebook.load()
    phrases = [
        part for entry in phrasebook.entries for pattern in entry.patterns for part in re.split(r"[()|]", pattern)
    ]
    words = [re.sub(r"[^\w' ]", " ", part) for part in phrases]
    examples = [f"{example} " for entry in phrasebook.entries for example in entry.examples]
    ours = list(near_misses(text, rich_text, particulars))
    return {
        "Slack's text, in and out": (shown_in_slack, ours),
        "particulars": (particulars.particulars, ours),
        "the offline check": (
            lambda draft: phrasebook.check(Draft(text=draft)),
            [word for word in words if word.strip()],
        ),
        "the language": (Languages().read, examples),
        "names": (rewrites.names, [*near_misses(rewrites), "\n", *examples]),
        "a model's answer": (_answered, [*near_misses(answer), "{", '{"a":', '{"', "[", "```", "</think>", "\\"]),
        "a model's quotation": (_quoted, examples),
        "the terminal": (visible, ["\x1b[", "\x07", "a"]),
    }


def near_misses(*modules: ModuleType) -> Iterator[str]:
    """Beginnings of what each pattern of the modules matches."""
    for pattern in {each for module in modules for each in vars(module).values() if isinstance(each, re.Pattern)}:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # examples are meant for looking at, which is what this does
                matches = [str(st.from_regex(pattern).example()) for _ in range(5)]
        except (HypothesisException, NotImplementedError, ValueError, KeyError):
            continue  # Hypothesis does not know every construct; the characters below reach those
        for match in matches:
            yield from {match, match[:-1], match[: len(match) // 2]} - {""}


def repeated(parts: list[str]) -> str:
    """The last of the parts again and again behind the others, to the length of the longest draft."""
    *first, again = parts
    start = "".join(first)
    return (start + again * (MAX_DRAFT // len(again) + 1))[:MAX_DRAFT]


def cost(reader: Reader, draft: str) -> float:
    """Milliseconds of CPU, the least of two: another process can only make it more."""
    laps = []
    for _ in range(2):
        began = time.process_time()
        try:
            reader(draft)
        except DraftRejected:
            return 0.0  # nothing to read in it, and told so at once
        laps.append((time.process_time() - began) * 1_000)
    return min(laps)


def search(reader: Reader, pieces: list[str], seconds: float, chance: random.Random) -> list[tuple[float, str]]:
    """The slowest texts that were found, the slowest first."""
    pieces = [*pieces, *CHARACTERS]
    known: dict[str, tuple[float, list[str]]] = {}
    until = time.monotonic() + seconds
    waiting = [[piece] for piece in pieces]
    chance.shuffle(waiting)
    while time.monotonic() < until:
        if waiting:
            parts = waiting.pop()
        else:
            parts = list(chance.choice(list(known.values()))[1])
            at = chance.randrange(len(parts))
            match chance.randrange(4):
                case 0:
                    parts.insert(at, chance.choice(pieces))
                case 1:
                    parts[at] = chance.choice(pieces)
                case 2:
                    parts[-1] += chance.choice(pieces)
                case _ if len(parts[-1]) > 1:
                    parts[-1] = parts[-1][:-1]
        draft = repeated(parts)
        if draft not in known:
            known[draft] = (cost(reader, draft), parts)
            if len(known) > 2 * KEPT:
                known = dict(sorted(known.items(), key=lambda each: -each[1][0])[:KEPT])
    return sorted(((ms, draft) for draft, (ms, _) in known.items()), reverse=True)


def main() -> int:
    options = argparse.ArgumentParser(description="The drafts that cost most to read.")
    options.add_argument("--seconds", type=float, default=60.0, help="for all readers together")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--out", type=Path)
    given = options.parse_args()
    every = readers()
    slowest: list[tuple[float, str]] = []
    for name, (reader, pieces) in every.items():
        found = search(reader, pieces, given.seconds / len(every), random.Random(given.seed))  # noqa: S311  # no secret
        slowest += found[:3]
        sys.stdout.write(f"{name}: at most {found[0][0]:.1f} ms, for {found[0][1][:48]!r}...\n")
        sys.stdout.flush()
    if given.out:
        given.out.write_text("".join(f"{json.dumps(draft)}\n" for _, draft in slowest), encoding="utf-8")
    return 0 if max(slowest)[0] <= MAX_MS else 1


if __name__ == "__main__":
    sys.exit(main())
