"""What `angel serve --http` takes before anybody asks it anything: seconds from start to ready, CPU, memory.

    python -m tests.benchmarks.footprint [--python PATH] [--rounds N] [--mlflow down|hanging]

A local Slack and a stand-in for the chat model's server run in this process. Ready is when /readyz says so: the model
is loaded and Slack has accepted the token. Memory is what is resident a second later. `--python` is that of another
environment, such as one with `requirements-skinny.txt` only. Medians of the rounds; the first one, which fills the
cache folder, does not count. With `--mlflow`, the model is an alias in the registry of an MLflow server that refuses,
or that takes what is sent and never answers: ready then means that the worker listens, with the offline check.
"""

import argparse
import asyncio
import os
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import psutil

from bot.local_slack.slack import LocalSlack
from bot.slack.manifest import manifest
from tests.fakes import FakeOpenAI

ROOT = Path(__file__).parents[2]
ROUNDS = 5


async def start(python: str, environ: dict[str, str], *, with_model: bool = True) -> dict[str, float]:
    """One worker, from its start until a second after it was ready, with its model or without."""
    began = time.monotonic()
    worker = await asyncio.create_subprocess_exec(
        python, "-m", "bot", "serve", "--http", "--host", "127.0.0.1", "--port", "0",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, cwd=ROOT, env=environ,
    )  # fmt: skip
    try:
        assert worker.stdout is not None
        port = 0
        while not port:
            line = (await asyncio.wait_for(worker.stdout.readline(), 60)).decode()
            assert line, "the worker ended"
            if "listening on port" in line:
                port = int(line.split()[-1])
        async with aiohttp.ClientSession() as session:
            while True:
                async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    if answer.status == 200 or not with_model:
                        break
                await asyncio.sleep(0.01)
        ready = time.monotonic() - began
        process = psutil.Process(worker.pid)
        cpu = process.cpu_times()
        await asyncio.sleep(1)
        return {"ready_s": ready, "cpu_s": cpu.user + cpu.system, "resident_mb": process.memory_info().rss / 2**20}
    finally:
        worker.terminate()
        await worker.wait()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--mlflow", choices=["down", "hanging"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache, FakeOpenAI() as server:
        async with LocalSlack(manifest=manifest()) as slack:
            environ = {
                "PATH": os.environ["PATH"],
                "HOME": cache,
                "ANGEL_CACHE_DIR": cache,
                "OPENAI_BASE_URL": server.url,
                "SLACK_API_URL": slack.api_url,
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_SIGNING_SECRET": slack.signing_secret,
            }
            await start(given.python, environ)
            # It takes what is sent, and nobody answers; closed, it refuses.
            with socket.create_server(("127.0.0.1", 0)) as nobody:
                if given.mlflow:
                    environ["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{nobody.getsockname()[1]}"
                    environ["ANGEL_MODEL_URI"] = "models:/text-message-angel@champion"
                if given.mlflow == "down":
                    nobody.close()
                rounds = [await start(given.python, environ, with_model=not given.mlflow) for _ in range(given.rounds)]
    for name in rounds[0]:
        figures = [each[name] for each in rounds]
        sys.stdout.write(
            f"{name:12} {statistics.median(figures):7.2f}   (from {min(figures):.2f} to {max(figures):.2f})\n"
        )


if __name__ == "__main__":
    asyncio.run(main())
