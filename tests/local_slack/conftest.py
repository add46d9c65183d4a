from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.local_slack.clock import Clock
from bot.local_slack.slack import LocalSlack
from tests.local_slack.shapes import JSON, MANIFEST


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    """A local Slack whose time passes only when a test says so."""
    async with LocalSlack(manifest=MANIFEST, clock=Clock(frozen=True)) as local:
        yield local


@pytest.fixture
def client(slack: LocalSlack) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)


@pytest.fixture
def bolt(slack: LocalSlack, client: AsyncWebClient) -> AsyncApp:
    """A Bolt app of this Slack, not yet reachable."""
    return AsyncApp(client=client, signing_secret=slack.signing_secret)


@pytest.fixture
async def over_http(slack: LocalSlack, bolt: AsyncApp) -> AsyncIterator[AsyncApp]:
    runner = web.AppRunner(bolt.server(port=0, path="/slack/events").web_app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    yield bolt
    await runner.cleanup()


@pytest.fixture
def ping_interval() -> float:
    """Seconds. A client takes a line for dead whose pong is half of it late, so a busy machine needs a long one."""
    return 10


@pytest.fixture
async def over_socket(slack: LocalSlack, bolt: AsyncApp, ping_interval: float) -> AsyncIterator[AsyncApp]:
    handler = AsyncSocketModeHandler(
        bolt, slack.app_token, web_client=AsyncWebClient(base_url=slack.api_url), ping_interval=ping_interval
    )
    await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt's has no types
    await slack.changed(lambda: slack.connections)
    yield bolt
    await handler.close_async()  # type: ignore[no-untyped-call]  # the same


@pytest.fixture(params=["over_http", "over_socket"])
def app(request: pytest.FixtureRequest) -> Any:
    """The Bolt app, reached in each of the two ways."""
    return request.getfixturevalue(request.param)


@pytest.fixture
async def endpoint(slack: LocalSlack) -> Any:
    """A bare server as the request URL: it keeps requests and answers what `answer` says."""
    seen: list[tuple[Any, str]] = []
    answer: JSON = {"status": 200}

    async def handle(request: web.Request) -> web.Response:
        seen.append((request.headers, await request.text()))
        return web.Response(**answer)

    app = web.Application()
    app.router.add_post("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield seen, answer
    await runner.cleanup()


async def refusal(call: Awaitable[Any]) -> Any:
    """What Slack answers to a call that it refuses."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response
