"""What one check costs Angel itself: from the request over HTTP to the answer's departure, with a model at 0 ms.

    python -m tests.benchmarks.check_cost [--checks N] [--rounds N] [--tree PATH]

Prints the median latency and the CPU of the worker for a check, the medians of the rounds, and where it is when it runs
Python (py-spy looks, so other users' processes must be open to it, as they are to root). To reach: at most 7 ms each.
`--tree` measures another checkout with the same command.
"""

import argparse
import asyncio
import os
import signal
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path

import psutil

from tests.benchmarks.worker import ROOT, Worker, worker

WARM_UP = 100
SAMPLES = 1_000
"""Looks a second."""
DRAFT = "As per my last email, you idiot."

PLACES = (
    ("the OpenAI client", ("openai/", "httpx2/", "httpcore2/", "h11/", "bot/model/openai_client")),
    ("MLflow and pandas", ("mlflow/", "pandas/", "numpy/")),
    ("the HTTP server and Bolt", ("aiohttp/web", "uvicorn/", "starlette/", "slack_bolt/", "bot/slack/http.py")),
    ("the way to Slack", ("aiohttp/client", "aiohttp/connector", "slack_sdk/", "bot/slack/delivery.py")),
    ("Angel: what Slack shows", ("bot/slack/",)),
    ("Angel: the check", ("bot/",)),
    ("asyncio", ("asyncio/", "selectors.py")),
    ("threads", ("threading.py",)),
)
"""Where Python may be, and the paths that tell."""


async def latencies(served: Worker, checks: int) -> list[float]:
    """Milliseconds from each request to its answer's departure, one check after the other."""
    return [await served.check(f"{DRAFT} {number}") * 1_000 for number in range(checks)]


async def measure(checks: int, tree: Path) -> tuple[float, float]:
    """The median latency and the CPU of one check, in ms."""
    async with worker(tree=tree) as served:
        await latencies(served, WARM_UP)
        process = psutil.Process(served.pid)
        before = process.cpu_times()
        laps = await latencies(served, checks)
        after = process.cpu_times()
    cpu = (after.user + after.system - before.user - before.system) * 1_000 / checks
    return statistics.median(laps), cpu


async def profile(checks: int, tree: Path) -> Counter[str]:
    """How often each part of PLACES was seen running Python."""
    with tempfile.TemporaryDirectory() as folder:
        stacks = Path(folder) / "stacks"
        async with worker(tree=tree) as served:
            await latencies(served, WARM_UP)
            watching = await asyncio.create_subprocess_exec(
                "py-spy",
                *("record", "--gil", "--rate", str(SAMPLES), "--format", "raw", "--full-filenames"),
                *("--nonblocking", "--output", str(stacks), "--pid", str(served.pid)),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env=os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
            )
            await latencies(served, checks)
            watching.send_signal(signal.SIGINT)
            await watching.wait()
        seen: Counter[str] = Counter()
        for line in stacks.read_text().splitlines():
            stack, _, count = line.rpartition(" ")
            seen[_place(stack.split(";"))] += int(count)
        return seen


def _place(stack: list[str]) -> str:
    """The part of PLACES that the innermost frame of a known one belongs to. A frame is `function (path:line)`."""
    for frame in reversed(stack):
        for name, paths in PLACES:
            if any(f"/{path}" in frame for path in paths):
                return name
    return "other"


async def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--checks", type=int, default=500)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--tree", type=Path, default=ROOT)
    options.add_argument("--no-profile", action="store_true")
    given = options.parse_args()
    rounds = [await measure(given.checks, given.tree) for _ in range(given.rounds)]
    latency, cpu = (statistics.median(each) for each in zip(*rounds, strict=True))
    _say(f"a check: {latency:.1f} ms at the median, {cpu:.1f} ms of CPU ({given.rounds} x {given.checks} checks)")
    if given.no_profile:
        return
    seen = await profile(given.checks, given.tree)
    for name, times in seen.most_common():
        _say(f"{times / seen.total():5.0%}  {name}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
