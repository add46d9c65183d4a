"""What lets an app act for a while: trigger ids and response urls.

https://docs.slack.dev/interactivity/handling-user-interaction
"""

import secrets
from dataclasses import dataclass
from typing import TypeVar

from bot.local_slack.clock import Clock
from bot.local_slack.errors import Refused

TRIGGER_SECONDS = 3
URL_SECONDS = 30 * 60
URL_USES = 5
GRANTS = 10_000
"""Of each kind remembered, dead ones too: Slack says why one no longer works. The oldest go first."""

T = TypeVar("T")


@dataclass
class Trigger:
    """Opens one view for `user`, who was in `channel` where that is set."""

    user: str
    channel: str | None
    issued: float
    exchanged: bool = False


@dataclass
class ResponseUrl:
    """Lets the app answer in `channel`. `original` is the message whose button was pressed, if one was."""

    user: str
    channel: str
    issued: float
    original: str | None
    uses: int = 0


class Grants:
    """Issues and checks them by the clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._triggers: dict[str, Trigger] = {}
        self._urls: dict[str, ResponseUrl] = {}

    def trigger(self, user: str, channel: str | None = None) -> str:
        trigger_id = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        _keep(self._triggers, trigger_id, Trigger(user, channel, self._clock.now()))
        return trigger_id

    def exchange(self, trigger_id: object) -> Trigger:
        """The trigger, of no further use. Raises Refused."""
        trigger = self._triggers.get(str(trigger_id))
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.exchanged:
            raise Refused("exchanged_trigger_id")
        if self._clock.now() - trigger.issued > TRIGGER_SECONDS:
            raise Refused("expired_trigger_id")
        trigger.exchanged = True
        return trigger

    def response_url(self, user: str, channel: str, original: str | None = None) -> str:
        """The last part of its path."""
        token = secrets.token_urlsafe(18)
        _keep(self._urls, token, ResponseUrl(user, channel, self._clock.now(), original))
        return token

    def use(self, token: str) -> ResponseUrl:
        """The grant, with one use less. Raises Refused."""
        grant = self._urls.get(token)
        if grant is None:
            raise Refused("invalid_url")
        if self._clock.now() - grant.issued > URL_SECONDS:
            raise Refused("expired_url")
        if grant.uses >= URL_USES:
            raise Refused("used_url")
        grant.uses += 1
        return grant


def _keep(grants: dict[str, T], key: str, grant: T) -> None:
    grants[key] = grant
    if len(grants) > GRANTS:
        del grants[next(iter(grants))]
