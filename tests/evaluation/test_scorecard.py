"""Figures that are never pooled, and checks that can't be gamed by failing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.evaluation.examples import Example
from bot.evaluation.gate import gate
from bot.evaluation.prices import Price
from bot.evaluation.scorecard import REWRITE_CHECKS, Outcome, Scorecard, Share, score
from bot.verdict import Label, Tone, Verdict

GOOD, CAUTION = Label.GOOD, Label.CAUTION
KIND = "Could we look at this one together, number {}?"


def outcome(
    number: int,
    expected: Label,
    said: Label | str,
    *,
    rewrite: str | None = KIND,
    latency_ms: float = 100,
    slice_: str = "work",
    language: str = "en",
    tokens: tuple[int | None, int | None] = (None, None),
    own_check: Label | None = GOOD,
    offline_check: Label | None = GOOD,
) -> Outcome:
    """A message numbered `number`; `said` is the model's label, or the code of the error it gave instead."""
    text = f"your work on number {number} is a bad joke" if expected is CAUTION else f"thanks for number {number}"
    verdict = None
    if isinstance(said, Label):
        verdict = Verdict(
            label=said,
            rewrite=rewrite.format(number) if rewrite and said is CAUTION else None,
            input_tokens=tokens[0],
            output_tokens=tokens[1],
        )
    return Outcome(
        example=Example(text=text, label=expected, slice=slice_, language=language),
        verdict=verdict,
        error=None if isinstance(said, Label) else said,
        latency_ms=latency_ms,
        own_check=own_check,
        offline_check=offline_check,
    )


def card(caught: int = 90, missed: int = 10, passed: int = 97, alarms: int = 3, *, failed: int = 0) -> Scorecard:
    """The same examples whenever `caught + missed` and `passed + alarms + failed` agree; the wrong rows come last."""
    stings = [CAUTION] * caught + [GOOD] * missed
    benign: list[Label | str] = [GOOD] * passed + [CAUTION] * alarms + ["unreadable"] * failed
    outcomes = [outcome(number, CAUTION, said) for number, said in enumerate(stings)]
    outcomes += [outcome(number, GOOD, said) for number, said in enumerate(benign)]
    return score(outcomes, model="some-model", version="1")


shares = st.integers(0, 5_000).flatmap(lambda of: st.integers(0, of).map(lambda count: Share(count=count, of=of)))


class TestTheInterval:
    @given(shares)
    def test_lies_between_0_and_1_and_around_the_rate(self, share: Share) -> None:
        low, high = share.interval
        assert 0 <= low <= high <= 1
        if share.rate is not None:
            assert low <= share.rate <= high
            assert low < high

    @given(shares)
    def test_is_the_mirror_image_for_the_rest(self, share: Share) -> None:
        low, high = share.interval
        rest_low, rest_high = Share(count=share.of - share.count, of=share.of).interval
        assert math.isclose(low, 1 - rest_high, abs_tol=1e-12)
        assert math.isclose(high, 1 - rest_low, abs_tol=1e-12)

    @given(st.integers(1, 2_000).flatmap(lambda of: st.tuples(st.integers(0, of - 1), st.just(of))))
    def test_rises_with_the_count(self, count_of: tuple[int, int]) -> None:
        count, of = count_of
        low, high = Share(count=count, of=of).interval
        next_low, next_high = Share(count=count + 1, of=of).interval
        assert low < next_low
        assert high < next_high

    @given(shares.filter(lambda share: share.of > 0), st.integers(2, 20))
    def test_narrows_with_more_rows(self, share: Share, times: int) -> None:
        low, high = share.interval
        more_low, more_high = Share(count=share.count * times, of=share.of * times).interval
        assert more_high - more_low < high - low

    def test_agrees_with_the_published_example(self) -> None:
        # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, Wilson without continuity correction.
        low, high = Share(count=81, of=263).interval
        assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
        low, high = Share(count=0, of=20).interval
        assert (round(low, 4), round(high, 4)) == (0.0, 0.1611)

    def test_of_nothing_is_unknown(self) -> None:
        assert Share(count=0, of=0).rate is None
        assert Share(count=0, of=0).interval == (0.0, 1.0)
        assert str(Share(count=0, of=0)) == "unknown (0 of 0)"

    def test_more_than_the_whole_is_refused(self) -> None:
        with pytest.raises(ValidationError):
            Share(count=2, of=1)


