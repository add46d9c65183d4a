"""Payloads on their way to the app, and what came of them."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from bot.local_slack.clock import Clock
from bot.local_slack.events import JSON, Events
from bot.local_slack.http import Http
from bot.local_slack.socket_mode import SocketMode

ACK_SECONDS = 3


@dataclass
class Delivery:
    """One payload on its way to the app, and what came of it."""

    kind: str
    payload: JSON = field(repr=False)
    user: str
    about: str
    """The command, callback id, action id or event: how Slack names it when it fails."""
    channel: str | None = None
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    via: str = ""
    acked: bool = False
    answer: Any = field(default=None, repr=False)
    """The body of the ack: an object, a text, or None."""
    error: str | None = None
    status: int | None = None


class Deliveries:
    """To the app, in the way that it is reached: HTTP while that has a `request_url`, else Socket Mode."""

    def __init__(self, clock: Clock, events: Events, http: Http, socket_mode: SocketMode) -> None:
        self._clock = clock
        self._events = events
        self._http = http
        self._socket_mode = socket_mode

    async def send(
        self, delivery: Delivery, *, timestamp: float | None = None, secret: str | None = None, again: bool = False
    ) -> None:
        """Fills in what came of it. `timestamp` and `secret` sign it wrongly; `again` marks it as sent before."""
        over_http = self._http.request_url is not None
        delivery.via = "http" if over_http else "socket_mode"
        about = {"delivery": delivery.id, "kind": delivery.kind}
        self._events.emit("delivery", **about, via=delivery.via, payload=delivery.payload)
        sending = (
            self._http.send(delivery.kind, delivery.payload, timestamp, secret, again)
            if over_http
            else self._socket_mode.send(delivery.kind, delivery.payload, again)
        )
        try:
            ack = await self._clock.within(sending, ACK_SECONDS)
            delivery.answer, delivery.error, delivery.status = ack.answer, ack.error, ack.status
        except TimeoutError:
            delivery.error = "operation_timeout"
        delivery.acked = delivery.error is None
        self._events.emit("ack", **about, answer=delivery.answer, error=delivery.error, status=delivery.status)
