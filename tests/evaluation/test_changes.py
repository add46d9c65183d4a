"""The rows that two models answer differently."""

import re

import pytest

from bot.errors import AngelError
from bot.evaluation.changes import compare
from bot.evaluation.scorecard import score
from tests.evaluation.test_scorecard import CAUTION, GOOD, card, outcome


class TestComparing:
    def test_names_the_rows_that_broke_and_those_that_were_fixed_worst_first(self) -> None:
        before = [
            outcome(1, CAUTION, GOOD),
            outcome(2, CAUTION, CAUTION),
            outcome(3, GOOD, GOOD),
            outcome(4, CAUTION, CAUTION, own_check=CAUTION),
            outcome(5, CAUTION, CAUTION),
            outcome(6, CAUTION, CAUTION),
        ]
        after = [
            outcome(1, CAUTION, CAUTION),
            outcome(2, CAUTION, "refused"),
            outcome(3, GOOD, CAUTION),
            outcome(4, CAUTION, CAUTION),
            outcome(5, CAUTION, CAUTION, rewrite=None),
            outcome(6, CAUTION, CAUTION),
        ]
        changes = compare(score(before, model="a"), score(reversed(after), model="b"))
        assert [(change.kind, re.findall(r"\d", change.after.example.text)) for change in changes] == [
            ("broken", ["3"]),
            ("broken", ["2"]),
            ("fixed", ["1"]),
            ("rewrite_spoiled", ["5"]),
            ("rewrite_mended", ["4"]),
        ]
        assert [change.before.outcome.label for change in changes[:3]] == [GOOD, CAUTION, GOOD]

    def test_finds_nothing_between_equals(self) -> None:
        assert compare(card(), card()) == ()

    def test_refuses_different_examples(self) -> None:
        with pytest.raises(AngelError, match="same examples"):
            compare(card(), card(passed=98))
