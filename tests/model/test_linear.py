"""What reads a draft or an answer takes at most as much more time as there is more to read."""

import itertools
import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import AngelError
from bot.model.answer import read_answer
from bot.model.phrasebook import Phrasebook
from tests.benchmarks.slowest import Reader, readers

SIZES = 1_000, 4_000
MOST = 4 * 2.5
"""Times as long for four times as much: a quadratic reader takes sixteen."""
FROM_SECONDS = 0.02


def cpu(read: Reader, text: str) -> float:
    """Seconds of CPU, the best of three."""
    costs = []
    for _ in range(3):
        began = time.process_time()
        try:
            read(text)
        except AngelError:
            costs.append(0.0)
            continue
        costs.append(time.process_time() - began)
    return min(costs)


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_no_near_miss_makes_any_reader_slow_out_of_proportion() -> None:
    random.seed(1)
    slow = []
    for name, (read, pieces) in readers().items():
        for piece in random.sample(pieces, min(len(pieces), 60)):
            small, large = ((piece * (size // len(piece) + 1))[:size] for size in SIZES)
            long = cpu(read, large)
            if long > FROM_SECONDS and long > MOST * cpu(read, small):
                slow.append((name, piece, long))
    assert slow == []


@pytest.mark.heavy
@settings(deadline=None, max_examples=500, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=400), st.text(max_size=200))
def test_any_answer_is_read_or_refused(answer: str, draft: str) -> None:
    for content in (answer, '{"verdict": "caution", "findings": [' + answer, f"```json\n{answer}\n```"):
        try:
            row = read_answer(content, draft)
        except AngelError:
            continue
        assert all(finding["excerpt"] in draft for finding in row["findings"])


BOOK = Phrasebook.load()
EXAMPLES = [example for entry in BOOK.entries for example in entry.examples]


@pytest.mark.heavy
@settings(deadline=None, max_examples=500, suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(st.sampled_from(EXAMPLES), st.text(max_size=10)), max_size=20).map("".join))
def test_any_text_has_barbs_in_order_that_do_not_overlap(text: str) -> None:
    barbs = BOOK.find(text)
    assert all(0 <= barb.start < barb.end <= len(text) for barb in barbs)
    assert all(one.end <= other.start for one, other in itertools.pairwise(barbs))
