"""The HTTP front of `angel serve --http`."""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from slack_bolt.adapter.starlette.async_handler import to_starlette_response
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.errors import SettingsError
from bot.slack.app import SLACK_URL, build_app
from bot.slack.in_flight import InFlight, log, set_once_read
from bot.slack.listeners import ACK_READ, Screener
from bot.slack.manifest import EVENTS_PATH
from bot.slack.process import END_SECONDS, Ended, accepted, end

logger = logging.getLogger(__name__)

GRACE_SECONDS = 3
"""For requests that are being answered when the server is to stop; Slack waits no longer for an ack."""
MAX_BODY = 1_000_000
"""Bytes of a request; Slack's own are far below."""


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
    asking = asyncio.ensure_future(accepted(bot_token, slack_url, stop))
    web = http_app(app, {"model": model_loaded, "slack": lambda: asking.done() and not asking.exception()})
    try:
        listener = socket.create_server((host, port), backlog=512)
    except OSError as error:
        asking.cancel()
        raise SettingsError(f"Port {port} can't be had ({error.strerror}). Set PORT to another one.") from error
    server = _Server(
        uvicorn.Config(web, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=GRACE_SECONDS)
    )
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    stopping = asyncio.ensure_future(stop.wait())
    logger.info("listening on port %d", listener.getsockname()[1])
    listening(listener.getsockname()[1])
    try:
        await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            with contextlib.suppress(Ended):
                asking.result()
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        asking.cancel()
        stopping.cancel()
        began = time.monotonic()
        await serving
        await end(in_flight, end_seconds - (time.monotonic() - began))


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
        response.background = BackgroundTask(set_once_read, ack_read)
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
