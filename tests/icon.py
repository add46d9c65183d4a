"""`make screenshot`: docs/icon.svg as docs/icon.png, in the size that Slack asks for."""

import asyncio

from playwright.async_api import ViewportSize

from tests.playground.browser import chromium
from tests.processes import ROOT

SIZE = ViewportSize(width=512, height=512)
"""Pixels. Slack takes a square of 512 to 2,000 (api.slack.com/apps > Basic Information > Display Information)."""
DRAWN, PICTURE = ROOT / "docs" / "icon.svg", ROOT / "docs" / "icon.png"


async def main() -> None:
    async with chromium() as browser:
        page = await browser.new_page(viewport=SIZE)
        await page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{DRAWN.read_text()}")
        await page.screenshot(path=PICTURE)


if __name__ == "__main__":
    asyncio.run(main())
