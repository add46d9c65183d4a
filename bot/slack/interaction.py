"""What one person did in Slack: the payload of a command, shortcut, button, menu or form, and how to ack it."""

import asyncio
from dataclasses import dataclass
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.store.owners import Person, person_of

Body = dict[str, Any]

ACK_READ = "ack_read"
"""In the context of a request: an event for when Slack has read its ack, set by whoever sends it."""


@dataclass(frozen=True)
class Interaction:
    """`ack_read` is set by whoever sends the ack, once Slack has surely read it."""

    body: Body
    ack: AsyncAck
    ack_read: asyncio.Event

    @property
    def user(self) -> str:
        return self.person.user_id

    @property
    def person(self) -> Person:
        return person_of(self.body)

    @property
    def channel_id(self) -> str:
        """The conversation it was done in; empty in a modal, in the Home tab, and for a global shortcut."""
        return str(self.body.get("channel_id") or (self.body.get("channel") or {}).get("id") or "")

    @property
    def channel_name(self) -> str:
        return str(self.body.get("channel_name") or (self.body.get("channel") or {}).get("name") or "")

    @property
    def trigger_id(self) -> str:
        """What tells this interaction from every other; an event has an id in its place, and opens nothing."""
        return str(self.body.get("trigger_id") or self.body.get("event_id") or "")

    @property
    def response_url(self) -> str:
        """Empty where there is none: in a modal, and for a global shortcut."""
        return str(self.body.get("response_url") or "")

    @property
    def view(self) -> Body | None:
        """The modal that it was done in."""
        view: Body | None = self.body.get("view")
        return view

    @property
    def action_id(self) -> str:
        return str(self.body["actions"][0]["action_id"])

    @property
    def value(self) -> str:
        """What the pressed button or the picked option carries."""
        action = self.body["actions"][0]
        return str(action.get("value") or (action.get("selected_option") or {}).get("value") or "")
