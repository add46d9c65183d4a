"""How the offline check does on CSV files of other people's messages: `python tests/measure_offline.py [FILE.csv...]`.

Each file has the columns `text` and `label` (`good` or `caution`). Nothing of it is kept.
"""

import argparse
import csv
import statistics
import time
from collections.abc import Iterable
from pathlib import Path

from bot.errors import DraftRejected
from bot.model.answer import Row
from bot.model.offline import OfflineModel
from bot.verdict import Draft


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share."""
    if not of:
        return 0.0, 1.0
    z = 1.96
    middle = (hits + z * z / 2) / (of + z * z)
    half = z / (of + z * z) * (hits * (of - hits) / of + z * z / 4) ** 0.5
    return middle - half, middle + half


def share(hits: int, of: int) -> str:
    low, high = wilson(hits, of)
    return f"{hits} of {of} = {hits / of if of else 0:.2%} ({low:.2%} to {high:.2%})"


def measure(model: OfflineModel, examples: Iterable[dict[str, str]]) -> Iterable[str]:
    rows: list[tuple[str, Row]] = []
    seconds: list[float] = []
    rejected = 0
    for example in examples:
        try:
            draft = Draft(text=example["text"])
        except DraftRejected:
            rejected += 1
            continue
        started = time.perf_counter()
        row = model.check(draft)
        seconds.append(time.perf_counter() - started)
        rows.append((example["label"], row))
    good = [row for label, row in rows if label == "good"]
    caution = [row for label, row in rows if label == "caution"]
    cautioned = [row for _, row in rows if row["verdict"] == "caution"]
    unread = sum(row["error"] is not None for _, row in rows)
    rewrites = [row["rewrite"] for row in cautioned if row["rewrite"]]
    yield f"false alarms   {share(sum(row['verdict'] == 'caution' for row in good), len(good))}"
    if caution:
        yield f"recall         {share(sum(row['verdict'] == 'caution' for row in caution), len(caution))}"
    yield f"with a rewrite {share(len(rewrites), len(cautioned))}"
    yield f"rewrites good  {share(sum(not model.phrasebook.find(each) for each in rewrites), len(rewrites))}"
    if len(seconds) > 1:
        steps = statistics.quantiles(seconds, n=20)
        yield f"ms a draft     p50 {statistics.median(seconds) * 1e3:.2f}, p95 {steps[18] * 1e3:.2f}"
    yield f"unread         {share(unread, len(rows))}"
    if rejected:
        yield f"not checkable  {rejected}"


def main() -> None:
    parser = argparse.ArgumentParser(description="How the offline check does on CSV files of other people's messages.")
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE.csv",
        default=sorted((Path(__file__).parent / "data").glob("offline_*.csv")),
        help="with the columns `text` and `label`; without one, those of our own in tests/data",
    )
    paths = parser.parse_args().files
    started = time.perf_counter()
    model = OfflineModel()
    model.load_context(None)
    phrasebook = model.phrasebook
    loaded = time.perf_counter() - started
    patterns = sum(len(entry.patterns) for entry in phrasebook.entries)
    print(f"{patterns} patterns in {len(phrasebook.entries)} entries, loaded in {loaded * 1e3:.0f} ms")  # noqa: T201  # it is a script
    for path in paths:
        try:
            with path.open(encoding="utf-8", newline="") as file:
                print(f"\n{path}", *measure(model, csv.DictReader(file)), sep="\n  ")  # noqa: T201  # it is a script
        except OSError as error:
            parser.error(f"{path} can't be read: {error.strerror}")
        except KeyError as error:
            parser.error(f"{path} has no column {error}")


if __name__ == "__main__":
    main()
