"""One browser for all that is tested in one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest_asyncio
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.async_api import Browser, ConsoleMessage, Page, ViewportSize

from tests.playground.browser import chromium

DESK, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844)

NewPage = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def new_page(browser: Browser) -> AsyncIterator[NewPage]:
    """Pages as `browser.new_context` is told to. Errors on them, and requests to elsewhere, fail the test."""
    problems: list[str] = []
    contexts = []

    async def new_page(**options: Any) -> Page:
        context = await browser.new_context(**{"viewport": DESK, "color_scheme": "light", **options})
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: problems.append(f"error: {error}"))
        # A violation of a page's content security policy arrives here, too.
        page.on("console", lambda said: problems.extend([said.text] if is_trouble(said) else []))
        page.on("request", lambda each: None if "//127.0.0.1:" in each.url else problems.append(f"request: {each.url}"))
        return page

    yield new_page
    for context in contexts:
        await context.close()
    assert problems == []


def is_trouble(said: ConsoleMessage) -> bool:
    # Of what the local Slack does not offer, which the page tells the person, browsers make an error of their own.
    return said.type == "error" and "status of 409" not in said.text


async def serious(page: Page) -> None:
    """Fails with what axe finds serious or critical."""
    found = (await Axe().run(page)).response["violations"]
    assert [
        f"{rule['id']}: {[node['html'] for node in rule['nodes']]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ] == []
