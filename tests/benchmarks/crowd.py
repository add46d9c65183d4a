"""A crowd at once, on a model that takes its time: who is answered by it, how soon Slack has its acks, and the memory.

    python -m tests.benchmarks.crowd [--people 200] [--model-seconds 5] [--rounds 3] [--tree PATH]

Each person sends one `/angel` over HTTP in the same moment; the worker, and the people with the model and Slack, are
processes of their own. To reach with 200 people and 5 s: all answered by the model, acks at the 99th percentile within
400 ms, and less than 300 MB resident at the most. The worst of the rounds counts.
"""

import argparse
import asyncio
import statistics
import sys
import time
from pathlib import Path

import psutil

from tests.benchmarks.worker import ROOT, Worker, worker

MAX_ACK_MS, MAX_MB = 400, 300
BY_THE_MODEL = "Checked by gpt-"
"""What the small print says where the model answered."""
FINAL = (BY_THE_MODEL, "offline check", "Try again")
"""What stands in the last answer to a command, and not in the word that it takes longer."""


async def crowd(served: Worker, people: int, model_seconds: float) -> tuple[int, float, float, float]:
    """How many the model answered, the 99th percentile of the acks in ms, the slowest answer in s, the most MB."""
    process, most = psutil.Process(served.pid), 0.0
    first = served.sent + 1
    began = time.monotonic()
    sending = asyncio.gather(*(served.command(f"As per my last email, you idiot. {n}", f"U{n}") for n in range(people)))
    names = [str(number) for number in range(first, first + people)]
    slowest = 0.0
    while time.monotonic() - began < model_seconds + 15:
        most = max(most, process.memory_info().rss / 2**20)
        told = [served.bodies.get(name, "") for name in names]
        if all(any(word in each for word in FINAL) for each in told):
            break
        slowest = time.monotonic() - began
        await asyncio.sleep(0.05)
    acks = sorted(ack * 1_000 for ack, _ in await sending)
    answered = sum(BY_THE_MODEL in served.bodies.get(name, "") for name in names)
    return answered, statistics.quantiles(acks, n=100, method="inclusive")[-1], slowest, most


async def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--people", type=int, default=200)
    options.add_argument("--model-seconds", type=float, default=5.0)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--tree", type=Path, default=ROOT)
    given = options.parse_args()
    missed = False
    for _ in range(given.rounds):
        async with worker(tree=given.tree, model_seconds=given.model_seconds) as served:
            await served.check("Warm-up.")
            answered, ack, slowest, most = await crowd(served, given.people, given.model_seconds)
        missed |= answered < given.people or ack > MAX_ACK_MS or most > MAX_MB
        sys.stdout.write(
            f"{answered} of {given.people} answered by the model, acks {ack:.0f} ms at the 99th percentile, "
            f"the slowest answer after {slowest:.1f} s, {most:.0f} MB at the most\n"
        )
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
