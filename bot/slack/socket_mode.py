"""The line to Slack over Socket Mode."""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable
from typing import Any

from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.app import SLACK_URL, build_app
from bot.slack.in_flight import InFlight, log, log_bug, set_once_read
from bot.slack.listeners import ACK_READ, Screener
from bot.slack.process import END_SECONDS, Ended, accepted, end, persistently, rejections_explained
from bot.slack.quiet import quiet

logger = logging.getLogger(__name__)

PING_SECONDS = 5.0
"""Between pings; a line that has died without a word is noticed at the second."""
CHECK_SECONDS = 0.05
CONNECT_SECONDS = 10.0
LINGER_SECONDS = 12.0
"""How long a connection that Slack is about to close still listens; Slack closes it about 10 s after its warning."""
ACK_SECONDS = 3.0


async def serve_socket_mode(
    screener: Screener,
    stop: asyncio.Event,
    *,
    bot_token: str,
    app_token: str,
    slack_url: str = SLACK_URL,
    offline_note: str = "",
    end_seconds: float = END_SECONDS,
    **options: Any,
) -> None:
    """Answers over Socket Mode until `stop`. `options` go to `build_app`.

    Raises SettingsError where Slack does not accept a token.
    """
    in_flight = InFlight()
    app = build_app(
        screener, bot_token=bot_token, slack_url=slack_url, offline_note=offline_note, in_flight=in_flight, **options
    )
    line = _Line(app, app_token, slack_url)
    try:
        with contextlib.suppress(Ended):
            await accepted(bot_token, slack_url, stop)
            await line.run(stop)
    finally:
        await end(in_flight, end_seconds - line.closing_seconds)


class _Line:
    """The line to Slack: one connection, and at times the one before it.

    The SDK's own way to change connections closes the old one first, with what Slack has sent on it and it has not yet
    read, and tries the same address for ever once it has one. Here a new connection stands before the old one goes,
    and each has an address of its own.
    """

    def __init__(self, app: AsyncApp, app_token: str, slack_url: str) -> None:
        self.app = app
        self.app_token = app_token
        self.web_client = AsyncWebClient(
            base_url=slack_url, timeout=int(CONNECT_SECONDS), logger=quiet(), retry_handlers=[]
        )
        self.current: _Connection | None = None
        self.closing_seconds = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Raises SettingsError where Slack does not accept the app token."""
        leaving: set[asyncio.Task[None]] = set()
        stopping = asyncio.ensure_future(stop.wait())
        self.current = await self._connect(stop)
        try:
            while self.current and not stop.is_set():
                over = asyncio.ensure_future(self.current.over())
                await asyncio.wait({over, stopping}, return_when=asyncio.FIRST_COMPLETED)
                over.cancel()
                if not stop.is_set():
                    before, self.current = self.current, await self._connect(stop)
                    task = asyncio.ensure_future(before.leave(LINGER_SECONDS, stop))
                    leaving.add(task)
                    task.add_done_callback(leaving.discard)
        finally:
            stopping.cancel()
            began = time.monotonic()
            await asyncio.gather(*leaving, *([self.current.leave(0, stop)] if self.current else []))
            self.closing_seconds = time.monotonic() - began

    async def _connect(self, stop: asyncio.Event) -> "_Connection":
        """A connection that stands, however long it takes. Raises Ended at `stop`."""
        async for attempt in persistently(stop, "no connection to Slack"):
            with attempt, rejections_explained("SLACK_APP_TOKEN"):
                connection = _Connection(self)
                try:
                    await connection.stand()
                except BaseException:
                    await connection.close()  # type: ignore[no-untyped-call]  # the SDK's own
                    raise
        logger.info("connected to Slack")
        return connection


class _Connection(SocketModeClient):
    """One websocket to Slack."""

    def __init__(self, line: _Line) -> None:
        super().__init__(line.app_token, logger=quiet(), web_client=line.web_client, ping_interval=PING_SECONDS)
        self._line = line
        self._told_to_go = False
        self._unacked = 0
        self.socket_mode_request_listeners.append(self._handle)

    async def stand(self) -> None:
        async with asyncio.timeout(CONNECT_SECONDS):
            # Asked for here: `connect` would ask again and again for what Slack refuses.
            opened = await self.web_client.apps_connections_open(app_token=self.app_token)
            self.wss_uri = str(opened["url"])
            await self.connect()  # type: ignore[no-untyped-call]  # the SDK's own

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Where all the SDK's roads lead when a connection is to end."""
        self._told_to_go = True

    async def over(self) -> None:
        """Returns once Slack has said that it will close it, or it is gone."""
        await _until(lambda: self._told_to_go or self._gone, seconds=math.inf)

    async def leave(self, linger: float, stop: asyncio.Event) -> None:
        """Closes it: after `linger` seconds or once Slack has, and with every request that came on it acked."""
        await _until(lambda: stop.is_set() or self._gone, linger)
        await asyncio.sleep(CHECK_SECONDS)  # what has arrived by now is read by then
        await _until(lambda: not (self._unacked or self.message_queue.qsize()), ACK_SECONDS)
        await self.close()  # type: ignore[no-untyped-call]  # the SDK's own

    @property
    def _gone(self) -> bool:
        return self.current_session is None or self.current_session.closed

    async def _handle(self, _: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        self._unacked += 1
        try:
            ack_read = asyncio.Event()
            answer = await self._line.app.async_dispatch(
                AsyncBoltRequest(
                    mode="socket_mode",
                    body=request.payload,
                    headers=build_headers(request),
                    context={ACK_READ: ack_read},
                )
            )
            try:
                await send_async_response(self, request, answer, time.time())
            except ConnectionError:
                # It closed in between; Slack takes an ack on any of our connections.
                await _until(lambda: self._line.current is not self, ACK_SECONDS)
                if self._line.current not in (None, self):
                    await send_async_response(self._line.current, request, answer, time.time())
            await set_once_read(ack_read)
        except ConnectionError:
            log("ack", "disconnected", 0)
        except Exception as error:
            log_bug(error)
        finally:
            self._unacked -= 1


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    """Returns once the condition holds, or the time is up."""
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:  # noqa: ASYNC110  # the SDK has no event for any of it
        await asyncio.sleep(CHECK_SECONDS)
