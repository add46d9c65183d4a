"""The record of which version was champion when: each promotion and rollback, as tags of the registered model.

Tags, because MLflow shows them on the model's page, and because a run or a file of its own could be deleted apart from
the model.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum

PREFIX = "change."
"""A tag `change.<time in UTC>` holds one change as JSON."""
_MOST = 4_900
"""Characters of a tag's value that every MLflow store takes."""


class Kind(StrEnum):
    PROMOTE = "promote"
    FORCE = "force"
    ROLLBACK = "rollback"


@dataclass(frozen=True)
class Change:
    """The champion was `before` and became `after`: numbers of versions, `before` None for the first champion.

    `figures` are those that the new champion passed the gate on; `reason` is why the gate did not have to pass it, and
    `despite` what the gate said.
    """

    kind: Kind
    at: datetime
    by: str
    before: str | None
    after: str
    figures: Mapping[str, float]
    reason: str | None = None
    despite: str | None = None

    @property
    def tag(self) -> tuple[str, str]:
        """Its key and value on the registered model."""
        said = {name: value for name, value in asdict(self).items() if name != "at" and value not in (None, {})}
        value = json.dumps(said, ensure_ascii=False)
        if len(value) > _MOST:
            said = {**said, "despite": "cut short", "reason": (self.reason or "")[:1_000]}
            value = json.dumps(said, ensure_ascii=False)
        return f"{PREFIX}{self.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}", value


def read(tags: Mapping[str, str]) -> list[Change]:
    """The changes that stand in a registered model's tags, the oldest first. One that somebody broke is left out."""
    found = []
    for name, value in sorted(tags.items()):
        if not name.startswith(PREFIX):
            continue
        try:
            at = datetime.strptime(name.removeprefix(PREFIX), "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
            said = json.loads(value)
            found.append(
                Change(
                    Kind(said["kind"]),
                    at,
                    str(said["by"]),
                    said.get("before"),
                    str(said["after"]),
                    dict(said.get("figures") or {}),
                    said.get("reason"),
                    said.get("despite"),
                )
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def earlier_champions(changes: Sequence[Change], champion: str) -> list[str]:
    """The versions that a rollback from `champion` may lead to, the latest first.

    They were champions before it and were left for something newer. A version that was itself rolled back from is not
    among them, unless it was promoted again.
    """
    line: list[str] = []
    for change in changes:
        if change.kind is Kind.ROLLBACK:
            line = [*line[: line.index(change.after)], change.after] if change.after in line else [change.after]
        else:
            if change.before and change.before not in line:
                line.append(change.before)
            line = [*(number for number in line if number != change.after), change.after]
    return [number for number in reversed(line) if number != champion]
