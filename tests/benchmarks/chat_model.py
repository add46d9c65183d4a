"""The chat model through pyfunc against the bare kept OpenAI client and MLflow's own `openai` flavor.

    python -m tests.benchmarks.chat_model

One run: the same stub for all; latencies in turns, throughput and memory in processes in turns. As ratios of medians
to the bare client; to reach: p50 at most 1.5 times bare's at 0 ms, throughput at least 0.95 of bare's at 200 ms with 64
threads, memory growth within 20 MB of bare's.
"""

import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

THREADS = 64
CALLS = 1_280
SEQUENTIAL = 300
ROUNDS = {"bare": 7, "ours": 7, "flavor": 1}
"""The flavor is several times slower; nothing hangs on its second digit."""
TEXT = "As per my last email, you idiot."


def bare() -> Callable[[], object]:
    import openai

    from bot.model.chat import config
    from bot.model.prompt import messages
    from bot.verdict import Draft

    client, settings = openai.OpenAI(max_retries=0), config()
    schema = {"name": "verdict", "strict": True, "schema": settings["schema"]}
    shape: Any = {"type": "json_schema", "json_schema": schema}

    def call() -> object:
        asked: Any = messages(settings["instructions"], Draft(text=TEXT))
        return client.chat.completions.create(
            model=settings["model"], messages=asked, response_format=shape, max_completion_tokens=1_000
        )

    return call


def ours() -> Callable[[], object]:
    from bot.model.chat import config
    from bot.model.loading import load_chat
    from bot.verdict import Draft

    model, draft = load_chat(config(), Path(tempfile.mkdtemp())), Draft(text=TEXT)
    return lambda: model.check(draft)


def flavor() -> Callable[[], object]:
    import mlflow
    import openai
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    from bot.model.prompt import INSTRUCTIONS

    warnings.simplefilter("ignore")
    unnamed = Schema([ColSpec(type="string", name=None)])
    folder = str(Path(tempfile.mkdtemp()) / "model")
    mlflow.openai.save_model(
        model="gpt-5.4-mini",
        task=openai.chat.completions,
        path=folder,
        messages=[
            {"role": "system", "content": INSTRUCTIONS.replace("{", "{{").replace("}", "}}")},
            {"role": "user", "content": "{text}"},
        ],
        signature=ModelSignature(inputs=unnamed, outputs=unnamed),
        pip_requirements=["mlflow", "openai"],
    )  # fmt: skip
    model = mlflow.pyfunc.load_model(folder)
    return lambda: model.predict(pd.DataFrame({"text": [TEXT]}))


SHAPES = {"bare": bare, "ours": ours, "flavor": flavor}


def latency() -> dict[str, float]:
    """The median of one call, in ms, of each shape; in turns, so that what else the machine does meets all alike."""
    calls = {shape: build() for shape, build in SHAPES.items()}
    laps: dict[str, list[float]] = {shape: [] for shape in calls}
    for _ in range(SEQUENTIAL):
        for shape, call in calls.items():
            began = time.perf_counter()
            call()
            laps[shape].append((time.perf_counter() - began) * 1_000)
    return {shape: statistics.median(each[20:]) for shape, each in laps.items()}


def throughput(shape: str) -> dict[str, float]:
    """Calls a second with all threads at once, and by how many MB the process grew."""
    import psutil

    call = SHAPES[shape]()
    for _ in range(20):
        call()
    gc.freeze()  # as `angel serve` does once it has started
    process = psutil.Process()
    before = process.memory_info().rss
    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: call(), range(CALLS)))
    seconds = time.perf_counter() - began
    return {"per_second": CALLS / seconds, "growth_mb": (process.memory_info().rss - before) / 2**20}


def serve(milliseconds: float) -> None:
    """The stub, until its standard input ends; its address on the first line."""
    from tests.fakes import FakeOpenAI

    with FakeOpenAI() as server:
        server.seconds = milliseconds / 1_000
        sys.stdout.write(server.url + "\n")
        sys.stdout.flush()
        sys.stdin.read()


def run(milliseconds: int, *what: str) -> dict[str, float]:
    """One measurement in a process of its own, against a stub in another that takes so long for an answer."""
    command = [sys.executable, "-m", "tests.benchmarks.chat_model"]
    with subprocess.Popen(  # noqa: S603 - our own command
        [*command, "serve", str(milliseconds)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as stub:
        assert stub.stdout is not None
        assert stub.stdin is not None
        environ = os.environ | {"OPENAI_BASE_URL": stub.stdout.readline().strip(), "OPENAI_API_KEY": "sk-none"}
        done = subprocess.run(  # noqa: S603 - our own command
            [*command, *what], env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=300, check=True
        )
        stub.stdin.close()
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def in_turns() -> dict[str, dict[str, float]]:
    """The medians of each shape's throughput and memory; in turns, for a machine's speed changes over minutes."""
    rounds: dict[str, list[dict[str, float]]] = {shape: [] for shape in SHAPES}
    for lap in range(max(ROUNDS.values())):
        for shape in SHAPES:
            if lap < ROUNDS[shape]:
                rounds[shape].append(run(200, "throughput", shape))
    return {
        shape: {name: statistics.median(each[name] for each in done) for name in done[0]}
        for shape, done in rounds.items()
    }


def main() -> None:
    laps = run(0, "latency")
    busy = in_turns()
    for shape, figures in busy.items():
        sys.stdout.write(
            f"{shape:7} 0 ms: p50 {laps[shape]:6.2f} ms ({laps[shape] / laps['bare']:5.2f} x bare)   "
            f"200 ms, {THREADS} threads: {figures['per_second']:5.1f} a second "
            f"({figures['per_second'] / busy['bare']['per_second']:.2f} x bare), "
            f"grew {figures['growth_mb']:6.1f} MB ({figures['growth_mb'] - busy['bare']['growth_mb']:+.1f})\n"
        )


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case ["serve", milliseconds]:
            serve(float(milliseconds))
        case ["latency"]:
            sys.stdout.write(json.dumps(latency()) + "\n")
        case ["throughput", shape]:
            sys.stdout.write(json.dumps(throughput(shape)) + "\n")
