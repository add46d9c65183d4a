"""Delivery to the app: signed over HTTP, or in envelopes over Socket Mode."""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from bot.local_slack.clock import Clock
from bot.local_slack.events import JSON, Events
from bot.local_slack.workspace import APP_ID

ACK_SECONDS = 3
CONNECTIONS = 10
"""Socket Mode connections that Slack allows an app."""


@dataclass
class Delivery:
    """One payload on its way to the app, and what came of it."""

    kind: str
    payload: JSON = field(repr=False)
    user: str
    about: str
    """The command, callback id or action id: how Slack names it when it fails."""
    channel: str | None = None
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    via: str = ""
    acked: bool = False
    answer: Any = field(default=None, repr=False)
    """The body of the ack: an object, a text, or None."""
    error: str | None = None
    status: int | None = None


@dataclass(eq=False)
class _Connection:
    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    leaving: bool = False
    """Told to go: gets nothing more while another one is there."""
    owed: set[asyncio.Future[JSON]] = field(default_factory=set)


class Line:
    """The line to the app. HTTP while `request_url` is set, else Socket Mode."""

    def __init__(self, clock: Clock, events: Events, signing_secret: str) -> None:
        self._clock = clock
        self._events = events
        self._signing_secret = signing_secret
        self.request_url: str | None = None
        self._session: aiohttp.ClientSession | None = None
        self._tickets: set[str] = set()
        self._connections: list[_Connection] = []
        self._turn = 0
        self._acks: dict[str, asyncio.Future[JSON]] = {}

    @property
    def connections(self) -> int:
        return len(self._connections)

    async def close(self) -> None:
        for connection in list(self._connections):
            await connection.socket.close()
        if self._session:
            await self._session.close()

    async def send(
        self, delivery: Delivery, *, timestamp: float | None = None, secret: str | None = None, again: bool = False
    ) -> None:
        """Fills in what came of it. `timestamp` and `secret` sign it wrongly; `again` marks it as sent before."""
        delivery.via = "http" if self.request_url else "socket_mode"
        self._events.emit(
            "delivery", delivery=delivery.id, kind=delivery.kind, via=delivery.via, payload=delivery.payload
        )
        try:
            sent = self._http(delivery, timestamp, secret, again) if self.request_url else self._socket(delivery, again)
            await self._clock.within(sent, ACK_SECONDS)
        except TimeoutError:
            delivery.error = "operation_timeout"
        delivery.acked = delivery.error is None
        self._events.emit(
            "ack",
            delivery=delivery.id,
            kind=delivery.kind,
            answer=delivery.answer,
            error=delivery.error,
            status=delivery.status,
        )

    # HTTP

    async def _http(self, delivery: Delivery, timestamp: float | None, secret: str | None, again: bool) -> None:
        assert self.request_url is not None
        command = delivery.kind == "slash_commands"
        body = urlencode(delivery.payload if command else {"payload": json.dumps(delivery.payload)}, errors="replace")
        # Apps compare it with the machine's clock, however far ours has been moved.
        at = str(int(time.time() if timestamp is None else timestamp))
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": signature(self._signing_secret if secret is None else secret, at, body),
        }
        if again:
            headers |= {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        try:
            async with self._session.post(
                self.request_url, data=body, headers=headers, allow_redirects=False
            ) as response:
                delivery.status = response.status
                text = await response.text(errors="replace")
                kind = response.content_type
        except aiohttp.ClientError:
            delivery.error = "dispatch_unknown_error"
            return
        if response.status != 200:
            delivery.error = "http_service_error" if response.status >= 500 else "http_client_error"
        elif kind == "application/json" and text:
            try:
                delivery.answer = json.loads(text)
            except ValueError:
                delivery.error = "invalid_command_response"
        else:
            delivery.answer = text or None

    # Socket Mode

    def ticket(self) -> str:
        """Lets one connection in."""
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return ticket

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        """A connection of the app, until it ends."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            raise web.HTTPForbidden
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse(heartbeat=30, timeout=1, max_msg_size=4 * 2**20)
        await socket.prepare(request)
        if self.connections == CONNECTIONS:
            await socket.send_json(_goodbye("too_many_websockets"))
            await socket.close()
            return socket
        connection = _Connection(socket, request.transport)
        self._connections.append(connection)
        await socket.send_json(
            {
                "type": "hello",
                "num_connections": self.connections,
                "debug_info": {"host": "applink-local", "build_number": 1, "approximate_connection_time": 18060},
                "connection_info": {"app_id": APP_ID},
            }
        )
        self._events.emit("connection", connections=self.connections)
        try:
            async for message in socket:
                if message.type == aiohttp.WSMsgType.TEXT:
                    self._acked(message.data)
        finally:
            if connection in self._connections:
                self._connections.remove(connection)
            self._events.emit("connection", connections=self.connections)
        return socket

    def _acked(self, text: str) -> None:
        try:
            frame = json.loads(text)
        except ValueError:
            return
        # An app that changed its connection in between acks on the new one.
        ack = self._acks.get(frame.get("envelope_id", "")) if isinstance(frame, dict) else None
        if ack and not ack.done():
            ack.set_result(frame)

    async def _socket(self, delivery: Delivery, again: bool) -> None:
        staying = [connection for connection in self._connections if not connection.leaving]
        line = staying or self._connections
        if not line:
            delivery.error = "dispatch_failed"
            return
        self._turn += 1
        connection = line[self._turn % len(line)]
        takes_answer = delivery.kind in ("slash_commands", "view_submission")
        envelope_id = secrets.token_hex(16)
        envelope: JSON = {
            "envelope_id": envelope_id,
            "type": "slash_commands" if delivery.kind == "slash_commands" else "interactive",
            "accepts_response_payload": takes_answer,
            "payload": delivery.payload,
        }
        if again:
            envelope |= {"retry_attempt": 1, "retry_reason": "timeout"}
        ack: asyncio.Future[JSON] = asyncio.get_running_loop().create_future()
        self._acks[envelope_id] = ack
        connection.owed.add(ack)
        try:
            await connection.socket.send_json(envelope)
            frame = await ack
        except ConnectionError:
            delivery.error = "dispatch_failed"
        else:
            delivery.answer = frame.get("payload") if takes_answer else None
        finally:
            del self._acks[envelope_id]
            connection.owed.discard(ack)

    async def disconnect(self, reason: str) -> None:
        """Tells every connection to go. `warning` leaves it some time; `refresh_requested` closes it, acks read."""
        for connection in list(self._connections):
            connection.leaving = True
            await connection.socket.send_json(_goodbye(reason))
            if reason != "warning":
                # A websocket that is being closed throws away what still comes, and that may be an ack.
                if connection.owed:
                    await asyncio.wait(connection.owed, timeout=ACK_SECONDS)
                await connection.socket.close()

    def drop(self) -> None:
        """Cuts every connection without a word."""
        for connection in list(self._connections):
            self._connections.remove(connection)
            if connection.transport:
                connection.transport.abort()


def signature(secret: str, timestamp: str, body: str) -> str:
    """Slack's `X-Slack-Signature`, version 0."""
    return "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()


def _goodbye(reason: str) -> JSON:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-local"}}
