"""What reading the worst drafts costs: `python -m tests.benchmarks.worst_draft [--seconds 60] [--out FILE]`.

Looks for drafts and answers of 4,000 characters that take the most CPU in everything that reads one: near-misses made
from each pattern of the phrasebook and of the text code, repeated, and what Hypothesis finds when it aims at CPU time.
Prints the worst for each reader, and writes the drafts to FILE, one JSON string a line, for the benchmark of acks.
"""

import argparse
import contextlib
import itertools
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings, target
from hypothesis import strategies as st

from bot.errors import AngelError
from bot.evaluation import rewrites
from bot.model.answer import answer_row, read_answer
from bot.model.language import Languages
from bot.model.phrasebook import Phrasebook
from bot.particulars import particulars
from bot.slack import text as slack_text
from bot.terminal import visible
from bot.verdict import MAX_DRAFT, Draft, Label, Tone

BOOK = Phrasebook.load()
LANGUAGES = Languages()


def _check(text: str) -> None:
    BOOK.check(Draft(text=text, tone=Tone.PLAYFUL))


def _restore(text: str) -> None:
    slack_text.read(text).restore(text)


def _quotations(text: str) -> None:
    words = text.split()
    excerpt = " ".join([*words[:-1], "no"]) or "no"
    answer_row(text, Label.CAUTION, [{"category": "other", "excerpt": excerpt, "reason": ""}])


READERS: dict[str, Callable[[str], object]] = {
    "the phrasebook": _check,
    "the language": LANGUAGES.read,
    "particulars": particulars,
    "names": rewrites.names,
    "Slack's text, in and out": _restore,
    "a model's answer": lambda text: read_answer(text, text),
    "a model's quotation": _quotations,
    "the terminal": visible,
}


def milliseconds(read: Callable[[str], object], text: str) -> float:
    """CPU of reading a text, the better of two: the first may fill a cache."""
    costs = []
    for _ in range(2):
        began = time.process_time()
        with contextlib.suppress(AngelError):  # what can't be read is refused, and that must be quick, too
            read(text)
        costs.append((time.process_time() - began) * 1_000)
    return min(costs)


def near_misses() -> Iterator[str]:
    """Pieces that a pattern nearly matches: its words without the last, with a stray sign, cut in the middle."""
    written = [pattern for entry in BOOK.entries for pattern in entry.patterns]
    for pattern in written:
        said = re.sub(r"<(\w+)>", lambda found: random.choice(BOOK.words[found[1]]), pattern)  # noqa: S311  # no secret
        said = re.sub(r"\(\?.?[=:]|\((?:\w+=)?|[)^$?+*\\]|\{[^}]*\}|\[[^\]]*\]", "", said)
        words = " ".join(part.split("|")[0] for part in said.split()).replace("...", "x").split()
        yield " ".join(words) + " "
        yield " ".join(words[:-1]) + " "
        yield " ".join(words[:-1]) + ", x "
    yield from (example + " " for entry in BOOK.entries for example in entry.examples)
    everything = " ".join(example for entry in BOOK.entries for example in entry.examples)
    yield from (everything[at : at + MAX_DRAFT] for at in range(0, len(everything), MAX_DRAFT))
    signs = [
        "```",
        "`",
        '"',
        "[[",
        "[[1:",
        "]]",
        "<@U",
        "<http://a|",
        ">",
        "@a",
        "#a",
        ":a",
        "a.",
        "a@",
        "www.",
        "_",
        "*",
    ]
    signs += [
        "-",
        "a-",
        "\n",
        " ",
        "\n> ",
        "1.",
        "1:",
        "{",
        '{"a":',
        '{"',
        "[",
        "&lt;",
        "\u200b",
        "é",
        "İ",
        "漢",
        "😀",
        "!?",
        "'",
    ]
    yield from signs
    yield from ("".join(pair) for pair in itertools.product(signs, repeat=2))


def _aim(look: Callable[[str], float], pieces: list[str], examples: int) -> None:
    """Have Hypothesis aim at the CPU time of `look`."""

    @settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate, Phase.target],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.lists(st.one_of(st.sampled_from(pieces), st.text(max_size=5)), min_size=1, max_size=40))
    def aim(parts: list[str]) -> None:
        text = "".join(parts) or "a"
        target(look((text * (MAX_DRAFT // len(text) + 1))[:MAX_DRAFT]))

    aim()


def search(seconds: float) -> dict[str, tuple[float, str]]:
    """For each reader the most milliseconds, and the text that took them."""
    worst = dict.fromkeys(READERS, (0.0, ""))

    def look(name: str, text: str) -> float:
        cost = milliseconds(READERS[name], text)
        worst[name] = max(worst[name], (cost, text))
        return cost

    pieces = list(dict.fromkeys(near_misses()))
    random.shuffle(pieces)
    end = time.monotonic() + seconds / 2
    for piece in pieces:
        if time.monotonic() > end:
            break
        for name in READERS:
            look(name, (piece * (MAX_DRAFT // len(piece) + 1))[:MAX_DRAFT])
    for name in READERS:
        _aim(partial(look, name), pieces, max(10, int(seconds)))
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description="What reading the worst drafts costs.")
    parser.add_argument("--seconds", type=float, default=60, help="for the near-misses; aiming takes as long again")
    parser.add_argument("--out", type=Path, help="where the worst drafts go, one JSON string a line")
    given_ = parser.parse_args()
    random.seed(0)
    worst = search(given_.seconds)
    for name, (cost, text) in worst.items():
        print(f"{name:26} {cost:6.1f} ms   {text[:60]!r}")  # noqa: T201  # it is a script
    if given_.out:
        given_.out.write_text("".join(json.dumps(text) + "\n" for _, text in worst.values()), encoding="utf-8")


if __name__ == "__main__":
    main()
