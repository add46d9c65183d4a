"""What `angel serve` needs where any workspace can install Angel: the store, sending as a person, and its pages."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.cli import parts
from bot.settings import Settings

if TYPE_CHECKING:
    from aiohttp import web

    from bot.store.store import Store

logger = logging.getLogger(__name__)

SEND_SECONDS = 10.0
"""For Slack to take a message. Past that nobody knows whether it is out."""
OPEN_AGAIN_SECONDS = 5.0


@dataclass(frozen=True)
class Workspaces:
    """`options` are for `build_app`, `routes` for the HTTP front."""

    options: dict[str, Any] = field(default_factory=dict)
    routes: "tuple[web.RouteDef, ...]" = ()


@contextlib.asynccontextmanager
async def workspaces(settings: Settings) -> AsyncIterator[Workspaces]:
    """Nothing where the tokens in the environment are all there is. Raises SettingsError where the store is wrong."""
    if not settings.has_store:
        yield Workspaces()
        return
    import aiohttp

    from bot.slack.delivery import web_client
    from bot.slack.install import Installing
    from bot.slack.sending import Sender

    store = parts.store(settings)
    timeout = aiohttp.ClientTimeout(total=SEND_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session, contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        opening = await _opened(store)
        if opening:
            stack.callback(opening.cancel)
        client = web_client(settings.slack_api_url, session)
        options: dict[str, Any] = {"store": store, "sender": Sender(store, client)}
        routes: tuple[web.RouteDef, ...] = ()
        if settings.angel_url:
            assert settings.slack_client_id is not None
            assert settings.slack_client_secret is not None
            installing = Installing(
                store,
                client_id=settings.slack_client_id,
                client_secret=settings.slack_client_secret.get_secret_value(),
                url=settings.angel_url.rstrip("/"),
                slack_url=settings.slack_api_url,
                client=client,
            )
            options["connect_link"] = installing.connect_link
            routes = tuple(installing.routes())
        yield Workspaces(options, routes)


async def _opened(store: "Store") -> "asyncio.Task[None] | None":
    """Opens the store; where it is away, what needs none goes on, and the task opens it when it is back."""
    from bot.store.terms import StoreUnavailable

    async def until_it_is() -> None:
        while True:
            await asyncio.sleep(OPEN_AGAIN_SECONDS)
            try:
                await store.open()
            except StoreUnavailable:
                continue
            logger.info("the store is open")
            return

    try:
        await store.open()
    except StoreUnavailable as error:
        logger.warning("%s What needs none goes on; trying again.", error)
        return asyncio.ensure_future(until_it_is())
    return None
