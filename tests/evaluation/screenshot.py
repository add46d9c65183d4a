"""`make screenshot`: MLflow's UI with two versions evaluated, as docs/mlflow-*.png for the README.

A stand-in plays the chat model, one that misses six of the examples and one that misses none.
"""

import asyncio
import socket
import tempfile
from pathlib import Path

from mlflow.tracking import MlflowClient
from playwright.async_api import Page, ViewportSize, expect

from bot.local_slack.slack import LocalSlack
from tests.fakes import FakeOpenAI
from tests.labelled import judge_of_the_examples
from tests.playground.browser import chromium
from tests.test_life import Life

DOCS = Path(__file__).parents[2] / "docs"
SIZE = ViewportSize(width=1280, height=640)


async def main() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, FakeOpenAI() as openai:
        openai.judges = {"gpt-5.4-mini": judge_of_the_examples(missed=6), "gpt-5.4": judge_of_the_examples()}
        async with LocalSlack() as slack:
            life = Life(Path(folder), port, openai, slack)
            async with life.mlflow(), chromium() as browser:
                for model in openai.judges:
                    await life.angel("model", "log", "--model", model)
                    _, out = await life.angel("model", "evaluate")
                    await life.angel("model", "promote")
                run = next(line.removeprefix("run: ") for line in out.splitlines() if line.startswith("run: "))
                # Evaluations stand in an experiment of their own, whose number MLflow gives.
                server = f"http://127.0.0.1:{port}"
                found = MlflowClient(server, server).get_run(run).info.experiment_id
                page = await browser.new_page(viewport=SIZE, color_scheme="light")
                runs = f"{server}/#/experiments/{found}/runs"
                await take(page, runs, "matching runs", "mlflow-experiment")
                await take(page, f"{runs}/{run}/artifacts/report.html", "Path:", "mlflow-evaluation")


async def take(page: Page, url: str, sign: str, name: str) -> None:
    await page.goto(url)
    await expect(page.get_by_text(sign).first).to_be_visible(timeout=30_000)
    close = page.get_by_role("button", name="Close").first
    if await close.is_visible():
        await close.click()
    await page.wait_for_timeout(3_000)  # its pictures come in one by one, and it never stops asking for news
    await page.screenshot(path=DOCS / f"{name}.png", animations="disabled")


if __name__ == "__main__":
    asyncio.run(main())
