"""How a model did on labelled messages. Pure.

Recall, precision and false alarms stand side by side and are never pooled into one score: a model that cries wolf
and a model that sleeps are bad in different ways, and an average hides which of the two it is.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.evaluation import rewrites
from bot.evaluation.examples import Example, digest
from bot.evaluation.prices import PRICES, Price
from bot.verdict import Label, Verdict

_T = TypeVar("_T")
FROZEN = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Judged(BaseModel):
    """What a judge said of a rewrite: whether it passes the question `name`, why, and which model `by` said so."""

    model_config = FROZEN

    name: str
    passed: bool
    rationale: str
    by: str


class Outcome(BaseModel):
    """What a model made of one example: a verdict, or in its place the code of a ModelError.

    `latency_ms` is the time until either was there. `own_check` is the same model's label of the rewrite,
    `offline_check` the offline model's, which can't fault what it can't read; None where nobody asked or no label came
    back, which counts as not passed.
    `judged` is what another model said of the rewrite, and `nearness` how near in meaning it is to the draft, 0 to 1.
    """

    model_config = FROZEN

    example: Example
    verdict: Verdict | None = None
    error: str | None = None
    latency_ms: float = Field(ge=0, allow_inf_nan=False)
    own_check: Label | None = None
    offline_check: Label | None = None
    judged: tuple[Judged, ...] = ()
    nearness: float | None = None

    @model_validator(mode="after")
    def _verdict_or_error(self) -> "Outcome":
        if (self.verdict is None) == (self.error is None):
            raise ValueError("an outcome has either a verdict or an error")
        return self

    @property
    def label(self) -> Label | None:
        return self.verdict.label if self.verdict else None

    @property
    def right(self) -> bool:
        return self.label is self.example.label

    @property
    def rewrite(self) -> str | None:
        """The rewrite where one was due: for a caution that is right. Rewrites of false alarms are not judged."""
        return self.verdict.rewrite if self.verdict and self.right else None


RewriteCheck = Callable[[Outcome, str], bool]

REWRITE_CHECKS: Mapping[str, RewriteCheck] = {
    "keeps_particulars": lambda outcome, rewrite: rewrites.keeps_particulars(outcome.example.text, rewrite),
    "keeps_names": lambda outcome, rewrite: rewrites.keeps_names(
        outcome.example.text, rewrite, outcome.example.language
    ),
    "adds_nothing": lambda outcome, rewrite: rewrites.adds_nothing(
        outcome.example.text, rewrite, outcome.example.language
    ),
    "differs": lambda outcome, rewrite: rewrites.differs(outcome.example.text, rewrite),
    "sane_length": lambda outcome, rewrite: rewrites.sane_length(outcome.example.text, rewrite),
    "passes_own_check": lambda outcome, _: outcome.own_check is Label.GOOD,
    "passes_offline_check": lambda outcome, _: outcome.offline_check in (Label.GOOD, Label.UNREAD),
}
"""What a clean rewrite does, every one of them. Each is given an outcome and its rewrite. `score` adds
`is_for_this_draft`, which needs to see all rewrites: the same kind words for every sting pass all the others."""


class Share(BaseModel):
    """`count` of `of`, with the Wilson interval at 95 %: honest for small numbers and near 0 and 1, unlike plus-minus.

    With nothing to count the share is unknown: `rate` is None and the interval is all of 0 to 1.
    """

    model_config = FROZEN

    count: int = Field(ge=0)
    of: int = Field(ge=0)

    @model_validator(mode="after")
    def _part_of_the_whole(self) -> "Share":
        if self.count > self.of:
            raise ValueError("a share is at most the whole")
        return self

    @property
    def rate(self) -> float | None:
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        if not self.of:
            return 0.0, 1.0
        z2 = _Z * _Z
        rate = self.count / self.of
        middle = (self.count + z2 / 2) / (self.of + z2)
        half = _Z / (self.of + z2) * math.sqrt(self.of * rate * (1 - rate) + z2 / 4)
        # Rounding must not push a bound past the rate it bounds.
        return max(0.0, min(middle - half, rate)), min(1.0, max(middle + half, rate))

    def __str__(self) -> str:
        """`91.3 % (84 of 92)`, or `unknown (0 of 0)`."""
        rate = "unknown" if self.rate is None else percent(self.rate)
        return f"{rate} ({self.count} of {self.of})"


_Z = NormalDist().inv_cdf(0.975)


def percent(rate: float) -> str:
    return f"{rate * 100:.1f} %"


class Tally(BaseModel):
    """One slice of the examples: the stings it caught and the fine messages it let pass, apart from each other."""

    model_config = FROZEN

    caught: Share
    passed: Share


class ScoredRow(BaseModel):
    """An outcome with what each rewrite check said; `checks` is empty where there was no rewrite to check."""

    model_config = FROZEN

    outcome: Outcome
    checks: dict[str, bool] = Field(default_factory=dict)

    @property
    def example(self) -> Example:
        return self.outcome.example

    @property
    def failed_checks(self) -> tuple[str, ...]:
        return tuple(name for name, passed in self.checks.items() if not passed)


class Scorecard(BaseModel):
    """How a model did on many examples. `score` makes one; it goes to JSON and back whole.

    - `recall`: stings called `caution`, of all `caution` rows. A row without a verdict is a sting missed.
    - `precision`: stings, of all rows called `caution`.
    - `false_alarms`: `good` rows called `caution`, of those with a verdict: an unreadable answer isn't a clean pass.
    - `no_verdict`: rows with an error in the verdict's place, of all; `errors` counts them by code.
    - `offered`: rewrites, of the cautions that are right. `checks`: rewrites that pass each check, of those.
      `clean`: rewrites that pass all of them.
    - `broken_checks`: how often a check itself failed. The rewrite then has not passed it.
    - `judged`: rewrites that pass each question of a judge, of those it was asked of; `judged_good`: all its questions.
      `agreement`: how often that judge says what people said, by question. `nearness`: the mean of the rewrites'.
    - `p50_ms`, `p95_ms`: latency over all rows. Tokens are sums over the rows that report them.
    - `cost_per_thousand`: US dollars for a thousand messages like these; None where price or tokens are unknown.
    """

    model_config = FROZEN

    model: str
    version: str | None
    examples: str
    rows: tuple[ScoredRow, ...]
    recall: Share
    precision: Share
    false_alarms: Share
    no_verdict: Share
    errors: dict[str, int]
    slices: dict[str, Tally]
    languages: dict[str, Tally]
    offered: Share
    checks: dict[str, Share]
    clean: Share
    broken_checks: dict[str, int]
    judged: dict[str, Share] = Field(default_factory=dict)
    judged_good: Share | None = None
    agreement: dict[str, Share] = Field(default_factory=dict)
    nearness: float | None = None
    p50_ms: float | None
    p95_ms: float | None
    input_tokens: int | None
    output_tokens: int | None
    cost_per_thousand: float | None

    def count(self, expected: Label, label: Label | None) -> int:
        """One cell of the confusion matrix; a `label` of None is the column of rows without a verdict."""
        return sum(row.example.label is expected and row.outcome.label is label for row in self.rows)

    def metrics(self) -> dict[str, float]:
        """The figures as MLflow's metrics: shares as 0 to 1 with their bounds. What is unknown is left out."""
        shares = {
            "caution_recall": self.recall,
            "caution_precision": self.precision,
            "false_alarms": self.false_alarms,
            "no_verdict": self.no_verdict,
            "rewrites_offered": self.offered,
            "rewrites_clean": self.clean,
            **{f"rewrites_{name}": share for name, share in self.checks.items()},
        }
        found: dict[str, float | None] = {"rows": len(self.rows)}
        for name, share in shares.items():
            if share.rate is not None:
                low, high = share.interval
                found |= {name: share.rate, f"{name}_low": low, f"{name}_high": high}
        found |= {
            "rewrites_judged_good": self.judged_good.rate if self.judged_good else None,
            "rewrites_nearness": self.nearness,
            "latency_p50_ms": self.p50_ms,
            "latency_p95_ms": self.p95_ms,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_per_thousand_usd": self.cost_per_thousand,
        }
        return {name: float(value) for name, value in found.items() if value is not None}


