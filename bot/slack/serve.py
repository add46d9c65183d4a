"""The worker: Socket Mode or HTTP, until it is told to end, and then no check is lost."""

import asyncio
import contextlib
import logging
import math
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import uvicorn
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.adapter.starlette.async_handler import to_starlette_response
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.errors import SettingsError
from bot.slack.app import SLACK_URL, build_app
from bot.slack.in_flight import InFlight, log, log_bug
from bot.slack.listeners import ACK_READ, Screener
from bot.slack.manifest import EVENTS_PATH
from bot.slack.quiet import quiet

logger = logging.getLogger(__name__)

END_SECONDS = 25.0
"""To finish in. Heroku kills 30 s after SIGTERM."""
PING_SECONDS = 5.0
"""Between pings; a line that has died without a word is noticed at the second."""
CHECK_SECONDS = 0.05
CONNECT_SECONDS = 10.0
LINGER_SECONDS = 12.0
"""How long a connection that Slack is about to close still listens; Slack closes it about 10 s after its warning."""
ACK_SECONDS = 3.0
READ_SECONDS = 0.25
"""From sending an ack until Slack has surely read it."""
MAX_PAUSE = 30.0
"""Seconds between attempts to connect, at most."""
MAX_BODY = 1_000_000
"""Bytes of a request; Slack's own are far below."""

REJECTED = {
    "account_inactive",
    "invalid_auth",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "not_authed",
    "org_login_required",
    "token_expired",
    "token_revoked",
}
"""What Slack says of a token that no retry will help."""


def run(serving: Callable[[asyncio.Event], Awaitable[None]]) -> int:
    """Serves until SIGTERM or SIGINT sets the event that `serving` gets; a second signal ends the process at once.

    Returns the exit code.
    """

    async def main() -> int:
        stop = asyncio.Event()

        def on_signal(number: signal.Signals) -> None:
            if stop.is_set():
                os._exit(128 + number)
            logger.info("%s: finishing what is in hand; once more ends it now", number.name)
            stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, on_signal, number)
        await serving(stop)
        return 0

    return asyncio.run(main())


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
    await _accepted(bot_token, slack_url, stop)
    line = _Line(app, app_token, slack_url)
    try:
        await line.run(stop)
    finally:
        await _end(in_flight, end_seconds - line.closing_seconds)


