"""The line to Slack over Socket Mode.

It speaks what Slack documents for apps without its SDK (https://docs.slack.dev/apis/events-api/using-socket-mode), on
aiohttp's websocket. The SDK's own client closes a connection before it has the next one, with what Slack has sent on it
and it has not yet read; and it polls where the websocket has events.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import aiohttp
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.angel import Screener
from bot.slack.app import build_app
from bot.slack.delivery import PAUSES, SLACK_URL, SlackClient
from bot.slack.in_flight import READ_SECONDS, InFlight, log, log_bug
from bot.slack.interaction import ACK_READ
from bot.slack.process import END_SECONDS, Ended, accepted, end, persistently, rejections_explained
from bot.slack.quiet import quiet

logger = logging.getLogger(__name__)

PING_SECONDS = 5.0
"""Between pings. A line that has died without a word is noticed half as long after one."""
CONNECT_SECONDS = 10.0
LINGER_SECONDS = 12.0
"""How long a connection that Slack is about to close still listens; Slack closes it about 10 s after its warning."""
ACK_SECONDS = 3.0
UNREAD_SECONDS = 1.0
"""An ack that was sent so shortly before Slack closed the connection may not have been read: it is sent again."""
ARRIVING_SECONDS = 0.05
"""For what Slack sent just before it could know that we go."""

Envelope = dict[str, Any]


async def serve_socket_mode(
    screener: Screener,
    stop: asyncio.Event,
    *,
    bot_token: str,
    app_token: str,
    slack_url: str = SLACK_URL,
    timeout: float = 10.0,  # noqa: ASYNC109  # of one call to Slack
    pauses: tuple[float, ...] = PAUSES,
    end_seconds: float = END_SECONDS,
    linger_seconds: float = LINGER_SECONDS,
    **options: Any,
) -> None:
    """Answers over Socket Mode until `stop`. `options` go to `build_app`, `timeout` and `pauses` to `SlackClient`.

    Raises SettingsError where Slack does not accept a token.
    """
    in_flight = InFlight()
    async with SlackClient(bot_token=bot_token, slack_url=slack_url, timeout=timeout, pauses=pauses) as slack:
        app = build_app(screener, slack, in_flight, bot_token=bot_token, **options)
        async with _Line(app, app_token, slack_url, linger_seconds) as line:
            try:
                with contextlib.suppress(Ended):
                    await accepted(bot_token, slack_url, stop)
                    await line.run(stop)
            finally:
                await end(in_flight, end_seconds - line.closing_seconds)


class _Line:
    """One connection, and at times the one before it: a new one stands before the old one goes."""

    def __init__(self, app: AsyncApp, app_token: str, slack_url: str, linger_seconds: float) -> None:
        self._app = app
        self._web = AsyncWebClient(
            token=app_token, base_url=slack_url, timeout=int(CONNECT_SECONDS), logger=quiet(), retry_handlers=[]
        )
        self._linger_seconds = linger_seconds
        self.closing_seconds = 0.0
        """What its end took."""

    async def __aenter__(self) -> "_Line":
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._session.close()

    async def run(self, stop: asyncio.Event) -> None:
        """Raises SettingsError where Slack does not accept the app token, and Ended at `stop`."""
        leaving: set[asyncio.Task[None]] = set()
        stopping = asyncio.ensure_future(stop.wait())
        current = await self._connect(stop)
        try:
            while True:
                over = asyncio.ensure_future(current.over.wait())
                await asyncio.wait({over, stopping}, return_when=asyncio.FIRST_COMPLETED)
                over.cancel()
                if stop.is_set():
                    return
                before, current = current, await self._connect(stop)
                before.successor.set_result(current)
                task = asyncio.ensure_future(before.leave(self._linger_seconds, stopping))
                leaving.add(task)
                task.add_done_callback(leaving.discard)
        finally:
            began = time.monotonic()
            stopping.cancel()
            await asyncio.gather(*leaving, current.leave(0, stopping))
            self.closing_seconds = time.monotonic() - began

    async def _connect(self, stop: asyncio.Event) -> "_Connection":
        """A connection that stands, however long it takes. Raises Ended at `stop`."""
        async for attempt in persistently(stop, "no connection to Slack"):
            with attempt, rejections_explained("SLACK_APP_TOKEN"):
                async with asyncio.timeout(CONNECT_SECONDS):
                    opened = await self._web.apps_connections_open(app_token=str(self._web.token))
                    socket = await self._session.ws_connect(
                        str(opened["url"]), heartbeat=PING_SECONDS, proxy=self._web.proxy
                    )
                    connection = _Connection(self._app, socket)
                    try:
                        await connection.stands()
                    except BaseException:
                        await socket.close()
                        raise
        logger.info("connected to Slack")
        return connection


class _Connection:
    """One websocket to Slack. `over` is set once Slack has said that it will close it, or it is gone."""

    def __init__(self, app: AsyncApp, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._app = app
        self._socket = socket
        self.over = asyncio.Event()
        self.successor: asyncio.Future[_Connection] = asyncio.get_running_loop().create_future()
        self._hello = asyncio.Event()
        self._unacked: set[asyncio.Task[None]] = set()
        self._sent: deque[tuple[float, str]] = deque(maxlen=100)
        self._reading = asyncio.ensure_future(self._read())

    async def stands(self) -> None:
        """Returns once Slack has said hello. Raises ConnectionError where it closes instead."""
        hello, over = asyncio.ensure_future(self._hello.wait()), asyncio.ensure_future(self.over.wait())
        try:
            await asyncio.wait({hello, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hello.cancel()
            over.cancel()
        if not self._hello.is_set():
            raise ConnectionError

    async def leave(self, linger: float, stopping: "asyncio.Future[Any]") -> None:
        """Closes it: after `linger` seconds or once Slack has, and with every request that came on it acked."""
        if linger:
            await asyncio.wait({self._reading, stopping}, timeout=linger, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({self._reading}, timeout=ARRIVING_SECONDS)
        if self._unacked:
            await asyncio.wait(self._unacked, timeout=ACK_SECONDS)
        if self._reading.done() and self.successor.done():
            await self._repeat_acks(self.successor.result())
        await self._socket.close()
        await self._reading

    async def _repeat_acks(self, successor: "_Connection") -> None:
        closed = self._reading.result()
        with contextlib.suppress(ConnectionError):
            for sent, ack in self._sent:
                if closed - sent < UNREAD_SECONDS:
                    await successor._socket.send_str(ack)

    async def _read(self) -> float:
        """Takes what comes, until it is closed; when that was, on the monotonic clock."""
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(message.data)
        finally:
            self.over.set()
        return time.monotonic()

    def _take(self, text: str) -> None:
        try:
            envelope = json.loads(text)
            kind = envelope["type"]
        except (ValueError, TypeError, KeyError):
            log("socket_mode", "unreadable", 0)
            return
        if kind == "hello":
            self._hello.set()
        elif kind == "disconnect":
            if envelope.get("reason") == "link_disabled":
                logger.warning("Socket Mode is switched off for the app: https://api.slack.com/apps, Socket Mode")
            self.over.set()
        elif "envelope_id" in envelope:
            task = asyncio.ensure_future(self._handle(envelope))
            self._unacked.add(task)
            task.add_done_callback(self._unacked.discard)

    async def _handle(self, envelope: Envelope) -> None:
        ack_read = asyncio.Event()
        try:
            answer = await self._app.async_dispatch(
                AsyncBoltRequest(
                    mode="socket_mode",
                    body=envelope["payload"],
                    headers=_headers(envelope),
                    context={ACK_READ: ack_read},
                )
            )
            if answer.status == 200:
                await self._ack(json.dumps(_ack(envelope, answer)))
                asyncio.get_running_loop().call_later(READ_SECONDS, ack_read.set)
        except (ConnectionError, TimeoutError):
            log("ack", "disconnected", 0)
        except Exception as error:
            log_bug(error)

    async def _ack(self, ack: str) -> None:
        """Sends it; where this connection has closed in between, over the next one, which Slack takes as well."""
        try:
            await self._socket.send_str(ack)
            self._sent.append((time.monotonic(), ack))
        except ConnectionError:
            successor = await asyncio.wait_for(asyncio.shield(self.successor), ACK_SECONDS)
            await successor._ack(ack)


def _headers(envelope: Envelope) -> dict[str, str | Sequence[str]]:
    """What Bolt knows of a second delivery over HTTP."""
    given = {"x-slack-retry-num": "retry_attempt", "x-slack-retry-reason": "retry_reason"}
    return {header: str(envelope[name]) for header, name in given.items() if envelope.get(name) is not None}


def _ack(envelope: Envelope, answer: BoltResponse) -> Envelope:
    """The answer that the app gives with its ack, if any, as Slack wants it over a websocket."""
    ack: Envelope = {"envelope_id": envelope["envelope_id"]}
    if answer.body:
        is_json = answer.headers.get("content-type", [""])[0].startswith("application/json")
        ack["payload"] = json.loads(answer.body) if is_json else {"text": answer.body}
    return ack
