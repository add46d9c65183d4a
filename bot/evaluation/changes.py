"""The rows that two models answer differently. Pure."""

from enum import StrEnum

from pydantic import BaseModel

from bot.errors import AngelError
from bot.evaluation.scorecard import FROZEN, Scorecard, ScoredRow
from bot.verdict import Label


class ChangeKind(StrEnum):
    """What became of a row: the verdict first, and the rewrite where the verdict stayed right."""

    BROKEN = "broken"
    FIXED = "fixed"
    REWRITE_SPOILED = "rewrite_spoiled"
    REWRITE_MENDED = "rewrite_mended"


class Change(BaseModel):
    """A row that two models answer differently."""

    model_config = FROZEN

    kind: ChangeKind
    before: ScoredRow
    after: ScoredRow


def compare(before: Scorecard, after: Scorecard) -> tuple[Change, ...]:
    """The rows that changed, those that got worse first. Raises AngelError where the two saw different examples."""
    if before.examples != after.examples:
        raise AngelError(
            "The two models were not evaluated on the same examples, so their rows can't be compared. "
            "Evaluate both on the same file."
        )
    earlier = {_key(row): row for row in before.rows}
    changes = [
        Change(kind=kind, before=earlier[_key(row)], after=row)
        for row in after.rows
        if (kind := _change(earlier[_key(row)], row))
    ]
    order = list(ChangeKind)
    return tuple(sorted(changes, key=lambda change: order.index(change.kind)))


def _key(row: ScoredRow) -> tuple[object, ...]:
    return (row.example.draft, row.example.label)


def _change(before: ScoredRow, after: ScoredRow) -> ChangeKind | None:
    if before.outcome.right != after.outcome.right:
        return ChangeKind.FIXED if after.outcome.right else ChangeKind.BROKEN
    if not after.outcome.right or _tidy(before) == _tidy(after):
        return None
    return ChangeKind.REWRITE_MENDED if _tidy(after) else ChangeKind.REWRITE_SPOILED


def _tidy(row: ScoredRow) -> bool:
    """Whether a right verdict comes with all it should: a caution with a clean rewrite."""
    return row.example.label is Label.GOOD or (row.outcome.rewrite is not None and not row.failed_checks)
