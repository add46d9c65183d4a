"""An Angel that any workspace can install, in front of the local Slack, and a browser to install it with."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from bot.local_slack.clock import Clock
from bot.local_slack.slack import LocalSlack
from bot.slack.delivery import web_client
from bot.slack.install import Installing
from bot.slack.manifest import http_manifest
from bot.slack.sending import Sender
from bot.store.database import sqlite_url
from bot.store.keys import new_key
from bot.store.owners import Person, Workspace
from bot.store.store import Store
from tests.slack.conftest import FakeScreener, Served, serving

KEY = new_key()
SEND_SECONDS = 0.5
JSON = dict[str, Any]


def variant(*, org: bool = False, rotation: bool = False) -> JSON:
    manifest: JSON = yaml.safe_load(http_manifest("https://angel.example", send=True))
    manifest["settings"] |= {"org_deploy_enabled": org, "token_rotation_enabled": rotation}
    return manifest


@dataclass
class Page:
    status: int
    text: str
    location: str
    cookies: dict[str, str]


@dataclass
class Many:
    """The worker, its store, and what a person's browser does."""

    served: Served[FakeScreener]
    store: Store
    url: str
    session: aiohttp.ClientSession
    installing: Installing

    @property
    def slack(self) -> LocalSlack:
        return self.served.slack

    async def get(self, url: str, cookies: dict[str, str] | None = None) -> Page:
        """One step of the browser, which keeps cookies that are for https alone also on this machine."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in (cookies or {}).items())}
        async with self.session.get(url, headers=headers, allow_redirects=False) as response:
            given = {name: morsel.value for name, morsel in response.cookies.items()}
            return Page(response.status, await response.text(), response.headers.get("Location", ""), given)

    async def install(self, *, user: str | None = None, allow: bool = True, org_wide: bool = False) -> Page:
        return await self.through(f"{self.url}/slack/install", user=user, allow=allow, org_wide=org_wide)

    async def connect(self, link: str, *, user: str | None = None, allow: bool = True, org_wide: bool = False) -> Page:
        return await self.through(link, user=user, allow=allow, org_wide=org_wide)

    async def through(self, start: str, *, user: str | None, allow: bool, org_wide: bool) -> Page:
        """From the first link over Slack's page back to the last page."""
        begun = await self.get(start)
        if begun.status != 302:
            return begun
        back = await self.slack.authorize(begun.location, user=user, allow=allow, org_wide=org_wide)
        return await self.get(back, begun.cookies)

    def person(self, user: str | None = None) -> Person:
        return Person(Workspace(None, self.slack.team), user or self.slack.user)

    async def connected(self) -> None:
        """Installs Angel and connects the person at the keyboard."""
        assert (await self.install()).status == 200
        assert "connected" in (await self.connect(self.link())).text

    def link(self, user: str | None = None) -> str:
        """What the button leads to that this person sees."""
        return self.installing.connect_link(self.person(user))


@asynccontextmanager
async def many(
    tmp_path: Path,
    screener: FakeScreener | None = None,
    *,
    transport: str = "http",
    org: bool = False,
    rotation: bool = False,
    clock: Clock | None = None,
    **options: Any,
) -> AsyncIterator[Many]:
    slack = LocalSlack(manifest=variant(org=org, rotation=rotation), installed=False, clock=clock)
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    slack.redirect_urls.append(f"{url}/slack/oauth_redirect")
    timeout = aiohttp.ClientTimeout(total=SEND_SECONDS)
    async with AsyncExitStack() as stack, slack, aiohttp.ClientSession(timeout=timeout) as sending:
        store = Store(
            sqlite_url(tmp_path / "angel.db"),
            KEY,
            client_id=slack.client_id,
            client_secret=slack.client_secret,
            slack_url=slack.api_url,
        )
        stack.push_async_callback(store.close)
        await store.open()
        client = web_client(slack.api_url, sending)
        installing = Installing(
            store,
            client_id=slack.client_id,
            client_secret=slack.client_secret,
            url=url,
            slack_url=slack.api_url,
            client=client,
        )
        given = {
            "store": store,
            "sender": Sender(store, client),
            "connect_link": installing.connect_link,
            "model_note": "Drafts are read by a-model, at OpenAI.",
            "bot_token": "",
            **({"routes": installing.routes(), "port": port} if transport == "http" else {}),
            **options,
        }
        async with (
            aiohttp.ClientSession() as session,
            serving(screener or FakeScreener(), transport, slack=slack, entered=True, **given) as served,
        ):
            yield Many(served, store, url, session, installing)


def _free_port() -> int:
    """The address of the pages has to be known before they are served."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