def score(
    outcomes: Iterable[Outcome],
    *,
    model: str,
    version: str | None = None,
    prices: Mapping[str, Price] = PRICES,
    checks: Mapping[str, RewriteCheck] = REWRITE_CHECKS,
    agreement: Mapping[str, Share] | None = None,
) -> Scorecard:
    """The scorecard of a model's outcomes. `model` is the name that `prices` knows it by, where it does."""
    all_outcomes = list(outcomes)
    checks = {**checks, "is_for_this_draft": _given_for_one_draft(all_outcomes)}
    broken: Counter[str] = Counter()
    rows = tuple(ScoredRow(outcome=outcome, checks=_checked(outcome, checks, broken)) for outcome in all_outcomes)
    stings = [each for each in all_outcomes if each.example.label is Label.CAUTION]
    benign = [each for each in all_outcomes if each.example.label is Label.GOOD]
    cautions = [each for each in all_outcomes if each.label is Label.CAUTION]
    rewritten = [row for row in rows if row.outcome.rewrite is not None]
    input_tokens, output_tokens, metered = _tokens(all_outcomes)
    return Scorecard(
        model=model,
        version=version,
        examples=digest(each.example for each in all_outcomes),
        rows=rows,
        recall=_share(stings, lambda each: each.right),
        precision=_share(cautions, lambda each: each.right),
        false_alarms=_share([each for each in benign if each.verdict], lambda each: not each.right),
        no_verdict=_share(all_outcomes, lambda each: each.verdict is None),
        errors=dict(Counter(each.error for each in all_outcomes if each.error).most_common()),
        slices=_tallies(all_outcomes, lambda each: each.example.slice),
        languages=_tallies(all_outcomes, lambda each: each.example.language),
        offered=Share(count=len(rewritten), of=sum(each.right for each in stings)),
        checks={name: Share(count=sum(row.checks[name] for row in rewritten), of=len(rewritten)) for name in checks},
        clean=_share(rewritten, lambda row: not row.failed_checks),
        broken_checks=dict(broken),
        **_judged([row.outcome for row in rewritten]),
        agreement=dict(agreement or {}),
        p50_ms=_percentile([each.latency_ms for each in all_outcomes], 0.50),
        p95_ms=_percentile([each.latency_ms for each in all_outcomes], 0.95),
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cost_per_thousand=_cost_per_thousand(prices.get(model), input_tokens, output_tokens, metered),
    )


