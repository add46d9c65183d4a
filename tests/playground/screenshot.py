"""`make screenshot`: the playground as it opens, as docs/playground.png for the README."""

import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import ViewportSize, expect

from bot.local_slack.slack import LocalSlack
from bot.model.loading import load_offline
from bot.model.phrasebook import WHAT_IT_MISSES
from bot.playground.drafts import DRAFTS
from bot.playground.play import address, play
from bot.screener import Screener
from bot.verdict import CAUTION_SENTENCE
from tests.playground.browser import chromium

PICTURE = Path(__file__).parents[2] / "docs" / "playground.png"
SIZE = ViewportSize(width=1200, height=720)


async def main() -> None:
    stop = asyncio.Event()
    opened: asyncio.Future[LocalSlack] = asyncio.get_running_loop().create_future()
    with tempfile.TemporaryDirectory() as cache_dir:
        model = load_offline(Path(cache_dir))
        playing = asyncio.ensure_future(
            play(
                lambda: (Screener(model, model), "the built-in offline check"),
                stop,
                drafts=DRAFTS,
                opening=DRAFTS[0],
                offline_note=WHAT_IT_MISSES,
                opened=opened.set_result,
            )
        )
        url = address(await opened)
        async with chromium() as browser:
            page = await browser.new_page(viewport=SIZE, color_scheme="light")
            await page.goto(url)
            await expect(page.get_by_text("Answering: the built-in offline check")).to_be_visible()
            await expect(page.locator(".ephemeral")).to_contain_text(CAUTION_SENTENCE)
            await page.mouse.move(0, 0)
            PICTURE.parent.mkdir(exist_ok=True)
            await page.screenshot(path=PICTURE, animations="disabled", caret="hide")
        stop.set()
        await playing


if __name__ == "__main__":
    asyncio.run(main())
