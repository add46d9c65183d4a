"""The playground: a Slack on this machine with its page and some conversation in it, and the real app behind it."""

import asyncio
import contextlib
import errno
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from bot.errors import AngelError
from bot.local_slack.slack import LocalSlack
from bot.playground.conversation import converse
from bot.playground.installing import Pages, installed, playground_manifest
from bot.playground.page import Page
from bot.slack.angel import Screener
from bot.slack.socket_mode import serve_socket_mode
from bot.verdict import Draft, Verdict

T = TypeVar("T")

CONNECT_SECONDS = 30.0
END_SECONDS = 2.0
"""For checks in hand when it ends; the one person who waits for them has just ended it."""


class NoPort(AngelError):
    """The page can't be served. The text says how to go on."""


class _Arriving:
    """The screener, from before its model is loaded: the first checks wait for it."""

    def __init__(self, loading: "asyncio.Future[tuple[Screener, str]]") -> None:
        self._loading = loading

    async def screen(self, draft: Draft, *, person: str | None = None) -> Verdict:
        screener, _ = await asyncio.shield(self._loading)
        return await screener.screen(draft, person=person)

    async def name(self) -> str:
        return (await asyncio.shield(self._loading))[1]


def address(slack: LocalSlack) -> str:
    """Of the page."""
    return f"{slack.url}{slack.pages}/"


async def play(
    load: Callable[[], tuple[Screener, str]],
    stop: asyncio.Event,
    *,
    ports: Sequence[int] = (0,),
    drafts: Sequence[str] = (),
    opening: str | None = None,
    offline_note: str = "",
    model_note: str = "",
    opened: Callable[[LocalSlack], None] = lambda slack: None,
) -> None:
    """Runs until `stop`; `opened` gets the local Slack once the app is connected to it. The page is at `address` of it.

    `drafts` are offered to be tried; `opening` is tried by itself, so that the page shows at once what this is for. It
    listens at the first of `ports` that is free. `load` gives the screener and the name of its model; it may block,
    and what it raises is raised here. Raises NoPort.
    """
    loading = _in_thread(load)
    loading.add_done_callback(lambda done: stop.set() if done.cancelled() or done.exception() else None)
    screener = _Arriving(loading)
    page = Page(drafts=drafts, opening=opening, answering=screener.name)
    async with contextlib.AsyncExitStack() as stack:
        pages = Pages()
        slack = await _listening(ports, page, pages, stack)
        converse(slack)
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="angel-playground-"))
        options = await stack.enter_async_context(installed(slack, pages, Path(folder)))
        ending = asyncio.Event()
        worker = asyncio.ensure_future(
            serve_socket_mode(
                screener,
                ending,
                bot_token="",  # each workspace has one of its own, in the store
                app_token=slack.app_token,
                slack_url=slack.api_url,
                offline_note=offline_note,
                model_note=model_note,
                end_seconds=END_SECONDS,
                **options,
            )
        )
        connected = asyncio.ensure_future(slack.changed(lambda: slack.connections, CONNECT_SECONDS))
        stopped = asyncio.ensure_future(stop.wait())
        trying: asyncio.Future[Any] | None = None
        try:
            await _one_of(connected, worker, stopped)
            if connected.done():
                if opening:
                    trying = asyncio.ensure_future(_try(opening, slack, loading))
                opened(slack)
            await _one_of(worker, stopped)
        finally:
            if trying:
                trying.cancel()
            connected.cancel()
            stopped.cancel()
            ending.set()
            await worker
    if loading.done():
        loading.result()


async def _try(draft: str, slack: LocalSlack, loading: "asyncio.Future[tuple[Screener, str]]") -> None:
    """Once there is a model, so that nobody is told to wait."""
    await asyncio.wait({loading})
    if not loading.cancelled() and loading.exception() is None:
        await slack.command("/angel", draft)


def _in_thread(work: Callable[[], T]) -> "asyncio.Future[T]":
    """Its result. Nobody waits for the thread itself: a server of models may be slow, and Ctrl-C is not."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)  # type: ignore[arg-type]  # None only where T has it
        else:
            future.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants it any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="load", daemon=True).start()
    return future


async def _one_of(*tasks: "asyncio.Future[Any]") -> None:
    """Returns once one of them is done; raises what it raised."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


async def _listening(ports: Sequence[int], page: Page, pages: Pages, stack: contextlib.AsyncExitStack) -> LocalSlack:
    """A local Slack at the first of the ports that is free, until the stack ends. Raises NoPort."""
    for port in ports:
        try:
            slack = LocalSlack(
                manifest=playground_manifest(),
                installed=False,
                port=port,
                routes=lambda slack: [*page.routes(slack), *pages.routes()],
            )
            return await stack.enter_async_context(slack)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise NoPort(f"Port {port} can't be had ({error.strerror}). Name another port with --port.") from error
    one = len(ports) == 1
    taken = f"Port {ports[0]} is taken" if one else f"The ports from {ports[0]} to {ports[-1]} are all taken"
    raise NoPort(f"{taken} by another program. Name another port with --port; 0 is any that is free.")
