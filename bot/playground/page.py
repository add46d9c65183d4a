"""The page: serves its files, tells it what happens in the local Slack, and does there what a person does on it."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bot.errors import AngelError
from bot.local_slack.errors import NotOffered
from bot.local_slack.events import JSON, Subscription
from bot.local_slack.slack import LocalSlack

STATIC = Path(__file__).parent / "static"
# Not left to `mimetypes`, which asks the machine; a browser runs no module of another type.
TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cache-Control": "no-cache",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
HEARTBEAT_SECONDS = 15.0
TRAFFIC = ("delivery", "ack", "api")
"""Events with what went between Slack and the app."""

_TICKET = re.compile(r"(?<=[?&]ticket=)\w+")


class _Doing(BaseModel):
    """`by` is who sits at the keyboard: one of the two people who are signed in."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    by: str | None = None


class Post(_Doing):
    do: Literal["post"]
    channel: str
    text: str = Field(min_length=1)
    thread_ts: str | None = None


class Command(_Doing):
    do: Literal["command"]
    channel: str
    command: str
    text: str


class GlobalShortcut(_Doing):
    do: Literal["global_shortcut"]
    callback_id: str


class OpenHome(_Doing):
    do: Literal["open_home"]


class MessageShortcut(_Doing):
    do: Literal["message_shortcut"]
    callback_id: str
    channel: str
    ts: str


class Press(_Doing):
    """In a message, or in a view with what stands in its inputs."""

    do: Literal["press"]
    action_id: str
    value: str | list[str] | None = None
    channel: str | None = None
    ts: str | None = None
    view: str | None = None
    values: dict[str, Any] = {}


class Fill(_Doing):
    """Of a view, as `submit` and `close`: `values` are what stands in its inputs, by action id."""

    do: Literal["fill", "submit", "close"]
    view: str
    values: dict[str, Any] = {}


Doing = Annotated[
    Post | Command | GlobalShortcut | OpenHome | MessageShortcut | Press | Fill, Field(discriminator="do")
]
_DOING: TypeAdapter[Doing] = TypeAdapter(Doing)


class Page:
    """`drafts` are messages to try, one click each, `opening` the one that was tried for whoever comes.

    `answering` gives the name of the model once that is loaded.
    """

    def __init__(
        self, *, drafts: Sequence[str], opening: str | None = None, answering: Callable[[], Awaitable[str]]
    ) -> None:
        self._drafts = list(drafts)
        self._opening = opening
        self._answering = answering
        self._files = {path.name: path for path in STATIC.iterdir() if path.suffix in TYPES}

    def routes(self, slack: LocalSlack) -> list[web.RouteDef]:
        async def events(request: web.Request) -> web.StreamResponse:
            return await self._events(request, slack)

        async def do(request: web.Request) -> web.Response:
            return await _do(request, slack)

        async def index(request: web.Request) -> web.FileResponse:
            response = self._file("index.html")
            slack.authorize_page.admit(response)
            return response

        # Whoever does not know the run's part of the address finds nothing: no file, no event, no way to act.
        return [
            web.get(f"{slack.pages}/", index),
            web.get(f"{slack.pages}/static/{{name}}", self._static),
            web.get(f"{slack.pages}/page/model", self._model),
            web.get(f"{slack.pages}/page/events", events),
            web.post(f"{slack.pages}/page/do", do),
        ]

    async def _static(self, request: web.Request) -> web.FileResponse:
        return self._file(request.match_info["name"])

    def _file(self, name: str) -> web.FileResponse:
        if name not in self._files:
            raise web.HTTPNotFound
        kind = f"{TYPES[self._files[name].suffix]}; charset=utf-8"
        return web.FileResponse(self._files[name], headers=HEADERS | {"Content-Type": kind})

    async def _model(self, request: web.Request) -> web.Response:
        """Which model answers; the request takes as long as that is not known."""
        try:
            return web.json_response({"answering": await self._answering()}, headers=HEADERS)
        except AngelError:
            raise web.HTTPServiceUnavailable from None  # and the playground ends, saying why

    async def _events(self, request: web.Request, slack: LocalSlack) -> web.StreamResponse:
        """All there is, then whatever happens. Who comes back after a break gets all there is again."""
        stream = web.StreamResponse(headers=HEADERS | {"Content-Type": "text/event-stream"})
        # Pages come and go, and some are gone before they got a word.
        with slack.subscribe() as events, contextlib.suppress(ConnectionError):
            await stream.prepare(request)
            await stream.write(b"retry: 1000\n\n")
            snapshot = slack.snapshot()
            snapshot["events"] = [event for event in snapshot["events"] if event["type"] in TRAFFIC]
            await _send(stream, {"type": "snapshot", "drafts": self._drafts, "opening": self._opening, **snapshot})
            async for event in _or_heartbeats(events):
                if event is None:
                    await stream.write(b": still here\n\n")
                elif event["type"] == "lost":
                    return stream
                else:
                    await _send(stream, event)
        return stream


