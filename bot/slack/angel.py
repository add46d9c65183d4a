"""What everything that Slack can ask of Angel is done with."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from bot.slack.delivery import SlackClient
from bot.slack.in_flight import InFlight
from bot.slack.sending import Sender
from bot.store.owners import Person, Workspace
from bot.store.terms import About
from bot.verdict import Draft, Verdict

if TYPE_CHECKING:
    from bot.store.store import Store  # which imports the database; a worker without a store does without

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
    `patience` is in seconds; `model_note` says who reads drafts. Without a `store` nothing is kept and nobody connects;
    `connect_link` is where a person does, and is there where browsers can reach us.
    """

    screener: Screener
    slack: SlackClient
    in_flight: InFlight
    recorder: Recorder | None
    offline_note: str
    patience: float
    model_note: str = ""
    store: "Store | None" = None
    sender: Sender | None = None
    connect_link: Callable[[Person], str] | None = None
    votes: Votes = field(default_factory=Votes)

    def in_workspace(self, workspace: Workspace) -> "Angel":
        """The same with that workspace's token, where many have installed Angel."""
        if self.store is None:
            return self
        tokens = self.store.tokens
        return replace(self, slack=self.slack.with_token(lambda: tokens.of_bot(workspace)))

    async def about(self, person: Person) -> About:
        """What is known of the person; nothing without a store."""
        return About() if self.store is None else await self.store.about(person)