class TestTheFigures:
    def test_recall_precision_and_false_alarms_are_counted_apart(self) -> None:
        made = card(caught=8, missed=2, passed=15, alarms=5)
        assert str(made.recall) == "80.0 % (8 of 10)"
        assert str(made.precision) == "61.5 % (8 of 13)"
        assert str(made.false_alarms) == "25.0 % (5 of 20)"
        assert [made.count(CAUTION, CAUTION), made.count(CAUTION, GOOD)] == [8, 2]
        assert [made.count(GOOD, CAUTION), made.count(GOOD, GOOD)] == [5, 15]

    def test_a_row_without_a_verdict_is_a_sting_missed_and_no_clean_pass(self) -> None:
        made = score(
            [
                outcome(1, CAUTION, CAUTION),
                outcome(2, CAUTION, "refused"),
                outcome(3, GOOD, GOOD),
                outcome(4, GOOD, CAUTION),
                outcome(5, GOOD, "unreadable"),
                outcome(6, GOOD, "unreadable"),
            ],
            model="m",
        )
        assert (made.recall.count, made.recall.of) == (1, 2)
        assert (made.false_alarms.count, made.false_alarms.of) == (1, 2)
        assert (made.no_verdict.count, made.no_verdict.of) == (3, 6)
        assert made.errors == {"unreadable": 2, "refused": 1}
        assert made.count(GOOD, None) == 2

    def test_slices_and_languages_keep_their_two_sides_apart(self) -> None:
        made = score(
            [
                outcome(1, CAUTION, GOOD, slice_="family", language="de"),
                outcome(2, CAUTION, CAUTION, slice_="family"),
                outcome(3, GOOD, GOOD, slice_="banter"),
            ],
            model="m",
        )
        assert made.slices["family"].caught == Share(count=1, of=2)
        assert made.slices["family"].passed == Share(count=0, of=0)
        assert made.slices["banter"].passed == Share(count=1, of=1)
        assert made.languages["de"].caught == Share(count=0, of=1)

    def test_latency_is_the_nearest_rank_over_all_rows_failed_ones_too(self) -> None:
        outcomes = [outcome(n, GOOD, GOOD, latency_ms=n) for n in range(1, 20)]
        made = score([*outcomes, outcome(20, GOOD, "unavailable", latency_ms=20_000)], model="m")
        assert (made.p50_ms, made.p95_ms) == (10, 19)
        made = score([outcome(1, GOOD, "unavailable", latency_ms=7)], model="m")
        assert (made.p50_ms, made.p95_ms) == (7, 7)

    def test_cost_is_per_thousand_messages_that_reported_tokens(self) -> None:
        outcomes = [
            outcome(1, GOOD, GOOD, tokens=(1_000, 10)),
            outcome(2, GOOD, GOOD, tokens=(3_000, 30)),
            outcome(3, GOOD, GOOD, tokens=(500, None)),
            outcome(4, GOOD, "refused"),
        ]
        made = score(outcomes, model="m", prices={"m": Price(input=2, output=10)})
        assert (made.input_tokens, made.output_tokens) == (4_000, 40)
        assert made.cost_per_thousand == pytest.approx(2_000 * 2 / 1_000 + 20 * 10 / 1_000)

    def test_cost_is_unknown_without_a_price_or_tokens(self) -> None:
        priced = {"m": Price(input=2, output=10)}
        assert score([outcome(1, GOOD, GOOD, tokens=(1, 1))], model="other", prices=priced).cost_per_thousand is None
        assert score([outcome(1, GOOD, GOOD)], model="m", prices=priced).cost_per_thousand is None

    def test_of_no_rows_are_unknown_and_not_an_error(self) -> None:
        made = score([], model="m")
        assert made.recall.rate is None
        assert made.p95_ms is None
        assert made.metrics() == {"rows": 0.0}

    def test_metrics_carry_shares_with_bounds_and_leave_out_the_unknown(self) -> None:
        metrics = card(caught=8, missed=2, passed=15, alarms=5).metrics()
        assert metrics["caution_recall"] == 0.8
        assert metrics["caution_recall_low"] < 0.8 < metrics["caution_recall_high"]
        assert metrics["rewrites_passes_own_check"] == 1.0
        assert metrics["latency_p95_ms"] == 100.0
        assert "cost_per_thousand_usd" not in metrics
        assert all(isinstance(value, float) for value in metrics.values())

    def test_go_to_json_and_back(self) -> None:
        made = card(failed=1)
        assert Scorecard.model_validate_json(made.model_dump_json()) == made

    def test_an_outcome_is_a_verdict_or_an_error_and_not_both_or_neither(self) -> None:
        example = Example(text="hi", label=GOOD)
        for fields in ({}, {"verdict": Verdict(label=GOOD), "error": "refused"}):
            with pytest.raises(ValidationError):
                Outcome(example=example, latency_ms=1, **fields)  # type: ignore[arg-type]  # on purpose