def _checked(outcome: Outcome, checks: Mapping[str, RewriteCheck], broken: Counter[str]) -> dict[str, bool]:
    rewrite = outcome.rewrite
    if rewrite is None:
        return {}
    passed = {}
    for name, check in checks.items():
        try:
            passed[name] = check(outcome, rewrite)
        except Exception:
            # Whatever went wrong: a check that can't tell must not improve the figures. `broken` makes it visible.
            passed[name] = False
            broken[name] += 1
    return passed


def _given_for_one_draft(outcomes: Iterable[Outcome]) -> RewriteCheck:
    drafts: defaultdict[str, set[str]] = defaultdict(set)
    for outcome in outcomes:
        if outcome.rewrite is not None:
            # One text in two tones may well end in the same words.
            drafts[rewrites.plain(outcome.rewrite)].add(outcome.example.text)
    return lambda _, rewrite: len(drafts[rewrites.plain(rewrite)]) == 1


def _judged(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The fields of a scorecard that another model's judgement of these rewrites gives."""
    said = [outcome.judged for outcome in outcomes if outcome.judged]
    names = dict.fromkeys(each.name for answers in said for each in answers)
    by_name = {name: [each.passed for answers in said for each in answers if each.name == name] for name in names}
    near = [outcome.nearness for outcome in outcomes if outcome.nearness is not None]
    return {
        "judged": {name: _share(passed, bool) for name, passed in by_name.items()},
        "judged_good": _share(said, lambda answers: all(each.passed for each in answers)) if said else None,
        "nearness": sum(near) / len(near) if near else None,
    }


def _share(items: Sequence[_T], counts: Callable[[_T], bool]) -> Share:
    return Share(count=sum(counts(item) for item in items), of=len(items))


def _tallies(outcomes: Sequence[Outcome], of: Callable[[Outcome], str]) -> dict[str, Tally]:
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(of(outcome), []).append(outcome)
    return {
        name: Tally(
            caught=_share([each for each in group if each.example.label is Label.CAUTION], lambda each: each.right),
            passed=_share([each for each in group if each.example.label is Label.GOOD], lambda each: each.right),
        )
        for name, group in groups.items()
    }


def _tokens(outcomes: Sequence[Outcome]) -> tuple[int | None, int | None, int]:
    """The tokens in, the tokens out, and the number of rows that reported both."""
    counted = [
        (each.verdict.input_tokens, each.verdict.output_tokens)
        for each in outcomes
        if each.verdict and each.verdict.input_tokens is not None and each.verdict.output_tokens is not None
    ]
    if not counted:
        return None, None, 0
    return sum(into for into, _ in counted), sum(out for _, out in counted), len(counted)


def _cost_per_thousand(
    price: Price | None, input_tokens: int | None, output_tokens: int | None, rows: int
) -> float | None:
    if price is None or input_tokens is None or output_tokens is None:
        return None
    return (input_tokens * price.input + output_tokens * price.output) / 1_000_000 / rows * 1_000


def _percentile(values: Sequence[float], share: float) -> float | None:
    """The nearest rank: the smallest value that at least this share of the values does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else None
