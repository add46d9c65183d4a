"""A gate that gives its reasons."""

import pytest

from bot.evaluation.examples import digest
from bot.evaluation.gate import Thresholds, gate
from bot.evaluation.scorecard import Scorecard, score
from tests.evaluation.test_scorecard import CAUTION, GOOD, KIND, card, outcome


class TestTheGate:
    def test_lets_a_good_first_model_through(self) -> None:
        assert gate(card(), None) == []

    def test_lets_an_equal_and_a_better_model_through(self) -> None:
        assert gate(card(), card()) == []
        assert gate(card(caught=95, missed=5, passed=99, alarms=1), card()) == []

    def test_wants_the_current_examples(self) -> None:
        made = card()
        current = digest(row.example for row in made.rows)
        assert gate(made, None, examples=current) == []
        (reason,) = gate(made, None, examples="another")
        assert "angel model evaluate" in reason

    @pytest.mark.parametrize(
        ("made", "said"),
        [
            (card(caught=59, missed=41), "Caution recall is 59.0 % (59 of 100); at least 60.0 % is needed."),
            (card(passed=93, alarms=7), "The false alarm rate is 7.0 % (7 of 100); at most 6.0 % is allowed."),
            (card(failed=5), "The share of messages without a verdict is 2.4 % (5 of 205); at most 2.0 % is allowed."),
            (card(caught=0, missed=0), "Caution recall is unknown (0 of 0); at least 60.0 % is needed."),
            (card(passed=0, alarms=0), "The false alarm rate is unknown (0 of 0); at most 6.0 % is allowed."),
        ],
    )
    def test_has_floors_whoever_is_champion(self, made: Scorecard, said: str) -> None:
        assert said in gate(made, None)
        assert said in gate(made, made)

    def test_wants_rewrites_and_clean_ones(self) -> None:
        spoiled = score(
            [outcome(n, CAUTION, CAUTION, own_check=CAUTION if n < 3 else GOOD) for n in range(10)], model="m"
        )
        absent = score([outcome(n, CAUTION, CAUTION, rewrite=None if n < 2 else KIND) for n in range(10)], model="m")
        assert any("clean rewrites is 70.0 % (7 of 10)" in reason for reason in gate(spoiled, None))
        assert any("with a rewrite is 80.0 % (8 of 10)" in reason for reason in gate(absent, None))

    def test_takes_a_row_or_two_of_lost_recall_for_noise(self) -> None:
        assert gate(card(caught=88, missed=12), card()) == []

    def test_refuses_a_drop_in_recall_that_chance_does_not_explain(self) -> None:
        (reason,) = gate(card(caught=86, missed=14), card())
        assert "falls from 90.0 % (90 of 100) to 86.0 % (86 of 100)" in reason
        assert "4 stings are missed that the champion caught, and 0 caught" in reason
        assert "6.2 % of runs" in reason

    def test_refuses_a_large_drop_even_where_chance_might_explain_it(self) -> None:
        before = [outcome(n, CAUTION, GOOD if n < 10 else CAUTION) for n in range(100)]
        after = [outcome(n, CAUTION, CAUTION if n < 10 or n >= 27 else GOOD) for n in range(100)]
        benign = [outcome(n, GOOD, GOOD) for n in range(10)]
        (reason,) = gate(score([*after, *benign], model="b"), score([*before, *benign], model="a"))
        assert "17 stings are missed" in reason
        assert (
            gate(
                score([*after, *benign], model="b"),
                score([*before, *benign], model="a"),
                thresholds=Thresholds(max_recall_drop=0.1),
            )
            == []
        )

    def test_refuses_one_more_false_alarm_than_the_champions(self) -> None:
        assert gate(card(passed=96, alarms=4), card()) == [
            "The false alarm rate rises from 3.0 % (3 of 100) to 4.0 % (4 of 100)."
        ]

    def test_refuses_to_compare_with_a_champion_of_other_examples(self) -> None:
        (reason,) = gate(card(), card(passed=98))
        assert "other examples" in reason

    def test_thresholds_are_the_callers_to_change(self) -> None:
        assert gate(card(caught=59, missed=41), None, thresholds=Thresholds(min_recall=0.5)) == []
