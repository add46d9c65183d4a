"""The whole life of a model, on a real MLflow server, with a bot running beside it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot.evaluation.examples import read_examples
from bot.local_slack.slack import LocalSlack
from bot.slack.manifest import manifest
from tests.fakes import FakeOpenAI
from tests.labelled import judge_of_the_examples
from tests.processes import ROOT

PYTHON = os.environ.get("ANGEL_TEST_PYTHON", sys.executable)
"""What `angel` runs on; CI runs this a second time on an environment with `requirements-skinny.txt` only."""

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(1_200)]

MEAN = read_examples()[0].text


class Life:
    """The environment that all of it runs in, and the ways to run it."""

    def __init__(self, folder: Path, port: int, openai: FakeOpenAI, slack: LocalSlack) -> None:
        self.folder, self.port, self.slack = folder, port, slack
        self.environ = os.environ | {
            "PYTHONPATH": str(ROOT),
            "ANGEL_CACHE_DIR": str(folder / "cache"),
            "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}",
            "OPENAI_BASE_URL": openai.url,
            "OPENAI_API_KEY": "sk-test",
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.api_url,
        }

    async def angel(self, *arguments: str) -> tuple[int | None, str]:
        """`angel` with these arguments: its exit code, and all that it said."""
        process = await asyncio.create_subprocess_exec(
            PYTHON, "-m", "bot", *arguments,
            env=self.environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await process.communicate()
        return process.returncode, out.decode()

    @asynccontextmanager
    async def mlflow(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """An MLflow server that is up; the same store each time."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1",
            "--backend-store-uri", f"sqlite:///{self.folder / 'server.db'}",
            "--artifacts-destination", str(self.folder / "artifacts"),
            env={name: value for name, value in self.environ.items() if name != "MLFLOW_TRACKING_URI"},
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            async with aiohttp.ClientSession() as client, asyncio.timeout(120):
                while not await healthy(client, self.port):  # noqa: ASYNC110 - a server of somebody else's
                    await asyncio.sleep(0.2)
            yield process
        finally:
            # Its workers are in the session that it was started in.
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    @asynccontextmanager
    async def bot(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """`angel serve` following the champion, connected; told to end when it is done with."""
        process = await asyncio.create_subprocess_exec(
            PYTHON, "-m", "bot", "serve",
            env=self.environ | {"ANGEL_MODEL_URI": "models:/text-message-angel@champion"},
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await self.slack.changed(lambda: self.slack.connections, timeout=90)
            yield process
            process.terminate()
            assert await asyncio.wait_for(process.wait(), 40) == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def answer(self) -> str:
        """What the bot says of a stinging message."""
        before = len(self.slack.ephemerals())
        await self.slack.command("/angel", MEAN)
        await self.slack.changed(lambda: len(self.slack.ephemerals()) > before, timeout=30)
        return str(self.slack.ephemerals()[-1]["blocks"])

    async def answers_with(self, version: str) -> None:
        """Returns once the bot answers with this version of the model, which it has to within a minute."""
        async with asyncio.timeout(60):
            while f"version {version}" not in await self.answer():  # noqa: ASYNC110 - nobody tells a person in Slack
                await asyncio.sleep(1)


async def healthy(client: aiohttp.ClientSession, port: int) -> bool:
    try:
        async with client.get(f"http://127.0.0.1:{port}/health") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


async def test_a_model_lives_from_its_first_version_to_the_servers_return(
    tmp_path: Path, unused_tcp_port: int, openai_server: FakeOpenAI
) -> None:
    openai_server.judges = {
        "one": judge_of_the_examples(),
        "two": judge_of_the_examples(),
        "worse": judge_of_the_examples(missed=40),
    }
    async with LocalSlack(manifest=manifest()) as slack:
        life = Life(tmp_path, unused_tcp_port, openai_server, slack)
        async with life.mlflow():
            for number, model in (("1", "one"), ("2", "two")):
                assert (await life.angel("model", "log", "--model", model))[0] == 0
                code, out = await life.angel("model", "evaluate")
                assert code == 0, out
                if model == "one":
                    code, out = await life.angel("model", "promote")
                    assert (code, f"Version {number} (one) is the champion now" in out) == (0, True), out

            async with life.bot():
                await life.answers_with("1")
                code, out = await life.angel("model", "promote")
                assert code == 0, out
                await life.answers_with("2")

                await life.angel("model", "log", "--model", "worse")
                await life.angel("model", "evaluate")
                code, out = await life.angel("model", "promote")
                assert code == 1
                assert "recall" in out.lower()
                assert "version 2" in await life.answer()

                code, out = await life.angel("model", "rollback")
                assert code == 0, out
                await life.answers_with("1")

        # The server is gone now, killed; a bot that starts serves the last good version.
        async with life.bot():
            assert "version 1" in await life.answer()
            async with life.mlflow():
                code, out = await life.angel("model", "promote", "2")
                assert code == 0, out
                await life.answers_with("2")
            assert "version 2" in await life.answer()
