"""What a person sees of the local Slack, and whoever watches over it."""

import copy
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bot.local_slack.app import App
from bot.local_slack.clock import Clock
from bot.local_slack.errors import NotOffered, Refused
from bot.local_slack.events import JSON, Events, Subscription
from bot.local_slack.messages import Messages
from bot.local_slack.views import View, Views
from bot.local_slack.workspaces import Workspaces

T = TypeVar("T")

NOTICES = 200
"""Of Slack's own words to a person; the oldest go first."""


class Seen:
    """The state of everything that can be looked at."""

    def __init__(self, *, manifest: Mapping[str, Any] | None = None, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self._app = App(manifest)
        self._events = Events()
        self._workspaces = Workspaces(self._app, self._events)
        self._messages = Messages(self._workspaces, self.clock, self._events)
        self._views = Views(self._workspaces, self._events)
        self._notices: dict[str, deque[JSON]] = defaultdict(lambda: deque(maxlen=NOTICES))
        self.channel, self.quiet, self.private, self.dm, self.elsewhere, self.second_channel = self._workspaces.channels
        self.user, self.other, *_, self.second_user, _ = (
            user.id for user in self._workspaces.users.values() if not user.is_bot
        )
        self.team, self.second_team = self._workspaces.teams
        self.bot = self._workspaces.bot(self.team)

    def messages(self, channel: str | None = None, thread_ts: str | None = None) -> list[JSON]:
        """Those of a channel, replies included; with `thread_ts` the message that began the thread and its replies."""
        posted = self._messages.posted[channel or self.channel].values()
        return copy.deepcopy([each for each in posted if thread_ts in (None, each["ts"], each.get("thread_ts"))])

    def ephemerals(self, user: str | None = None, channel: str | None = None) -> list[JSON]:
        shown = self._messages.ephemeral[user or self.user].values()
        return copy.deepcopy([each for each in shown if channel in (None, each["channel"])])

    def view(self, user: str | None = None) -> JSON | None:
        view = self._views.modals.get(user or self.user)
        return copy.deepcopy(view.as_json()) if view else None

    def home(self, user: str | None = None) -> JSON | None:
        view = self._views.homes.get(user or self.user)
        return copy.deepcopy(view.as_json()) if view else None

    def state(self, view: JSON) -> dict[str, dict[str, JSON]]:
        return copy.deepcopy(self._view(view).typed)

    def view_errors(self, view: JSON) -> dict[str, str]:
        return dict(self._view(view).errors)

    def notices(self, user: str | None = None) -> list[JSON]:
        return copy.deepcopy(list(self._notices[user or self.user]))

    async def changed(self, predicate: Callable[[], T], timeout: float = 120) -> T:  # noqa: ASYNC109  # so that each wait can name its own
        return await self._events.changed(predicate, timeout)

    def subscribe(self) -> Subscription:
        return self._events.subscribe()

    def snapshot(self) -> JSON:
        """Everything, as it stands."""
        views = {"views": self._views.modals, "homes": self._views.homes}
        return copy.deepcopy(
            {
                "last": self._events.last,
                "signed_in": [self.user, self.second_user],
                "teams": [vars(team) for team in self._workspaces.teams.values()],
                "users": [vars(user) for user in self._workspaces.users.values()],
                "channels": [channel.as_json() for channel in self._workspaces.channels.values()],
                "messages": {channel: list(posted.values()) for channel, posted in self._messages.posted.items()},
                "ephemerals": {user: list(shown.values()) for user, shown in self._messages.ephemeral.items()},
                **{name: {user: view.as_json() for user, view in of.items()} for name, of in views.items()},
                "errors": {user: view.errors for user, view in self._views.modals.items()},
                "notices": {user: list(notices) for user, notices in self._notices.items()},
                "commands": self._app.commands,
                "shortcuts": self._app.shortcuts,
                "app": {"name": self._app.name, "has_home": self._app.has_home},
                "events": list(self._events.kept),
            }
        )

    def _notice(self, user: str, channel: str | None, error: str, about: str) -> None:
        """Slack's own words to a person when an app let them down."""
        self._notices[user].append({"error": error, "about": about, "channel": channel})
        self._events.emit("error", user=user, channel=channel, error=error, about=about)

    def _view(self, view: JSON, user: str | None = None) -> View:
        """The view, if they still see it. Raises NotOffered."""
        try:
            found = self._views.find(view["id"])
        except Refused:
            raise NotOffered("the view is closed") from None
        if user not in (None, found.user):
            raise NotOffered("the view is not in front of them")
        return found