async def serve_http(
    screener: Screener,
    stop: asyncio.Event,
    *,
    bot_token: str,
    signing_secret: str,
    host: str,
    port: int,
    model_loaded: Callable[[], bool],
    slack_url: str = SLACK_URL,
    offline_note: str = "",
    end_seconds: float = END_SECONDS,
    listening: Callable[[int], None] = lambda port: None,
    **options: Any,
) -> None:
    """Answers over HTTP until `stop`; `listening` is told the port, for one that was asked for as 0.

    Raises SettingsError where Slack does not accept the token or the port can't be had.
    """
    in_flight = InFlight()
    app = build_app(
        screener,
        bot_token=bot_token,
        signing_secret=signing_secret,
        slack_url=slack_url,
        offline_note=offline_note,
        in_flight=in_flight,
        **options,
    )
    accepted = asyncio.ensure_future(_accepted(bot_token, slack_url, stop))
    web = http_app(app, {"model": model_loaded, "slack": lambda: accepted.done() and not accepted.exception()})
    try:
        listener = socket.create_server((host, port), backlog=512)
    except OSError as error:
        accepted.cancel()
        raise SettingsError(f"Port {port} can't be had ({error.strerror}). Set PORT to another one.") from error
    server = _Server(
        uvicorn.Config(
            web, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=int(ACK_SECONDS)
        )
    )
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    stopping = asyncio.ensure_future(stop.wait())
    logger.info("listening on port %d", listener.getsockname()[1])
    listening(listener.getsockname()[1])
    try:
        await asyncio.wait({accepted, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if accepted.done():
            accepted.result()
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        accepted.cancel()
        stopping.cancel()
        began = time.monotonic()
        await serving
        await _end(in_flight, end_seconds - (time.monotonic() - began))


def http_app(app: AsyncApp, ready: dict[str, Callable[[], bool]]) -> Starlette:
    """The web side of the app: `/slack/events`, `/healthz`, and `/readyz` with each of `ready`."""

    async def events(request: Request) -> Response:
        began = time.monotonic()
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    log("http", "too_large", time.monotonic() - began)
                    return Response(status_code=413)
            ack_read = asyncio.Event()
            bolt_request = AsyncBoltRequest(
                body=body.decode("utf-8"),
                query=request.url.query,
                headers=dict(request.headers),
                context={ACK_READ: ack_read},
            )
        except (ValueError, ClientDisconnect):
            log("http", "unreadable", time.monotonic() - began)
            return Response(status_code=400)
        answer = await app.async_dispatch(bolt_request)
        if answer.status == 401:
            log("http", "bad_signature", time.monotonic() - began)
        response = to_starlette_response(answer)
        response.background = BackgroundTask(_set_once_read, ack_read)
        return response

    async def healthz(_: Request) -> Response:
        return JSONResponse({"up": True})

    async def readyz(_: Request) -> Response:
        state = {name: is_ready() for name, is_ready in ready.items()}
        return JSONResponse(state, status_code=200 if all(state.values()) else 503)

    return Starlette(
        routes=[
            Route(EVENTS_PATH, events, methods=["POST"]),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
        ]
    )


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals to us: uvicorn would raise them again when it is done, and what is in flight would be lost."""
        yield


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

    async def _connect(self, stop: asyncio.Event) -> "_Connection | None":
        """A connection that stands, however long it takes; none where it is time to stop."""
        pause = 1.0
        while not stop.is_set():
            connection = _Connection(self)
            try:
                await connection.stand()
            except Exception as error:
                await connection.close()  # type: ignore[no-untyped-call]  # the SDK's own
                _raise_if_rejected(error, "SLACK_APP_TOKEN")
                logger.warning("no connection to Slack (%s), trying again in %g s", _kind(error), pause)
                await _pause(pause, stop)
                pause = min(pause * 2, MAX_PAUSE)
            else:
                logger.info("connected to Slack")
                return connection
        return None


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
            await _set_once_read(ack_read)
        except ConnectionError:
            log("ack", "disconnected", 0)
        except Exception as error:
            log_bug(error)
        finally:
            self._unacked -= 1


async def _set_once_read(ack_read: asyncio.Event) -> None:
    asyncio.get_running_loop().call_later(READ_SECONDS, ack_read.set)


async def _accepted(bot_token: str, slack_url: str, stop: asyncio.Event) -> None:
    """Returns once Slack accepts the bot token. Raises SettingsError where it does not."""
    client = AsyncWebClient(token=bot_token, base_url=slack_url, timeout=10, logger=quiet(), retry_handlers=[])
    pause = 1.0
    while not stop.is_set():
        try:
            await client.auth_test()
        except Exception as error:
            _raise_if_rejected(error, "SLACK_BOT_TOKEN")
            logger.warning("Slack can't be asked about the token (%s), trying again in %g s", _kind(error), pause)
            await _pause(pause, stop)
            pause = min(pause * 2, MAX_PAUSE)
        else:
            return


async def _end(in_flight: InFlight, seconds: float) -> None:
    if in_flight:
        logger.info("finishing %d checks", len(in_flight))
    await in_flight.end(seconds)
    logger.info("ended")


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    """Returns once the condition holds, or the time is up."""
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:  # noqa: ASYNC110  # the SDK has no event for any of it
        await asyncio.sleep(CHECK_SECONDS)


async def _pause(seconds: float, stop: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def _raise_if_rejected(error: Exception, variable: str) -> None:
    code = _kind(error)
    if code in REJECTED:
        raise SettingsError(
            f"Slack does not accept {variable} ({code}). Copy it again from https://api.slack.com/apps, your app, "
            "and check with `angel doctor`."
        ) from error


def _kind(error: Exception) -> str:
    """Slack's error code, or the kind of the failure."""
    data = getattr(getattr(error, "response", None), "data", None)
    return str(data["error"]) if isinstance(data, dict) and "error" in data else type(error).__name__