class TestTheRewrites:
    def test_are_judged_on_cautions_that_are_right(self) -> None:
        made = score(
            [
                outcome(1, CAUTION, CAUTION),
                outcome(2, CAUTION, CAUTION, rewrite=None),
                outcome(3, CAUTION, GOOD),
                outcome(4, GOOD, CAUTION),
            ],
            model="m",
        )
        assert (made.offered.count, made.offered.of) == (1, 2)
        assert (made.clean.count, made.clean.of) == (1, 1)
        assert {share.of for share in made.checks.values()} == {1}

    @pytest.mark.parametrize(
        ("check", "changed"),
        [
            ("keeps_particulars", {"rewrite": "Could we look at it together?"}),
            ("adds_nothing", {"rewrite": KIND + " Say at 3, with Dana."}),
            ("differs", {"rewrite": "Your work on number {} is a bad joke!"}),
            ("sane_length", {"rewrite": KIND + " I would really like that." * 9}),
            ("passes_own_check", {"own_check": CAUTION}),
            ("passes_own_check", {"own_check": None}),
            ("passes_offline_check", {"offline_check": CAUTION}),
            ("passes_offline_check", {"offline_check": None}),
        ],
    )
    def test_fail_the_one_check_that_they_fail(self, check: str, changed: dict[str, object]) -> None:
        made = score([outcome(1, CAUTION, CAUTION), outcome(2, CAUTION, CAUTION, **changed)], model="m")  # type: ignore[arg-type]  # one keyword of several types
        assert {name: share.count for name, share in made.checks.items()} == {
            name: 1 if name == check else 2 for name in made.checks
        }
        assert made.clean.count == 1
        assert made.rows[1].failed_checks == (check,)

    def test_that_say_the_same_of_every_draft_are_not_clean(self) -> None:
        same = "Could we have a look at it together?"
        made = score(
            [*[outcome(n, CAUTION, CAUTION, rewrite=same) for n in (1, 2)], outcome(3, CAUTION, CAUTION)], model="m"
        )
        assert made.checks["is_for_this_draft"] == Share(count=1, of=3)
        assert [row.failed_checks[-1:] for row in made.rows] == [("is_for_this_draft",), ("is_for_this_draft",), ()]

    def test_may_say_the_same_of_one_text_in_two_tones(self) -> None:
        examples = [Example(text="Wow, genius.", label=CAUTION, tone=tone) for tone in (Tone.WARM, Tone.BRIEF)]
        verdict = Verdict(label=CAUTION, rewrite="Nice try.")
        made = score([Outcome(example=each, verdict=verdict, latency_ms=1) for each in examples], model="m")
        assert made.checks["is_for_this_draft"] == Share(count=2, of=2)

    def test_lose_a_name_only_where_one_is_lost(self) -> None:
        example = Example(text="So Priya is done and you are not, shocking", label=CAUTION)
        verdict = Verdict(label=CAUTION, rewrite="So one of us is done, and where are you?")
        made = score([Outcome(example=example, verdict=verdict, latency_ms=1)], model="m")
        assert "keeps_names" in made.rows[0].failed_checks

    def test_do_not_pass_a_check_that_raises(self) -> None:
        def brittle(_: Outcome, rewrite: str) -> bool:
            if "2" in rewrite:
                raise ZeroDivisionError
            return True

        outcomes = [outcome(1, CAUTION, CAUTION), outcome(2, CAUTION, CAUTION)]
        made = score(outcomes, model="m", checks={**REWRITE_CHECKS, "brittle": brittle})
        assert made.checks["brittle"] == Share(count=1, of=2)
        assert made.clean == Share(count=1, of=2)
        assert made.broken_checks == {"brittle": 1}
        assert any("`brittle` itself failed on 1" in reason for reason in gate(made, None))
