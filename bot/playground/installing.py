"""What the app has in the playground: a store, pages to install and to connect, and a first workspace."""

import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web

from bot.local_slack.slack import LocalSlack
from bot.slack.delivery import web_client
from bot.slack.install import Installing
from bot.slack.manifest import CONNECT_PATH, INSTALL_PATH, REDIRECT_PATH, http_manifest
from bot.slack.sending import Sender
from bot.store.database import sqlite_url
from bot.store.keys import new_key
from bot.store.store import Store

SEND_SECONDS = 10.0
"""For the local Slack to take a message."""


def playground_manifest() -> dict[str, Any]:
    """With a Home, and people who can let the app send as them. Its pages stand beside the local Slack."""
    manifest: dict[str, Any] = yaml.safe_load(http_manifest("https://playground.example", send=True, socket_mode=True))
    return manifest


class Pages:
    """The app's own pages, whose address is known only once they are served."""

    def __init__(self) -> None:
        self._installing: Installing | None = None

    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get(path, self._serve) for path in (INSTALL_PATH, CONNECT_PATH, REDIRECT_PATH)]

    def are(self, installing: Installing) -> None:
        self._installing = installing

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self._installing is None:
            raise web.HTTPServiceUnavailable
        handlers = {route.path: route.handler for route in self._installing.routes()}
        return await handlers[request.path](request)


@contextlib.asynccontextmanager
async def installed(slack: LocalSlack, pages: Pages, folder: Path) -> AsyncIterator[dict[str, Any]]:
    """What `build_app` takes, with the app installed in the first workspace. The store is in `folder`."""
    slack.redirect_urls.append(f"{slack.url}{REDIRECT_PATH}")
    credentials = {"client_id": slack.client_id, "client_secret": slack.client_secret, "slack_url": slack.api_url}
    store = Store(sqlite_url(folder / "playground.db"), new_key(), **credentials)
    timeout = aiohttp.ClientTimeout(total=SEND_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session, contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        await store.open()
        client = web_client(slack.api_url, session)
        installing = Installing(store, url=slack.url, client=client, **credentials)
        pages.are(installing)
        await _install(slack, session)
        yield {"store": store, "sender": Sender(store, client), "connect_link": installing.connect_link}


async def _install(slack: LocalSlack, session: aiohttp.ClientSession) -> None:
    """As an admin does it, in a browser."""
    async with session.get(f"{slack.url}{INSTALL_PATH}", allow_redirects=False) as begun:
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in begun.cookies.items())
        back = await slack.authorize(begun.headers["Location"])
    async with session.get(back, headers={"Cookie": cookies}, allow_redirects=False) as ended:
        ended.raise_for_status()
