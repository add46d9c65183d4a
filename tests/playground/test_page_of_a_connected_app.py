"""The page in a real browser, in front of a small app with a Home that connects people, sends and edits as them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Page as BrowserPage
from playwright.async_api import expect
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.local_slack.slack import LocalSlack
from bot.playground.page import Page
from bot.playground.play import address
from tests.local_slack.shapes import JSON, MANIFEST, actions, ask, button, home, mrkdwn, plain, section, text_input
from tests.playground.conftest import PHONE, NewPage, serious

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

SURE = {
    "title": plain("Send it?"),
    "text": mrkdwn("To *#team*, in your name."),
    "confirm": plain("Send"),
    "deny": plain("Not yet"),
}


@dataclass
class SmallApp:
    """Publishes a Home to connect from; with a person's token it sends and edits."""

    slack: LocalSlack
    redirect_uri: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)

    @property
    def client(self) -> AsyncWebClient:
        return AsyncWebClient(token=self.slack.bot_token, base_url=self.slack.api_url)

    async def publish(self, user: str) -> None:
        asked = {"client_id": self.slack.client_id, "user_scope": "chat:write", "redirect_uri": self.redirect_uri}
        connect = button("connect", text=plain("Connect"), url=f"{self.slack.authorize_url}?{urlencode(asked)}")
        send = button("send", text=plain("Send it"), confirm=SURE)
        again = button("edit", text=plain("Change it"))
        blocks = [
            section(f"Tried: {', '.join(self.tried) or 'nothing'}"),
            ask(text_input(multiline=False), "try", label=plain("Try a draft"), dispatch_action=True, optional=True),
            actions(send, again) if user in self.tokens else actions(connect),
        ]
        await self.client.views_publish(user_id=user, view=home(*blocks))

    async def redirected(self, request: web.Request) -> web.Response:
        if "error" in request.query:
            return web.Response(text="Nothing was connected.")
        answer = await self.client.oauth_v2_access(
            client_id=self.slack.client_id,
            client_secret=self.slack.client_secret,
            code=request.query["code"],
            redirect_uri=self.redirect_uri,
        )
        person: JSON = answer["authed_user"]
        self.tokens[person["id"]] = person["access_token"]
        await self.publish(person["id"])
        return web.Response(text="You are connected.")

    def listen(self, app: AsyncApp) -> None:
        @app.event("app_home_opened")
        async def opened(event: JSON) -> None:
            await self.publish(event["user"])

        @app.action("draft")
        async def tried(ack: Any, body: JSON) -> None:
            await ack()
            self.tried.append(body["actions"][0]["value"])
            await self.publish(body["user"]["id"])

        @app.action("connect")
        async def connect(ack: Any) -> None:
            await ack()

        @app.action("send")
        async def send(ack: Any, body: JSON) -> None:
            await ack()
            mine = AsyncWebClient(token=self.tokens[body["user"]["id"]], base_url=self.slack.api_url)
            await mine.chat_postMessage(channel=self.slack.channel, text="I could use a hand with this.")

        @app.action("edit")
        async def edit(ack: Any, body: JSON) -> None:
            await ack()
            mine = AsyncWebClient(token=self.tokens[body["user"]["id"]], base_url=self.slack.api_url)
            ts = self.slack.messages()[-1]["ts"]
            await mine.chat_update(channel=self.slack.channel, ts=ts, text="Who can give me a hand?")


@pytest_asyncio.fixture(loop_scope="session")
async def small() -> AsyncIterator[SmallApp]:
    async def answering() -> str:
        return "a small app"

    page = Page(drafts=(), answering=answering)
    async with LocalSlack(manifest=MANIFEST, routes=page.routes) as slack:
        small = SmallApp(slack)
        site = web.Application()
        site.router.add_get("/slack/oauth_redirect", small.redirected)
        runner = web.AppRunner(site)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        small.redirect_uri = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/oauth_redirect"
        slack.redirect_urls.append(small.redirect_uri)
        app = AsyncApp(client=small.client, signing_secret=slack.signing_secret)
        small.listen(app)
        handler = AsyncSocketModeHandler(app, slack.app_token, web_client=AsyncWebClient(base_url=slack.api_url))
        await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt's has no types
        await slack.changed(lambda: slack.connections)
        yield small
        await handler.close_async()  # type: ignore[no-untyped-call]  # the same
        await runner.cleanup()


async def opened(new_page: NewPage, small: SmallApp, **options: Any) -> BrowserPage:
    page = await new_page(**options)
    await page.goto(address(small.slack))
    await expect(page.get_by_text("Answering: a small app")).to_be_visible()
    return page


