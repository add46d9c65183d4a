"""How long it takes to put an evaluation of the 200 built-in examples into a real MLflow server.

`python -m tests.benchmarks.recording`
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path


def main() -> None:
    from bot.evaluation.examples import read_examples
    from bot.evaluation.registry import Registry
    from bot.evaluation.runs import record
    from bot.evaluation.scorecard import Outcome, score
    from bot.evaluation.subject import subject
    from bot.model.loading import Source
    from bot.verdict import Verdict

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(  # noqa: S603 - our own command
            [
                sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
                "--backend-store-uri", f"sqlite:///{folder}/server.db",
                "--artifacts-destination", f"{folder}/artifacts",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(f"{address}/health")
            registry = Registry(address)
            offline = subject(Source("offline", None, ""), registry, Path(folder) / "cache")
            examples = read_examples()
            card = score(
                [Outcome(example=each, verdict=Verdict(label=each.label), latency_ms=1) for each in examples],
                model="offline",
            )
            began = time.perf_counter()
            record(registry, offline, card, data="examples.csv")
            print(f"{len(examples)} rows into an MLflow server: {time.perf_counter() - began:.1f} s")  # noqa: T201 - it is a script
        finally:
            os.killpg(server.pid, signal.SIGKILL)  # its workers are in the session that it was started in
            server.wait()


def _wait(url: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - our own server
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("The MLflow server did not start.")


if __name__ == "__main__":
    main()
