"""The page in a real browser, in front of the real app and the offline model."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, ViewportSize, expect

from bot.evaluation.examples import read_examples
from bot.local_slack.slack import LocalSlack
from bot.model.loading import load_offline
from bot.playground.drafts import DRAFTS
from bot.playground.play import address, play
from bot.screener import Screener
from bot.verdict import CAUTION_SENTENCE, GOOD_SENTENCE
from tests.playground.conftest import DESK, PHONE, NewPage, serious

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

TUTORIAL = [example.text for example in read_examples() if example.slice == "tutorial"]
SINGER = TUTORIAL[4]
HOSTILE = "Fine. <img src=x onerror=\"document.title='owned'\"> <script>document.title='owned'</script> &lt;b&gt;"


@dataclass
class Playing:
    """A playground that runs, and a page on it."""

    slack: LocalSlack
    page: Page

    @property
    def field(self) -> Locator:
        return self.page.get_by_role("combobox", name="Message")

    @property
    def answer(self) -> Locator:
        return self.page.locator(".ephemeral").last

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    async def say(self, text: str) -> None:
        await self.field.fill(text)
        await self.field.press("Enter")

    async def choose(self, message: Locator, item: str) -> None:
        """From the menu of a message."""
        await message.hover()
        await message.get_by_role("button", name="More actions").click()
        await self.page.get_by_role("menuitem", name=item).click()

    async def write(self) -> Locator:
        """Opens the composer; its draft."""
        await self.page.get_by_role("button", name="Shortcuts").first.click()
        await self.page.get_by_role("menuitem", name="Write with Angel").click()
        await expect(self.dialog).to_be_visible()
        return self.dialog.get_by_label("Your draft")

    def message(self, text: str, inside: str = "#messages") -> Locator:
        return self.page.locator(f"{inside} .message", has_text=text)


@pytest.fixture(scope="module")
def screener(cache_dir: Path) -> Screener:
    model = load_offline(cache_dir)
    return Screener(model, model)


@asynccontextmanager
async def playground(screener: Screener) -> AsyncIterator[LocalSlack]:
    stop = asyncio.Event()
    opened: asyncio.Future[LocalSlack] = asyncio.get_running_loop().create_future()
    playing = asyncio.ensure_future(
        play(
            lambda: (screener, "the built-in offline check"),
            stop,
            drafts=DRAFTS,
            offline_note="It misses most irony.",
            opened=opened.set_result,
        )
    )
    slack = await opened
    slack.clock.freeze()
    yield slack
    stop.set()
    await playing


Open = Callable[..., Awaitable[Playing]]


@pytest_asyncio.fixture(loop_scope="session")
async def local_slack(screener: Screener) -> AsyncIterator[LocalSlack]:
    async with playground(screener) as slack:
        yield slack


@pytest.fixture
def open_page(local_slack: LocalSlack, new_page: NewPage) -> Open:
    async def open_page(**options: Any) -> Playing:
        page = await new_page(**options)
        await page.goto(address(local_slack))
        await expect(page.get_by_text("Answering: the built-in offline check")).to_be_visible()
        return Playing(local_slack, page)

    return open_page


@pytest_asyncio.fixture(loop_scope="session")
async def playing(open_page: Open) -> Playing:
    return await open_page()


# The command


async def test_a_tutorial_message_typed_after_the_command_gets_its_caution_and_rewrite(playing: Playing) -> None:
    await playing.field.fill("/")
    await expect(playing.page.get_by_role("option", name="/angel")).to_contain_text("your draft | help")
    await playing.field.press("Enter")
    await expect(playing.field).to_have_value("/angel ")
    await playing.field.press_sequentially(SINGER)
    await playing.field.press("Enter")
    await expect(playing.answer).to_contain_text("Only visible to you")
    await expect(playing.answer).to_contain_text(CAUTION_SENTENCE)
    await expect(playing.answer.locator("pre")).not_to_be_empty()
    await expect(playing.answer).to_contain_text("knows phrases, not meaning")
    await expect(playing.field).to_have_value("")
    # The draft itself was sent to nobody.
    assert all(SINGER not in message["text"] for message in playing.slack.messages())


async def test_each_of_the_drafts_is_one_click_away(playing: Playing) -> None:
    drafts = playing.page.locator("#try")
    for number, draft in enumerate(DRAFTS, start=1):
        if number > 1:  # one click folds them; they are still there
            await drafts.locator("summary").click()
        await drafts.get_by_role("button", name=draft).click()
        await expect(playing.page.locator(".ephemeral")).to_have_count(number)
        await expect(playing.answer).to_contain_text(GOOD_SENTENCE if draft == DRAFTS[-1] else CAUTION_SENTENCE)
        # Each shows what this is for: words to send, and no tip alone.
        await expect(playing.answer.locator("pre")).not_to_be_empty()
        await expect(drafts.locator("summary")).to_contain_text(f"You typed /angel {draft}")


async def test_another_tone_replaces_the_answer_in_place(playing: Playing) -> None:
    await playing.say(f"/angel {SINGER}")
    before = await playing.answer.locator("pre").inner_text()
    await playing.answer.get_by_label("A rewrite should sound").select_option("in a professional tone")
    await playing.answer.get_by_role("button", name="Say it").click()
    await expect(playing.answer.locator("pre")).not_to_have_text(before)
    await expect(playing.answer).to_contain_text("· professional tone")
    await expect(playing.page.locator(".ephemeral")).to_have_count(1)


async def test_an_answer_can_be_voted_on(playing: Playing) -> None:
    await playing.say(f"/angel {SINGER}")
    menu = playing.answer.get_by_label("Helpful?")
    await menu.select_option("👍 Helpful")
    await playing.slack.changed(lambda: playing.slack.calls)
    await expect(menu.locator("option:checked")).to_have_text("👍 Helpful")
    await expect(playing.page.locator(".ephemeral")).to_have_count(1)


async def test_an_unknown_command_is_kept_and_explained(playing: Playing) -> None:
    await playing.say("/agnel be nice")
    await expect(playing.page.get_by_role("alert").filter(has_text="/agnel is not a command here")).to_be_visible()
    await expect(playing.field).to_have_value("/agnel be nice")


async def test_what_slack_tells_a_person_whom_the_app_let_down_is_shown(playing: Playing) -> None:
    playing.slack.request_url = "http://127.0.0.1:9/"  # the discard port: nobody listens
    await playing.say("/angel Fine.")
    await expect(playing.page.get_by_role("alert").filter(has_text="/angel did not work")).to_be_visible()


# Messages


async def test_enter_sends_and_shift_enter_breaks_the_line(playing: Playing) -> None:
    await playing.field.fill("one")
    await playing.field.press("Shift+Enter")
    await playing.field.press_sequentially("two, @maria, in #quiet: https://example.com/a?b=1&c=2")
    await playing.field.press("Enter")
    message = playing.message("two, @maria")
    await expect(message.locator(".body")).to_have_text("one\ntwo, @maria, in #quiet: https://example.com/a?b=1&c=2")
    await expect(message.locator(".mention")).to_have_text(["@maria", "#quiet"])
    await expect(message.get_by_role("link")).to_have_attribute("href", "https://example.com/a?b=1&c=2")


async def test_mrkdwn_is_shown_as_slack_shows_it(playing: Playing) -> None:
    playing.slack.post(
        "*bold* and _slanted_ and ~gone~ and `a*b*c`, 2*3*4, snake_case_name :tada: :unknown:", blocks=[]
    )
    body = playing.message("snake_case_name").locator(".body")
    await expect(body).to_have_text("bold and slanted and gone and a*b*c, 2*3*4, snake_case_name 🎉 :unknown:")
    for tag, text in (("strong", "bold"), ("em", "slanted"), ("s", "gone"), ("code", "a*b*c")):
        await expect(body.locator(tag)).to_have_text(text)
    playing.slack.post("x", blocks=[mrkdwn("&gt; quoted\nand\n```\nif a &lt; b:\n    *go*\n```")])
    body = playing.message("quoted").locator(".body")
    await expect(body.locator("blockquote")).to_have_text("quoted")
    await expect(body.locator("pre")).to_have_text("if a < b:\n    *go*", use_inner_text=True)
    playing.slack.post(
        "x",
        blocks=[mrkdwn("<https://example.com|a *label*> <javascript:alert(1)|no link> <!here> <#C0LOCALTEAM|team>")],
    )
    body = playing.message("no link").locator(".body")
    await expect(body.get_by_role("link")).to_have_text(["a *label*"])
    await expect(body.locator(".mention")).to_have_text(["@here", "#team"])


async def test_a_block_that_is_not_supported_is_named(playing: Playing) -> None:
    playing.slack.post("x", blocks=[{"type": "video", "block_id": "v"}, mrkdwn("after it")])
    await expect(playing.message("after it")).to_contain_text("Unsupported here: video")


async def test_every_kind_of_block_and_element_is_shown(playing: Playing) -> None:
    option = {"text": {"type": "plain_text", "text": "First"}, "value": "1"}
    other = {"text": {"type": "plain_text", "text": "Second"}, "value": "2"}
    button = {"type": "button", "action_id": "b", "text": {"type": "plain_text", "text": "Press"}, "value": "v"}
    select = {"type": "static_select", "action_id": "s", "options": [option, other]}
    where = {"type": "conversations_select", "action_id": "c"}
    people = {"type": "multi_users_select", "action_id": "p"}
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": "Everything"}},
        {"type": "divider"},
        {**mrkdwn("with an accessory"), "accessory": people},
        {"type": "context", "elements": [{"type": "plain_text", "text": "small print"}]},
        {"type": "actions", "elements": [button, select, where]},
    ]
    message = playing.slack.post("x", blocks=[{**block, "block_id": str(n)} for n, block in enumerate(blocks)])
    shown = playing.message("Everything")
    await expect(shown.get_by_role("heading", name="Everything")).to_be_visible()
    await expect(shown).to_contain_text("small print")
    with playing.slack.subscribe() as events:
        await shown.get_by_role("button", name="Press").click()
        await shown.get_by_role("combobox").first.select_option("Second")
        await shown.get_by_role("combobox").last.select_option("#plans")
        await shown.get_by_role("checkbox", name="Priya Nair").check()
        actions = []
        async for event in events:
            if event["type"] == "delivery":
                assert event["payload"]["container"]["message_ts"] == message["ts"]
                actions += event["payload"]["actions"]
            if len(actions) == 4:
                break
    said = {each["action_id"]: each for each in actions}
    assert said["b"]["value"] == "v"
    assert said["s"]["selected_option"]["value"] == "2"
    assert said["c"]["selected_conversation"] == playing.slack.private
    assert said["p"]["selected_users"] == ["U0LOCALPRIYA"]


# Shortcuts


async def test_a_message_in_a_channel_is_checked_from_its_menu(playing: Playing) -> None:
    await playing.choose(playing.message("Per my last message"), "Check with Angel")
    await expect(playing.answer).to_contain_text("This message may sting")
    await expect(playing.answer).to_contain_text("“Per my last message”")


async def test_a_message_in_a_thread_is_checked_in_a_modal(playing: Playing) -> None:
    await playing.page.get_by_role("navigation").get_by_role("link", name="Maria in #team").click()
    await playing.choose(playing.message("Must be nice", "#replies"), "Check with Angel")
    await expect(playing.dialog).to_contain_text("This message may sting")
    await playing.dialog.get_by_label("A rewrite should sound").select_option("in a brief tone")
    await playing.dialog.get_by_role("button", name="Say it").click()
    await expect(playing.dialog).to_contain_text("· brief tone")
    await playing.dialog.get_by_role("button", name="Done").click()
    await expect(playing.dialog).to_be_hidden()
    await expect(playing.page.locator(".ephemeral")).to_have_count(0)


async def test_a_command_in_a_thread_is_explained(playing: Playing) -> None:
    await playing.page.get_by_role("button", name="2 replies").click()
    reply = playing.page.get_by_label("Reply in the thread")
    await reply.fill("/angel Fine.")
    await reply.press("Enter")
    await expect(playing.page.get_by_role("alert").filter(has_text="don’t work in threads")).to_be_visible()
    await reply.fill("On my way.")
    await reply.press("Enter")
    await expect(playing.message("On my way.", "#replies")).to_be_visible()
    await expect(playing.page.get_by_role("button", name="3 replies")).to_be_visible()


async def test_an_answer_in_a_place_without_the_app_and_in_a_direct_message(playing: Playing) -> None:
    for place, name in (("quiet", "#quiet"), ("Maria Okafor", "Maria Okafor")):
        await playing.page.get_by_role("navigation").get_by_role("link", name=place, exact=True).click()
        await expect(playing.page.get_by_role("heading", name=name)).to_be_visible()
        await playing.say("/angel Thanks for the cake!")
        await expect(playing.answer).to_contain_text(GOOD_SENTENCE)


# The composer


async def test_the_composer_from_open_to_copied_rewrite(open_page: Open) -> None:
    playing = await open_page(permissions=["clipboard-read", "clipboard-write"])
    draft = await playing.write()
    await expect(draft).to_be_focused()
    await draft.fill("Thanks for finally answering my email of 3 May.")
    await playing.dialog.get_by_label("A rewrite should sound").select_option("Warm")
    await playing.dialog.get_by_label("Anything I should know?").fill("To my manager")
    await playing.dialog.get_by_role("button", name="Check").click()
    await expect(playing.dialog).to_contain_text(CAUTION_SENTENCE)
    await expect(draft).to_have_value("Thanks for finally answering my email of 3 May.")
    rewrite = await playing.dialog.locator("pre").inner_text()
    await playing.dialog.get_by_role("button", name="Copy").click()
    await expect(playing.dialog.get_by_role("button", name="Copied")).to_be_visible()
    assert await playing.page.evaluate("navigator.clipboard.readText()") == rewrite
    await playing.dialog.get_by_role("button", name="Put it into the draft").click()
    await expect(playing.dialog.get_by_label("Your draft")).to_have_value(rewrite)
    await expect(playing.dialog.get_by_label("A rewrite should sound")).to_have_value("warm")


async def test_the_composer_keeps_what_was_typed_through_errors(playing: Playing) -> None:
    draft = await playing.write()
    check = playing.dialog.get_by_role("button", name="Check")
    await check.click()
    await expect(draft).to_have_accessible_description("Please fill in this field.")
    await expect(draft).to_be_focused()
    await draft.fill("\u200b\u200b")  # nothing to read, which only Angel can tell
    await playing.dialog.get_by_label("Anything I should know?").fill("To my manager")
    await check.click()
    await expect(playing.dialog.locator(".error").first).not_to_be_empty()
    await expect(draft).not_to_have_accessible_description("Please fill in this field.")
    await expect(draft).to_be_focused()
    await expect(playing.dialog.get_by_label("Anything I should know?")).to_have_value("To my manager")
    await draft.fill("Fine. I'll do it myself, as usual.")
    await check.click()
    await expect(playing.dialog).to_contain_text(CAUTION_SENTENCE)
    await expect(playing.dialog.locator(".error").first).to_be_empty()


# Sending


async def test_one_connects_in_the_home_and_sends_a_rewrite_under_ones_own_name(playing: Playing) -> None:
    page = playing.page
    await page.get_by_role("navigation").get_by_role("link", name="Text Message Angel").click()
    home = page.locator("#home")
    await expect(home.get_by_label("A draft you're not sure about")).to_be_visible()
    async with page.expect_popup() as popup:
        await home.get_by_role("link", name="Connect to send as me").click()
    asking = await popup.value
    await asking.get_by_role("button", name="Allow").click()
    await expect(asking.get_by_text("connected").first).to_be_visible()
    await asking.close()

    await page.get_by_role("navigation").get_by_role("link", name="team", exact=True).click()
    await playing.say(f"/angel {DRAFTS[0]}")
    rewrite = await playing.answer.locator("pre").inner_text()
    await playing.answer.get_by_role("button", name="Send it").click()
    question = page.get_by_role("dialog", name="Send it now?")
    await expect(question).to_contain_text("team")
    await question.get_by_role("button").last.click()
    sent = playing.message(rewrite).filter(has_text="Sam Rivera")
    await expect(sent).to_be_visible()
    (message,) = [each for each in playing.slack.messages() if each["text"] == rewrite]
    assert message["user"] == playing.slack.user


# Hostile drafts


async def test_a_draft_of_html_shows_as_typed_everywhere(playing: Playing) -> None:
    await playing.say(HOSTILE)
    await expect(playing.message("onerror").locator(".body")).to_have_text(HOSTILE)
    await playing.say(f"/angel As per my last email, {HOSTILE}")
    await expect(playing.answer).to_contain_text(CAUTION_SENTENCE)
    draft = await playing.write()
    await draft.fill(f"As per my last email, {HOSTILE}")
    await playing.dialog.get_by_role("button", name="Check").click()
    await expect(playing.dialog).to_contain_text(CAUTION_SENTENCE)
    await playing.page.keyboard.press("Escape")
    await playing.page.get_by_role("button", name="Payloads").click()
    for entry in await playing.page.locator("#traffic summary").all():
        await entry.click()
    await expect(playing.page.locator("#traffic pre", has_text="onerror").first).to_be_visible()
    assert await playing.page.locator("img[src='x'], [onerror]").count() == 0
    assert "owned" not in await playing.page.title()


# Keyboard


async def test_everything_is_done_with_the_keyboard_alone(playing: Playing) -> None:
    page = playing.page
    press = page.keyboard.press
    await press("Tab")
    await expect(page.get_by_role("link", name="Skip to the message field")).to_be_focused()
    await press("Enter")
    await expect(playing.field).to_be_focused()
    await page.keyboard.type("/an")
    await press("Tab")
    await page.keyboard.type(SINGER)
    await press("Enter")
    await expect(playing.answer).to_contain_text(CAUTION_SENTENCE)

    # Back through the page, to the answer's buttons.
    await backwards_to(page, playing.answer.get_by_label("A rewrite should sound"))
    await press("End")
    await press("Shift+Tab")
    await expect(playing.answer.get_by_role("button", name="Say it")).to_be_focused()
    await press("Enter")
    await expect(playing.answer).to_contain_text("· brief tone")
    await expect(playing.answer.locator("article")).to_be_focused()  # the button is gone, what it led to is not

    await backwards_to(page, playing.message("Per my last message").get_by_role("button", name="More actions"))
    await press("Enter")
    await expect(page.get_by_role("menuitem", name="Check with Angel")).to_be_focused()
    await press("End")
    await expect(page.get_by_role("menuitem", name="Reply in thread")).to_be_focused()
    await press("Escape")
    await expect(page.get_by_role("menu")).to_have_count(0)
    await expect(playing.message("Per my last message").get_by_role("button", name="More actions")).to_be_focused()
    await press("Enter")
    await press("Enter")
    await expect(playing.page.locator(".ephemeral")).to_have_count(2)

    await playing.field.focus()
    await press("Tab")
    await press("Enter")
    await press("Enter")
    await expect(playing.dialog.get_by_label("Your draft")).to_be_focused()
    for _ in range(12):  # round and round: the page behind is out of reach
        await press("Tab")
        assert await page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    await press("Escape")
    await expect(playing.dialog).to_be_hidden()
    await expect(page.get_by_role("button", name="Shortcuts").first).to_be_focused()


async def backwards_to(page: Page, target: Locator) -> None:
    for _ in range(40):
        if await target.evaluate("node => node === document.activeElement"):
            break
        await page.keyboard.press("Shift+Tab")
    await expect(target).to_be_focused()
    outline = await target.evaluate("node => getComputedStyle(node).outlineStyle + getComputedStyle(node).outlineWidth")
    assert outline == "solid2px"


# Coming and going


async def test_a_reload_brings_everything_back(playing: Playing) -> None:
    await playing.page.get_by_role("navigation").get_by_role("link", name="plans").click()
    await playing.say(f"/angel {SINGER}")
    await expect(playing.answer).to_contain_text(CAUTION_SENTENCE)
    draft = await playing.write()
    with playing.slack.subscribe() as events:
        await draft.fill("Half a thought")
        async for event in events:
            if event["type"] == "view":
                break
    await playing.page.reload()
    await expect(playing.page.get_by_role("heading", name="plans")).to_be_attached()
    await expect(playing.answer).to_contain_text(CAUTION_SENTENCE)
    await expect(playing.dialog.get_by_label("Your draft")).to_have_value("Half a thought")
    await playing.page.keyboard.press("Escape")
    await playing.answer.get_by_label("A rewrite should sound").select_option("in a warm tone")
    await playing.answer.get_by_role("button", name="Say it").click()
    await expect(playing.answer).to_contain_text("· warm tone")
    await playing.page.get_by_role("button", name="Payloads").click()
    await expect(playing.page.locator("#traffic summary", has_text="slash_commands").first).to_be_visible()


async def test_two_pages_show_the_same(open_page: Open) -> None:
    one, other = await open_page(), await open_page()
    await one.say("Seen by both.")
    await expect(other.message("Seen by both.")).to_be_visible()


async def test_the_page_says_when_the_playground_stops_and_loses_nothing(browser: Browser, screener: Screener) -> None:
    page = await browser.new_page()
    async with playground(screener) as slack:
        await page.goto(address(slack))
        await expect(page.locator(".message").first).to_be_visible()
    await expect(page.get_by_role("alert").filter(has_text="open the address that it prints")).to_be_visible()
    await page.get_by_role("combobox", name="Message").fill("not lost")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
    await expect(page.get_by_role("combobox", name="Message")).to_have_value("not lost")
    await page.close()


# For developers


async def test_the_payloads_are_shown_exactly_and_can_be_copied(open_page: Open) -> None:
    playing = await open_page(permissions=["clipboard-read", "clipboard-write"])
    await expect(playing.page.locator("#traffic")).to_be_hidden()
    await playing.page.get_by_role("button", name="Payloads").click()
    await playing.page.get_by_role("button", name="Clear").click()
    with playing.slack.subscribe() as events:
        await playing.say("/angel Fine.")
        async for event in events:
            if event["type"] == "delivery":
                break
    entry = playing.page.locator("#traffic li", has_text="slash_commands").last
    await entry.locator("summary").click()
    assert json.loads(await entry.locator("pre").inner_text()) == event["payload"]
    await entry.get_by_role("button", name="Copy").click()
    await expect(entry.get_by_role("button", name="Copied")).to_be_visible()
    assert json.loads(await playing.page.evaluate("navigator.clipboard.readText()")) == event["payload"]


# For everybody


@pytest.mark.heavy
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
async def test_axe_finds_nothing_serious(open_page: Open, scheme: str, viewport: ViewportSize) -> None:
    playing = await open_page(color_scheme=scheme, viewport=viewport)
    await playing.say("Hello there, have a look at https://example.com, @maria.")
    await playing.say(f"/angel {SINGER}")
    await expect(playing.answer).to_contain_text(CAUTION_SENTENCE)
    await serious(playing.page)
    await playing.field.fill("/")
    await playing.page.get_by_role("button", name="Payloads").click()
    await playing.page.locator("#traffic summary").first.click()
    await serious(playing.page)
    await playing.page.get_by_role("button", name="Close the payloads").click()
    await playing.page.get_by_role("button", name="2 replies").click()
    await playing.message("Must be nice", "#replies").get_by_role("button", name="More actions").click()
    await serious(playing.page)
    await playing.page.keyboard.press("Escape")
    draft = await playing.page.evaluate("location.hash = ''") or await playing.write()
    await playing.dialog.get_by_role("button", name="Check").click()
    await expect(draft).to_have_accessible_description("Please fill in this field.")
    await serious(playing.page)
    await draft.fill(SINGER)
    await playing.dialog.get_by_role("button", name="Check").click()
    await expect(playing.dialog).to_contain_text(CAUTION_SENTENCE)
    await serious(playing.page)


async def test_it_is_usable_at_phone_width(open_page: Open) -> None:
    playing = await open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    places = playing.page.get_by_role("navigation")
    await expect(places).to_be_hidden()
    await playing.page.get_by_role("button", name="Channels and messages").tap()
    await places.get_by_role("link", name="quiet").tap()
    await expect(places).to_be_hidden()
    await expect(playing.page.get_by_role("heading", name="#quiet")).to_be_visible()
    await playing.field.fill(f"/angel {SINGER}")
    await playing.page.get_by_role("button", name="Send").first.tap()
    await expect(playing.answer.get_by_text(CAUTION_SENTENCE)).to_be_in_viewport()
    await playing.message("Nobody invited").get_by_role("button", name="More actions").tap()
    await playing.page.get_by_role("menuitem", name="Reply in thread").tap()
    await expect(playing.page.get_by_label("Reply in the thread")).to_be_visible()
    await playing.page.get_by_role("button", name="Close the thread").tap()
    assert await playing.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


async def test_an_answer_is_spoken_to_screen_readers_as_slack_speaks_it(playing: Playing) -> None:
    await playing.say(f"/angel {SINGER}")
    await expect(playing.page.locator("#spoken")).to_contain_text(f"{CAUTION_SENTENCE} Suggested rewrite:")


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "section", "block_id": text[:8], "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
