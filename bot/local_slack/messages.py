"""Messages: what everybody in a place sees, and what one person alone does."""

from collections import defaultdict

from bot.local_slack.clock import Clock
from bot.local_slack.events import JSON, Events
from bot.local_slack.inputs import State
from bot.local_slack.workspaces import Workspaces

MESSAGES = 2_000
"""Messages kept in a channel, and ephemeral ones of a person; the oldest go first."""


class Messages:
    """State, and the events of its changes."""

    def __init__(self, workspaces: Workspaces, clock: Clock, events: Events) -> None:
        self._workspaces = workspaces
        self._clock = clock
        self._events = events
        self._last_ts = 0
        self.posted: dict[str, dict[str, JSON]] = defaultdict(dict)
        """channel -> ts -> message."""
        self.ephemeral: dict[str, dict[str, JSON]] = defaultdict(dict)
        """user -> ts -> message."""
        self.picked: dict[str, State] = defaultdict(dict)
        """What was picked in a message, by its ts."""

    def ts(self) -> str:
        """The next timestamp, which is also a name: no two are the same."""
        self._last_ts = max(int(self._clock.now() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def post(self, channel: str, message: JSON) -> JSON:
        thread_ts = message.get("thread_ts")
        parent = self.posted[channel].get(thread_ts) if thread_ts else None
        message = {"type": "message", **message, **self._where(channel)}
        if parent is not None:
            parent["thread_ts"] = thread_ts
            parent["reply_count"] = parent.get("reply_count", 0) + 1
            message["parent_user_id"] = parent.get("user")
        _keep(self.posted[channel], message)
        self._events.emit("message", channel=channel, message=message)
        return message

    def show(self, user: str, channel: str, message: JSON) -> JSON:
        """A message that only `user` sees."""
        message = {"type": "message", **message, **self._where(channel), "is_ephemeral": True, "seen_by": user}
        _keep(self.ephemeral[user], message)
        self._events.emit("ephemeral", user=user, channel=channel, message=message)
        return message

    def find(self, user: str, channel: str, ts: str) -> tuple[JSON, bool]:
        """The message as `user` sees it, and whether it is ephemeral. Raises KeyError."""
        if ts in self.ephemeral[user]:
            return self.ephemeral[user][ts], True
        return self.posted[channel][ts], False

    def replace(self, user: str, channel: str, ts: str, fields: JSON) -> JSON:
        """The message with new `text` and `blocks`, in its place, changed by `user`. Raises KeyError."""
        message, ephemeral = self.find(user, channel, ts)
        for name in ("text", "blocks"):
            message.pop(name, None)
        message.update(fields)
        if not ephemeral:
            message["edited"] = {"user": user, "ts": self.ts()}
        self._events.emit("replaced", channel=channel, ts=ts, message=message, user=user if ephemeral else None)
        return message

    def delete(self, user: str, channel: str, ts: str) -> None:
        """Raises KeyError."""
        _, ephemeral = self.find(user, channel, ts)
        del (self.ephemeral[user] if ephemeral else self.posted[channel])[ts]
        self._events.emit("deleted", channel=channel, ts=ts, user=user if ephemeral else None)

    def _where(self, channel: str) -> JSON:
        return {"team": self._workspaces.channels[channel].team, "ts": self.ts(), "channel": channel}


def _keep(messages: dict[str, JSON], message: JSON) -> None:
    messages[message["ts"]] = message
    if len(messages) > MESSAGES:
        del messages[next(iter(messages))]
