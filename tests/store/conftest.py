import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiohttp import web

from bot.store.database import sqlite_url
from bot.store.keys import new_key
from bot.store.store import Store
from tests import postgresql

CLIENT_ID = "111.222"
KEY = new_key()


class TokenEndpoint:
    """`oauth.v2.access` as it renews tokens: each refresh token is taken once (Slack: "Using token rotation")."""

    def __init__(self) -> None:
        self.url = ""
        self.taken: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        form = await request.post()
        refresh = str(form["refresh_token"])
        if refresh in self.taken:
            return web.json_response({"ok": False, "error": "invalid_refresh_token"})
        self.taken.append(refresh)
        kind = "bot" if refresh.startswith("xoxe-bot") else "user"
        number = len(self.taken)
        return web.json_response(
            {
                "ok": True,
                "token_type": kind,
                "access_token": f"xoxe.{'xoxb' if kind == 'bot' else 'xoxp'}-renewed-{number}",
                "refresh_token": f"xoxe-{kind}-{number}",
                "expires_in": 43_200,
            }
        )


@pytest.fixture
async def token_endpoint() -> AsyncIterator[TokenEndpoint]:
    endpoint = TokenEndpoint()
    app = web.Application()
    app.router.add_post("/api/oauth.v2.access", endpoint.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    yield endpoint
    await runner.cleanup()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[postgresql.Server]:
    if postgresql.programs() is None:
        pytest.skip(postgresql.MISSING)
    with postgresql.running() as server:
        yield server


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.xdist_group("postgresql"), pytest.mark.heavy])]
)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "kept" / "angel.db")
    server: postgresql.Server = request.getfixturevalue("postgresql_server")
    name = f"angel_{uuid.uuid4().hex}"
    with psycopg.connect(server.url.replace("postgres://", "postgresql://"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.url.replace("/postgres?", f"/{name}?")


@pytest.fixture
async def opened(store_url: str, token_endpoint: TokenEndpoint) -> AsyncIterator[Callable[..., Any]]:
    """Opens the store, as often as there are processes: each has an engine of its own."""
    async with AsyncExitStack() as stack:

        async def open_(url: str = store_url, keys: str = KEY, client_id: str = CLIENT_ID) -> Store:
            store = Store(
                url,
                keys,
                client_id=client_id,
                client_secret="shh",
                slack_url=token_endpoint.url,
            )
            stack.push_async_callback(store.close)
            await store.open()
            return store

        yield open_