async def _or_heartbeats(events: Subscription) -> AsyncIterator[JSON | None]:
    """The events, and None whenever there was none for a while."""
    while True:
        waiting = asyncio.ensure_future(anext(events, None))
        try:
            while not (await asyncio.wait({waiting}, timeout=HEARTBEAT_SECONDS))[0]:
                yield None
            event = waiting.result()
        finally:
            waiting.cancel()
        if event is None:
            return
        yield event


async def _send(stream: web.StreamResponse, event: JSON) -> None:
    # Of all that goes between Slack and the app, the ticket to its websocket is the one thing that opens a door.
    data = _TICKET.sub("…", json.dumps(event, ensure_ascii=False))
    # Half an emoji in a text must not end the stream.
    await stream.write(f"data: {data}\n\n".encode("utf-8", "replace"))


async def _do(request: web.Request, slack: LocalSlack) -> web.Response:
    # Browsers name the origin of every POST of a page, and ask before they send JSON to another one.
    if "Origin" not in request.headers:
        raise web.HTTPForbidden(text="Only the page itself may do that.")
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Send JSON.")
    try:
        doing = _DOING.validate_json(await request.read())
    except ValidationError:
        raise web.HTTPBadRequest(text="That is nothing a person can do here.") from None
    try:
        await _done(doing, slack)
    except NotOffered as error:
        return web.json_response({"error": f"Slack would not offer that: {error}."}, status=409, headers=HEADERS)
    return web.json_response({}, headers=HEADERS)


async def _done(doing: Doing, slack: LocalSlack) -> None:
    """Returns once the app has acked, or has failed to. Raises NotOffered."""
    by = doing.by or slack.user
    if by not in (slack.user, slack.second_user):
        raise NotOffered("they are not signed in here")
    match doing:
        case Post():
            slack.post(doing.text, channel=_place(doing.channel, by, slack), user=by, thread_ts=doing.thread_ts)
        case Command():
            await slack.command(doing.command, doing.text, channel=_place(doing.channel, by, slack), user=by)
        case GlobalShortcut():
            await slack.global_shortcut(doing.callback_id, user=by)
        case OpenHome():
            await slack.open_home(user=by)
        case MessageShortcut():
            message = _message(doing.channel, doing.ts, by, slack)
            await slack.message_shortcut(doing.callback_id, message, user=by)
        case Press(view=str(view_id)):
            view = _view(view_id, by, slack)
            slack.fill(view, doing.values)
            await slack.press(view, doing.action_id, doing.value)
        case Press():
            message = _message(doing.channel, doing.ts, by, slack)
            await slack.press(message, doing.action_id, doing.value, user=by)
        case Fill(do="fill"):
            slack.fill(_view(doing.view, by, slack), doing.values)
        case Fill(do="submit"):
            await slack.submit(_view(doing.view, by, slack), doing.values)
        case Fill():
            await slack.close(_view(doing.view, by, slack))


def _place(channel: str | None, by: str, slack: LocalSlack) -> str:
    for each in slack.snapshot()["channels"]:
        if each["id"] == channel and by in each["members"]:
            return str(channel)
    raise NotOffered("there is no such place")


def _message(channel: str | None, ts: str | None, by: str, slack: LocalSlack) -> JSON:
    place = _place(channel, by, slack)
    for message in (*slack.messages(place), *slack.ephemerals(by, place)):
        if message["ts"] == ts:
            return message
    raise NotOffered("the message is gone")


def _view(view_id: str, by: str, slack: LocalSlack) -> JSON:
    for view in (slack.view(by), slack.home(by)):
        if view and view["id"] == view_id:
            return view
    raise NotOffered("the view is closed")
