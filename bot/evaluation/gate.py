"""Whether a model may replace another, and why not. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bot.evaluation.changes import ChangeKind, compare
from bot.evaluation.scorecard import Scorecard, percent
from bot.verdict import Label


@dataclass(frozen=True)
class Thresholds:
    """What a model needs to become champion. The only place where these figures stand.

    - `min_recall`, `max_false_alarms`: what the offline check, which costs nothing, is held to on insults that other
      people wrote and on their neutral rewrites. A model that does worse has no reason to be asked.
    - `max_recall_drop`: below the champion's recall; here about five rows of the hundred.
    - `recall_drop_chance`: two runs of one model flip a few rows either way. So a drop counts as noise only while
      chance alone would break that many more rows than it fixes in more than one run out of ten (exact sign test).
    - `min_offered`, `min_clean`: one caution in ten may come without a rewrite, one rewrite in five may fail a check.
      A choice: under such a rewrite Angel says what was lost, and the author has the last word.
    - `min_judged_good`: as for clean rewrites. `min_agreement`: a judge that says of labelled rewrites what people say
      in less than four of five is no judge. Both count only where a judge is asked for.
    - `max_no_verdict`: one message in fifty may fall back to the offline check. A choice, too.
    """

    min_recall: float = 0.60
    max_false_alarms: float = 0.06
    max_recall_drop: float = 0.05
    recall_drop_chance: float = 0.10
    min_offered: float = 0.90
    min_clean: float = 0.80
    max_no_verdict: float = 0.02
    min_judged_good: float = 0.80
    min_agreement: float = 0.80


def gate(
    candidate: Scorecard,
    champion: Scorecard | None,
    *,
    examples: str | None = None,
    judged: bool = False,
    thresholds: Thresholds = Thresholds(),  # frozen, so one for all is safe
) -> list[str]:
    """The reasons, as sentences, why `candidate` may not become champion; none means that it may.

    `judged` also asks for a judge's word on the rewrites, and that the judge agrees with people. `examples` is the
    digest of the current examples: a scorecard on others says nothing about today's.
    """
    if examples is not None and candidate.examples != examples:
        return [
            "It was evaluated on other examples than the current ones. Run `angel model evaluate` on it first, "
            "on all of them."
        ]
    asked = _judged(candidate, thresholds) if judged else ()
    return [*_floors(candidate, thresholds), *asked, *(_against(candidate, champion, thresholds) if champion else ())]


def _floors(candidate: Scorecard, thresholds: Thresholds) -> Iterable[str]:
    for name, share, least in (
        ("Caution recall", candidate.recall, thresholds.min_recall),
        ("The share of cautions with a rewrite", candidate.offered, thresholds.min_offered),
        ("The share of clean rewrites", candidate.clean, thresholds.min_clean),
    ):
        if share.rate is None or share.rate < least:
            yield f"{name} is {share}; at least {percent(least)} is needed."
    for name, share, most in (
        ("The false alarm rate", candidate.false_alarms, thresholds.max_false_alarms),
        ("The share of messages without a verdict", candidate.no_verdict, thresholds.max_no_verdict),
    ):
        if share.rate is None or share.rate > most:
            yield f"{name} is {share}; at most {percent(most)} is allowed."
    for name, times in candidate.broken_checks.items():
        yield f"The check `{name}` itself failed on {times} of its rewrites, so nobody knows whether they are clean."


def _judged(candidate: Scorecard, thresholds: Thresholds) -> Iterable[str]:
    if candidate.judged_good is None:
        yield "No judge has read its rewrites. Evaluate it with --judge MODEL."
        return
    for name, share in candidate.agreement.items():
        if share.rate is None or share.rate < thresholds.min_agreement:
            yield (
                f"The judge agrees with people on `{name}` in {share}; at least {percent(thresholds.min_agreement)} is "
                "needed before anybody relies on it. Evaluate it with another judge."
            )
    share = candidate.judged_good
    if share.rate is None or share.rate < thresholds.min_judged_good:
        yield f"The judge finds {share} of the rewrites good; at least {percent(thresholds.min_judged_good)} is needed."


def _against(candidate: Scorecard, champion: Scorecard, thresholds: Thresholds) -> Iterable[str]:
    if candidate.examples != champion.examples:
        yield (
            "The champion was evaluated on other examples, so the two can't be compared. "
            "Run `angel model evaluate` on the champion first."
        )
        return
    changes = [change for change in compare(champion, candidate) if change.after.example.label is Label.CAUTION]
    missed = sum(change.kind is ChangeKind.BROKEN for change in changes)
    gained = sum(change.kind is ChangeKind.FIXED for change in changes)
    drop = (champion.recall.rate or 0.0) - (candidate.recall.rate or 0.0)
    chance = _chance_of_breaking(missed, gained)
    if drop > thresholds.max_recall_drop or (drop > 0 and chance < thresholds.recall_drop_chance):
        yield (
            f"Caution recall falls from {champion.recall} to {candidate.recall}: {missed} stings are missed that the "
            f"champion caught, and {gained} caught that it missed. Chance alone does that in {percent(chance)} of runs."
        )
    if candidate.false_alarms.count > champion.false_alarms.count:
        yield f"The false alarm rate rises from {champion.false_alarms} to {candidate.false_alarms}."


def _chance_of_breaking(broken: int, fixed: int) -> float:
    """The one-sided exact sign test: how often a fair coin breaks at least this many of the rows that changed."""
    flips = broken + fixed
    return sum(math.comb(flips, heads) for heads in range(broken, flips + 1)) / (1 << flips)
