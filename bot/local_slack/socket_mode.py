"""Payloads over Socket Mode: https://docs.slack.dev/apis/events-api/using-socket-mode"""

import asyncio
import json
import secrets
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from bot.local_slack.ack import Ack
from bot.local_slack.app import APP_ID
from bot.local_slack.events import JSON, Events
from bot.local_slack.faults import Faults

CONNECTIONS = 10
"""That Slack allows an app."""


@dataclass(eq=False)
class _Connection:
    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    unacked: set[asyncio.Future[JSON]] = field(default_factory=set)


class SocketMode:
    """The connections of the app. A payload goes to any one of them, also to one that was told to go."""

    def __init__(self, events: Events, faults: Faults) -> None:
        self._events = events
        self._faults = faults
        self._tickets: set[str] = set()
        self._connections: list[_Connection] = []
        self._turn = 0
        self._acks: dict[str, asyncio.Future[JSON]] = {}

    @property
    def connections(self) -> int:
        return len(self._connections)

    def ticket(self) -> str:
        """Lets one connection in."""
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return ticket

    async def link(self, request: web.Request) -> web.StreamResponse:
        """A connection of the app, until it ends."""
        if fault := self._faults.next("link"):
            if fault.hang:
                await self._faults.hang()
            if request.transport and (fault.hang or fault.drop):
                request.transport.abort()
            return web.Response(status=fault.status or 503)
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

    async def send(self, kind: str, payload: JSON, again: bool) -> Ack:
        if not self._connections:
            return Ack(error="dispatch_failed")
        self._turn += 1
        connection = self._connections[self._turn % len(self._connections)]
        takes_answer = kind in ("slash_commands", "view_submission")
        envelope_id = secrets.token_hex(16)
        envelope: JSON = {
            "envelope_id": envelope_id,
            "type": kind if kind in ("slash_commands", "events_api") else "interactive",
            "accepts_response_payload": takes_answer,
            "payload": payload,
        }
        if again:
            envelope |= {"retry_attempt": 1, "retry_reason": "timeout"}
        ack: asyncio.Future[JSON] = asyncio.get_running_loop().create_future()
        self._acks[envelope_id] = ack
        connection.unacked.add(ack)
        try:
            await connection.socket.send_json(envelope)
            frame = await ack
        except ConnectionError:
            return Ack(error="dispatch_failed")
        finally:
            del self._acks[envelope_id]
            connection.unacked.discard(ack)
        return Ack(frame.get("payload") if takes_answer else None)

    async def disconnect(self, reason: str, *, acks: bool = True) -> None:
        """Tells every connection to go. With `warning` it stays for now; else it is closed.

        Before that the acks that are owed are awaited, as long as people wait for them; without `acks` they are lost.
        """
        for connection in list(self._connections):
            await connection.socket.send_json(_goodbye(reason))
            if reason == "warning":
                continue
            # A websocket that is being closed throws away what still comes, and that may be an ack.
            if acks and connection.unacked:
                await asyncio.wait(connection.unacked)
            await connection.socket.close()

    def drop(self) -> None:
        """Cuts every connection without a word."""
        for connection in list(self._connections):
            self._connections.remove(connection)
            if connection.transport:
                connection.transport.abort()

    async def close(self) -> None:
        for connection in list(self._connections):
            await connection.socket.close()


def _goodbye(reason: str) -> JSON:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-local"}}
