"""A worker for a long time: nothing lost, memory and descriptors flat.

    python -m tests.benchmarks.soak [--seconds 600] [--rate 20] [--model-ms 300]

Sends commands at the rate, evenly, and prints ten times on the way what was lost, the memory and the descriptors. The
exit code is 1 where anything was lost, or memory or descriptors grew after the first tenth.
"""

import argparse
import asyncio
import statistics
import sys
import time

import psutil

from tests.benchmarks.worker import Worker, worker

MAX_GROWTH_MB = 20
ANSWER_SECONDS = 60


async def send(served: Worker, number: int, acks: list[float], lost: list[int]) -> None:
    try:
        ack, answer = await served.command(f"As per my last email, you idiot. {number}", user=f"U{number % 500}")
        acks.append(ack)
        await asyncio.wait_for(answer, ANSWER_SECONDS)
    except Exception:
        lost.append(number)


async def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--seconds", type=float, default=600)
    options.add_argument("--rate", type=float, default=20)
    options.add_argument("--model-ms", type=float, default=300)
    given = options.parse_args()
    total = int(given.seconds * given.rate)
    acks: list[float] = []
    lost: list[int] = []
    memory, descriptors = [], []
    async with worker(model_seconds=given.model_ms / 1_000) as served:
        process = psutil.Process(served.pid)
        began, tasks = time.monotonic(), set()
        for number in range(total):
            await asyncio.sleep(max(0.0, began + number / given.rate - time.monotonic()))
            task = asyncio.ensure_future(send(served, number, acks, lost))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            if number % max(1, total // 10) == total // 10 - 1:
                memory.append(process.memory_info().rss / 2**20)
                descriptors.append(process.num_fds())
                _say(
                    f"{time.monotonic() - began:5.0f} s: sent {number + 1}, in hand {len(tasks)}, lost {len(lost)}, "
                    f"{memory[-1]:.0f} MB, {descriptors[-1]} descriptors"
                )
        await asyncio.gather(*tasks)
    flat = memory[-1] - memory[0] <= MAX_GROWTH_MB and descriptors[-1] <= max(descriptors[:2]) + 10
    acks.sort()
    _say(
        f"{total} sent, {len(lost)} lost; acks {statistics.median(acks) * 1_000:.0f} ms at the median, "
        f"{acks[int(len(acks) * 0.99)] * 1_000:.0f} ms at the 99th percentile; "
        f"after the first tenth memory {memory[-1] - memory[0]:+.0f} MB, "
        f"descriptors {descriptors[-1] - descriptors[0]:+d}"
    )
    return 0 if flat and not lost else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
