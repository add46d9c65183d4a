"""What everything that Slack can ask of Angel is done with."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

from bot.slack.delivery import SlackClient
from bot.slack.in_flight import InFlight
from bot.verdict import Draft, Verdict

REMEMBERED = 5_000
"""Votes that this worker knows of, so that the same one again is not a second one, and nobody is asked twice."""


class Screener(Protocol):
    async def screen(self, draft: Draft, *, person: str | None = None) -> Verdict:
        """`person` is whose draft it is: of one person's, only so many are checked at once."""


class Recorder(Protocol):
    """Brings checks and votes to where they are kept. Nothing of it waits, and nothing raises.

    `keeps_text` says whether a person may be asked to give the text of a draft with a vote.
    """

    @property
    def keeps_text(self) -> bool: ...

    def check(self, draft: Draft, verdict: Verdict, *, seconds: float, way_in: str, user: str) -> str:
        """Returns the name under which a vote finds it."""

    def vote(self, check: str, *, helpful: bool, user: str) -> None: ...

    def keep_text(self, check: str, text: str, *, user: str) -> None: ...


class Votes:
    """The last vote of each person on each answer."""

    def __init__(self) -> None:
        self._votes: OrderedDict[tuple[str, str], bool] = OrderedDict()

    def cast(self, user: str, check: str, helpful: bool) -> bool | None:
        """The person's vote on that answer until now, None where this is the first."""
        before = self._votes.pop((user, check), None)
        self._votes[user, check] = helpful
        if len(self._votes) > REMEMBERED:
            self._votes.popitem(last=False)
        return before


@dataclass(frozen=True)
class Angel:
    """What everything that Slack can ask for is done with.

    Without a `recorder` a vote is a line in the log. `offline_note` is a line on what the offline check misses;
    `patience` is in seconds.
    """

    screener: Screener
    slack: SlackClient
    in_flight: InFlight
    recorder: Recorder | None
    offline_note: str
    patience: float
    votes: Votes = field(default_factory=Votes)
