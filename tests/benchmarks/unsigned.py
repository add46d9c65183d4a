"""A real command's ack beside floods of requests that nobody signed, and posts on connections that were kept.

    python -m tests.benchmarks.unsigned [--tree PATH]

To reach: acks within 250 ms, and no post that meets a closed connection. `--tree` measures another checkout.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path

import aiohttp

from tests.benchmarks.worker import ROOT, Worker, worker

FIELDS = b"a=1&" * 250_000
BRACKETS = b"[" * 100_000
FLOODS = {
    "60 x 1 MB of fields": (60, FIELDS, "application/x-www-form-urlencoded"),
    "60 x 100,000 brackets": (60, BRACKETS, "application/json"),
    "2,000 small ones": (2_000, b"a=1", "application/x-www-form-urlencoded"),
}
ACKS = 20
KEPT = 200
PAUSES = (4.95, 5.0, 5.05)
"""Seconds between posts on a kept connection: uvicorn closes one after 5."""


async def beside(served: Worker, count: int, body: bytes, kind: str) -> float:
    """The slowest ack, in ms."""

    async def unsigned(client: aiohttp.ClientSession) -> None:
        try:
            async with client.post(f"{served.url}/slack/events", data=body, headers={"Content-Type": kind}) as response:
                await response.read()
        except aiohttp.ClientError:
            pass  # cut off before all of it was sent

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100)) as client:
        flood = [asyncio.ensure_future(unsigned(client)) for _ in range(count)]
        await asyncio.sleep(0.01)
        acks = [(await served.command(f"Fine. {number}"))[0] * 1_000 for number in range(ACKS)]
        await asyncio.gather(*flood)
    return max(acks)


async def kept(served: Worker) -> tuple[int, int]:
    """How many posts on kept connections failed, and how many there were. Nothing is tried again."""
    host, port = served.url.removeprefix("http://").split(":")
    request = f"GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    failed = posts = 0

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pause: float) -> bool:
        try:
            for _ in range(2):
                writer.write(request)
                await reader.readuntil(b"}")
                await asyncio.sleep(pause)
            writer.write(request)
            await reader.readuntil(b"}")
        except (ConnectionError, asyncio.IncompleteReadError):
            return False
        finally:
            writer.close()
        return True

    for pause in PAUSES:
        lines = [await asyncio.open_connection(host, int(port)) for _ in range(KEPT)]
        done = await asyncio.gather(*(one(*line, pause) for line in lines))
        failed += done.count(False)
        posts += len(done)
    return failed, posts


async def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--tree", type=Path, default=ROOT)
    given = options.parse_args()
    async with worker(tree=given.tree) as served:
        await served.check("Warm-up.")
        for name, flood in FLOODS.items():
            began = time.monotonic()
            _say(f"slowest ack {await beside(served, *flood):6.0f} ms beside {name} ({time.monotonic() - began:.1f} s)")
        failed, posts = await kept(served)
        _say(f"{failed} of {posts} kept connections were closed before their next request")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
