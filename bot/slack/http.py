"""The HTTP front of `angel serve --http`: what Slack has signed goes to the app, and all else costs next to nothing.

aiohttp's server brings most of what an open port needs: a parser in C, bounded heads, and a connection that has not
brought a whole head in the time of `keepalive_timeout` is closed, however slowly it sends. uvicorn, which was here
before, bounds neither heads nor bodies in time; hypercorn bounds each read, not their sum. None caps connections.
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest

from bot.errors import SettingsError
from bot.slack.angel import Screener
from bot.slack.app import build_app
from bot.slack.connections import Connections, room
from bot.slack.delivery import PAUSES, SLACK_URL, SlackClient
from bot.slack.in_flight import READ_SECONDS, InFlight, log_bug
from bot.slack.interaction import ACK_READ
from bot.slack.manifest import EVENTS_PATH
from bot.slack.process import END_SECONDS, Ended, accepted, end
from bot.slack.refusals import Refusals, RefusedByParser
from bot.slack.signature import flaw_of_headers, is_signed

logger = logging.getLogger(__name__)

GRACE_SECONDS = 3.0
"""For requests that are being answered when the server is to stop; Slack waits no longer for an ack."""
MAX_BODY = 768 * 1024
"""Bytes of a request. The most that Slack has to send here is a message with its shortcut: 40,000 characters, which
come twice, as text and as rich text, with up to 9 bytes for each of them in a form."""
SMALL_BODY = 64 * 1024
LARGE_BODIES = 16
"""So many may be larger than that at once before their signatures are known; more of them wait, or memory would go."""
BODY_SECONDS = 5.0
"""For the body of a request. Slack has given up by then."""
KEEP_ALIVE_SECONDS = 95.0
"""How long a connection may be silent, and for a whole head to come. Heroku's router, which is the longest known, keeps
its own for 90; the side that sends must be the one that closes, or a request of its meets a closed connection."""
LINGER_SECONDS = 1.0
"""For the rest of a body that was refused, so that the refusal gets there."""
ACCEPTED_AT_ONCE = 16
"""Connections that asyncio takes from the kernel before the first of them has a protocol, and so a place."""
BACKLOG = 512

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


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
    timeout: float = 10.0,  # noqa: ASYNC109  # of one call to Slack
    pauses: tuple[float, ...] = PAUSES,
    end_seconds: float = END_SECONDS,
    listening: Callable[[int], None] = lambda port: None,
    routes: Sequence[web.RouteDef] = (),
    **options: Any,
) -> None:
    """Answers over HTTP until `stop`; `listening` is told the port, for one that was asked for as 0.

    `options` go to `build_app`, `timeout` and `pauses` to `SlackClient`. `routes` are further ones, for what a browser
    asks; Slack's signature is not looked for there.
    Raises SettingsError where Slack does not accept the token or the port can't be had.
    """
    in_flight = InFlight()
    async with SlackClient(bot_token=bot_token, slack_url=slack_url, timeout=timeout, pauses=pauses) as slack:
        app = build_app(screener, slack, in_flight, bot_token=bot_token, **options)
        asking = asyncio.ensure_future(accepted(bot_token, slack_url, stop))
        stopping = asyncio.ensure_future(stop.wait())
        ready = {"model": model_loaded, "slack": lambda: asking.done() and not asking.exception()}
        front = Front(app, signing_secret, ready, routes)
        try:
            its_port = await front.listen(host, port)
            logger.info("listening on port %d", its_port)
            listening(its_port)
            await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                with contextlib.suppress(Ended):
                    asking.result()
            await stopping
        finally:
            asking.cancel()
            stopping.cancel()
            began = time.monotonic()
            await front.close()
            await end(in_flight, end_seconds - (time.monotonic() - began))


class Front:
    """`/slack/events`, `/healthz`, `/readyz` with each of `ready`, and further routes."""

    def __init__(
        self,
        app: AsyncApp,
        signing_secret: str,
        ready: dict[str, Callable[[], bool]],
        routes: Sequence[web.RouteDef] = (),
    ) -> None:
        self._app = app
        self._signing_secret = signing_secret
        self._ready = ready
        self._refusals = Refusals()
        self._large = asyncio.Semaphore(LARGE_BODIES)
        site = web.Application(middlewares=[self._bug])
        site.add_routes(
            [
                web.post(EVENTS_PATH, self._events),
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
                *routes,
            ]
        )
        of_parser = logging.Logger("bot.slack.http.parser")
        of_parser.addHandler(RefusedByParser(self._refusals))
        self._runner = web.AppRunner(
            site,
            access_log=None,
            logger=of_parser,
            shutdown_timeout=GRACE_SECONDS,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            lingering_time=LINGER_SECONDS,
            auto_decompress=False,  # what is signed are the bytes that were sent
        )
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> int:
        """The port it listens on. Raises SettingsError where that can't be had."""
        try:
            listener = socket.create_server((host, port))
        except OSError as error:
            raise SettingsError(f"Port {port} can't be had ({error.strerror}). Set PORT to another one.") from error
        await self._runner.setup()
        assert self._runner.server is not None
        self._connections = Connections(self._runner.server, room())
        self._server = await asyncio.get_running_loop().create_server(
            self._connections, sock=listener, backlog=ACCEPTED_AT_ONCE
        )
        # asyncio has one number for what it takes from the kernel at once and for how many may wait there.
        listener.listen(BACKLOG)
        return int(listener.getsockname()[1])

    async def close(self) -> None:
        """Takes no more requests, and finishes those it has."""
        if self._server:
            self._server.close()
        await self._runner.cleanup()
        self._refusals.close()

    async def _events(self, request: web.Request) -> web.StreamResponse:
        body = await self._signed_body(request)
        with self._connections.answering(request.protocol):
            ack_read = asyncio.Event()
            try:
                bolt_request = AsyncBoltRequest(
                    body=body.decode("utf-8"),
                    query=request.query_string,
                    headers=dict(request.headers),
                    context={ACK_READ: ack_read},
                )
            # Bolt looks into it as into what Slack would send; in other JSON nearly anything can go wrong.
            except Exception as error:
                self._refusals.note("unreadable")
                raise web.HTTPBadRequest from error
            answer = await self._app.async_dispatch(bolt_request)
            asyncio.get_running_loop().call_later(READ_SECONDS, ack_read.set)
            return await to_aiohttp_response(answer)

    async def _signed_body(self, request: web.Request) -> bytes:
        """The body, once its signature holds. Raises HTTPException."""
        if flaw := flaw_of_headers(request.headers, time.time()):
            self._refusals.note(flaw)
            raise web.HTTPUnauthorized
        body = bytearray()
        async with contextlib.AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    async for chunk in request.content.iter_any():
                        if len(body) <= SMALL_BODY < len(body) + len(chunk):
                            await stack.enter_async_context(self._large)
                        body += chunk
                        if len(body) > MAX_BODY:
                            self._refusals.note("too_large")
                            raise web.HTTPRequestEntityTooLarge(MAX_BODY, len(body))
            except TimeoutError as error:
                self._refusals.note("too_slow")
                raise web.HTTPRequestTimeout from error
            except (ConnectionError, web.RequestPayloadError) as error:
                self._refusals.note("cut_short")
                raise web.HTTPBadRequest from error
            if not is_signed(self._signing_secret, request.headers, body):
                self._refusals.note("bad_signature")
                raise web.HTTPUnauthorized
            return bytes(body)

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"up": True})

    async def _readyz(self, _: web.Request) -> web.Response:
        state = {name: is_ready() for name, is_ready in self._ready.items()}
        return web.json_response(state, status=200 if all(state.values()) else 503)

    @web.middleware
    async def _bug(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """A bug of ours is logged by type and place; aiohttp would log what an exception says."""
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except Exception as error:
            log_bug(error)
            raise web.HTTPInternalServerError from error