async def allowed(page: BrowserPage, decision: str) -> BrowserPage:
    """What Slack's own page leads to, in its own tab."""
    async with page.expect_popup() as popup:
        await page.locator("#home").get_by_role("link", name="Connect").click()
    asking = await popup.value
    await expect(asking.get_by_role("heading", name="An app is asking for permission")).to_be_visible()
    await expect(asking.get_by_text("Send and change messages in your name")).to_be_visible()
    await serious(asking)
    await asking.get_by_role("button", name=decision).click()
    return asking


async def test_one_connects_sends_and_edits_with_the_mouse(small: SmallApp, new_page: NewPage) -> None:
    page = await opened(new_page, small)
    await page.get_by_role("navigation").get_by_role("link", name="An app").click()
    shown = page.locator("#home")
    await expect(shown).to_contain_text("Tried: nothing")
    await serious(page)
    cancelled = await allowed(page, "Cancel")
    await expect(cancelled.get_by_text("Nothing was connected.")).to_be_visible()
    connected = await allowed(page, "Allow")
    await expect(connected.get_by_text("You are connected.")).to_be_visible()

    await shown.get_by_role("button", name="Send it").click()
    question = page.get_by_role("dialog", name="Send it?")
    await expect(question).to_contain_text("To #team, in your name.")
    await serious(page)
    await question.get_by_role("button", name="Not yet").click()
    await expect(question).to_have_count(0)
    assert small.slack.messages() == []
    await shown.get_by_role("button", name="Send it").click()
    await question.get_by_role("button", name="Send", exact=True).click()
    await small.slack.changed(small.slack.messages)
    await shown.get_by_role("button", name="Change it").click()
    await page.get_by_role("navigation").get_by_role("link", name="team").click()
    sent = page.locator("#messages .message")
    await expect(sent).to_contain_text("Who can give me a hand?")
    await expect(sent).to_contain_text("Sam Rivera")
    await expect(sent).to_contain_text("(edited)")


async def test_one_looks_at_the_home_and_sends_with_the_keyboard(small: SmallApp, new_page: NewPage) -> None:
    small.tokens[small.slack.user] = await _token(small)
    page = await opened(new_page, small)
    await page.get_by_role("navigation").get_by_role("link", name="An app").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Try a draft")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("Try a draft")).to_be_focused()
    await page.keyboard.type("Fine.")
    await page.keyboard.press("Enter")
    await expect(page.locator("#home")).to_contain_text("Tried: Fine.")
    await expect(page.get_by_label("Try a draft")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog").get_by_role("button", name="Send", exact=True)).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert small.slack.messages() == []
    await expect(page.locator("#home").get_by_role("button", name="Send it")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await small.slack.changed(small.slack.messages)


async def _token(small: SmallApp) -> str:
    asked = {"client_id": small.slack.client_id, "user_scope": "chat:write", "redirect_uri": small.redirect_uri}
    back = await small.slack.authorize(f"{small.slack.authorize_url}?{urlencode(asked)}")
    answer = await small.client.oauth_v2_access(
        client_id=small.slack.client_id,
        client_secret=small.slack.client_secret,
        code=back.partition("code=")[2].partition("&")[0],
        redirect_uri=small.redirect_uri,
    )
    return str(answer["authed_user"]["access_token"])


async def test_the_other_workspace_is_a_page_of_its_own(small: SmallApp, new_page: NewPage) -> None:
    page = await opened(new_page, small, viewport=PHONE, has_touch=True, is_mobile=True)
    await page.get_by_role("button", name="Channels and messages").tap()
    await page.get_by_role("button", name="Switch to Second Slack").tap()
    await expect(page.get_by_role("heading", name="#general")).to_be_visible()
    await page.get_by_role("combobox", name="Message").fill("/angel Fine.")
    await page.get_by_role("button", name="Send").first.tap()
    # The app is not there yet, and the page says so.
    await expect(page.get_by_role("alert").filter(has_text="not installed in this workspace")).to_be_visible()
    await serious(page)
    await page.get_by_role("button", name="Channels and messages").tap()
    await expect(page.get_by_role("navigation")).to_contain_text("Nia Lindqvist in Second Slack")
    await page.get_by_role("button", name="Switch to Local Slack").tap()
    await expect(page.get_by_role("heading", name="#team")).to_be_visible()


async def test_the_page_that_asks_opens_only_beside_the_playgrounds_own(small: SmallApp, new_page: NewPage) -> None:
    asked = {"client_id": small.slack.client_id, "user_scope": "chat:write", "redirect_uri": small.redirect_uri}
    stranger = await new_page()
    response = await stranger.request.get(f"{small.slack.authorize_url}?{urlencode(asked)}")
    assert response.status == 403
    page = await opened(new_page, small)
    for query, says in (
        (asked | {"client_id": "1.2"}, "invalid_client_id"),
        (asked | {"user_scope": "<script>"}, "&lt;script&gt;"),
    ):
        refused = await page.request.get(f"{small.slack.authorize_url}?{urlencode(query)}")
        assert (refused.status, says in await refused.text()) == (400, True)
