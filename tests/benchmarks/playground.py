"""From `angel playground` to its first answer, in seconds: `python -m tests.benchmarks.playground`."""

import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

RUNS = 3


def main() -> None:
    for _ in range(RUNS):
        began = time.monotonic()
        child = subprocess.Popen(
            [sys.executable, "-m", "bot", "playground", "--no-browser", "--port", "0"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        url = child.stdout.readline().split()[2]
        events = _events(url)
        snapshot = next(events)
        page = time.monotonic() - began
        if not snapshot["ephemerals"]:
            next(event for event in events if event["type"] == "ephemeral")
        print(f"page {page:.2f}, first answer {time.monotonic() - began:.2f}")  # noqa: T201  # its output
        child.send_signal(signal.SIGINT)
        child.wait()


def _events(url: str) -> Iterator[dict[str, Any]]:
    parts = urlsplit(url)
    line = http.client.HTTPConnection(parts.netloc)
    line.request("GET", f"{parts.path}page/events")
    for said in line.getresponse():
        if said.startswith(b"data: "):
            yield json.loads(said[6:])


if __name__ == "__main__":
    main()
