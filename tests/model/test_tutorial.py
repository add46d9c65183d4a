"""The steps of MLflow's Text Message Angel tutorial, as somebody who follows it would take them."""

import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import openai
import pandas as pd
import pytest
from click.testing import CliRunner
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, ParamSchema, ParamSpec, Schema

from bot import cli
from bot.cli import parts
from bot.evaluation.examples import read_examples
from bot.evaluation.registry import Registry
from bot.model import chat
from bot.model.loading import INPUT_EXAMPLE, SIGNATURE
from bot.verdict import CAUTION_SENTENCE, GOOD_SENTENCE, Draft, Label
from tests.fakes import FakeOpenAI, Reply
from tests.processes import ROOT

PARAMS = {"max_tokens": 50, "temperature": 0.2}
TUTORIAL = [example.text for example in read_examples() if example.slice == "tutorial"]
VALIDATION_DATA = pd.DataFrame({"text": TUTORIAL})
STINGS = [0, 1, 4]
"""Which of the five messages the tutorial's model warns of."""
REPLIES = [CAUTION_SENTENCE if place in STINGS else GOOD_SENTENCE for place in range(5)]


@pytest.fixture
def server(openai_server: FakeOpenAI) -> FakeOpenAI:
    """Judges the five messages as the tutorial's model does."""

    def judge(draft: str) -> str:
        stings = draft in [TUTORIAL[place] for place in STINGS]
        return json.dumps({"findings": [], "verdict": "caution" if stings else "good", "rewrite": None})

    openai_server.judge = judge
    return openai_server


@pytest.fixture
def registered(mlflow_store: str, server: FakeOpenAI) -> str:
    """The URI of the chat model, logged and registered."""
    return Registry(mlflow_store).log(chat.config()).uri


def environment(store: str) -> dict[str, str]:
    """Of a shell in which the virtual environment is active."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return os.environ | {"PATH": path, "MLFLOW_TRACKING_URI": store, "SPARK_LOCAL_IP": "127.0.0.1"}


def lines_of(script: str, store: str, *, timeout: float) -> list[str]:
    """What a script prints in a shell like that."""
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-W", "ignore", "-c", script],
        env=environment(store),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    return done.stdout.splitlines()


# Predict


def test_a_registered_version_answers_the_tutorials_messages(registered: str, server: FakeOpenAI) -> None:
    model = mlflow.pyfunc.load_model(registered)
    assert model.predict(VALIDATION_DATA, params=PARAMS)["reply"].tolist() == REPLIES
    # Before these, logging has tried the model on its input example.
    assert [request["temperature"] for request in server.requests[-5:]] == [0.2] * 5


def test_the_tutorials_loop_over_the_answers_works_as_the_documents_write_it(registered: str) -> None:
    model = mlflow.pyfunc.load_model(registered)
    answers = model.predict(VALIDATION_DATA, params=PARAMS)
    assert list(answers)[:2] == ["verdict", "reply"], "as the documents warn: a table is gone over by its columns"
    text = (ROOT / "docs" / "prompt-owners.md").read_text(encoding="utf-8")
    written = re.search(r"^    replies = .+\n    lines = .+$", text, re.MULTILINE)
    assert written is not None
    known: dict[str, Any] = {"model": model, "validation_data": VALIDATION_DATA}
    exec(textwrap.dedent(written[0]), known)  # noqa: S102 - our own document's
    assert known["lines"] == [f"{text} {reply}" for text, reply in zip(TUTORIAL, REPLIES, strict=True)]


def test_a_model_saved_to_a_folder_answers_the_same(tmp_path: Path, server: FakeOpenAI) -> None:
    mlflow.pyfunc.save_model(
        str(tmp_path / "model"),
        python_model=chat.__file__,
        model_config=chat.config(),
        signature=SIGNATURE,
        input_example=INPUT_EXAMPLE,
        pip_requirements=["mlflow", "openai"],
    )
    model = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    assert model.predict(VALIDATION_DATA, params=PARAMS)["reply"].tolist() == REPLIES


def test_a_registered_version_loads_where_bot_is_not_installed(
    registered: str, mlflow_store: str, server: FakeOpenAI
) -> None:
    script = f"""
import importlib.util, sys
sys.path[:] = [place for place in sys.path if place not in ("", {str(ROOT)!r})]
found = importlib.util.find_spec("bot")
assert found is None or found.origin is None, "bot can be imported from " + found.origin
import mlflow, pandas
model = mlflow.pyfunc.load_model({registered!r})
validation_data = pandas.DataFrame({VALIDATION_DATA.to_dict("list")!r})
print(model.predict(validation_data, params={PARAMS!r})["reply"].tolist() == {REPLIES!r})
import bot
print(bot.__file__)
"""
    said = lines_of(script, mlflow_store, timeout=150)
    answered, place = said[-2:]
    assert answered == "True"
    assert Path(place).parts[-3:-1] == ("code", "bot")
    assert not Path(place).is_relative_to(ROOT)


# A model of MLflow's openai flavor

MESSAGES = [
    {
        "role": "user",
        "content": (
            "Determine if this is an acceptable response to a friend through SMS. "
            "If the response contains humorless sarcasm, a passive aggressive tone, or could potentially "
            "damage my relationship with them, please respond with 'You might want to read that again before "
            "pressing send.', otherwise respond with 'Good to Go!'. If the response classifies as inappropriate, "
            "please suggest a corrected version following the classification that will help to keep my "
            "relationship with this person intact, yet still maintains a fun and somewhat snarky tone: {text}"
        ),
    }
]


@pytest.fixture
def of_the_tutorial(mlflow_store: str, server: FakeOpenAI) -> str:
    """The URI of a model that is logged with the tutorial's own code."""
    pytest.importorskip("tiktoken", reason="MLflow pins it among the requirements of this flavor")
    mlflow.set_experiment("OpenAI Text Message Angel")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated since MLflow 3.8, and still what the tutorial tells people to call
        with mlflow.start_run():
            model_info = mlflow.openai.log_model(
                model="gpt-4",
                task=openai.chat.completions,
                name="model",
                messages=MESSAGES,
                signature=ModelSignature(
                    inputs=Schema([ColSpec(type="string", name=None)]),
                    outputs=Schema([ColSpec(type="string", name=None)]),
                    params=ParamSchema(
                        [
                            ParamSpec(name="max_tokens", default=16, dtype="long"),
                            ParamSpec(name="temperature", default=0, dtype="float"),
                        ]
                    ),
                ),
            )
    return str(model_info.model_uri)


async def test_a_model_logged_as_in_the_tutorial_is_served_by_the_bot(
    of_the_tutorial: str, server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch, cache_dir: Path
) -> None:
    monkeypatch.setenv("ANGEL_MODEL_URI", of_the_tutorial)
    monkeypatch.setenv("ANGEL_CACHE_DIR", str(cache_dir))
    long = "What a dinner! Next time I'm bringing the cat, it clearly has opinions on your meatloaf. " * 3
    server.replies.append(Reply(f'{CAUTION_SENTENCE} Suggested response: "{long.strip()}"'))
    verdict = await parts.screener(parts.settings()).screen(Draft(text=TUTORIAL[0]))
    assert (verdict.label, verdict.rewrite, verdict.fallback) == (Label.CAUTION, long.strip(), None)
    asked = server.requests[-1]
    assert asked["model"] == "gpt-4"
    assert asked["messages"][0]["content"] == MESSAGES[0]["content"].format(text=TUTORIAL[0])
    read_back: Any = mlflow.openai.load_model(of_the_tutorial)
    assert (read_back["model"], read_back["task"], read_back["messages"]) == ("gpt-4", "chat.completions", MESSAGES)


def test_a_model_logged_as_in_the_tutorial_answers_angel_check(
    of_the_tutorial: str, server: FakeOpenAI, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANGEL_CACHE_DIR", str(cache_dir))
    server.replies.extend([Reply(GOOD_SENTENCE), Reply(f"{CAUTION_SENTENCE} Rewrite: You legend.")])
    for text, code, said in (("Thanks!", 0, GOOD_SENTENCE), ("You idiot.", 1, "You legend.")):
        result = CliRunner().invoke(cli.angel, ["check", "--model", of_the_tutorial, text], standalone_mode=False)
        assert (result.return_value, said in result.output) == (code, True)
        assert "offline" not in result.output


# Serve


@pytest.mark.heavy
@pytest.mark.timeout(180)
def test_mlflow_models_serve_answers_over_http(registered: str, mlflow_store: str) -> None:
    with serving(registered, mlflow_store) as url:
        answer = post(url, {"dataframe_records": VALIDATION_DATA.to_dict("records"), "params": PARAMS})
        assert [row["reply"] for row in answer["predictions"]] == REPLIES
        columns = {"dataframe_split": {"columns": ["text", "tone"], "data": [["Hi!", "warm"], ["", None]]}}
        fine, empty = post(url, columns)["predictions"]
        assert (fine["verdict"], fine["error"]) == ("good", None)
        assert (empty["verdict"], empty["error"]["code"]) == (None, "draft")


@contextmanager
def serving(uri: str, store: str) -> Iterator[str]:
    """`mlflow models serve` on a free port; MLflow takes no port 0."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = ["mlflow", "models", "serve", "--env-manager", "local", "--model-uri", uri, "--port", port]
    child = subprocess.Popen(  # noqa: S603 - MLflow's own command
        command, env=environment(store), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert child.stderr is not None
    said = []
    try:
        for line in child.stderr:
            said.append(line)
            if "Uvicorn running on" in line:
                break
        else:
            pytest.fail("".join(said))
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        os.killpg(child.pid, signal.SIGTERM)  # the command starts a server of its own
        child.communicate(timeout=30)


def post(url: str, body: object) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310 - ours
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - ours
        return json.load(response)


# Spark

SPARK = """
import mlflow
from pyspark.sql import SparkSession
from pyspark.sql.functions import lit, nullif

spark = SparkSession.builder.master("local[2]").getOrCreate()
messages = spark.createDataFrame(%(messages)r, "text string")

angel = mlflow.pyfunc.spark_udf(
    spark,
    "models:/text-message-angel@candidate",
    env_manager="local",
    params={"max_tokens": 50, "temperature": 0.2},
    result_type="verdict string, reply string, rewrite string",
)
screened = messages.withColumn("angel", angel("text")).select("text", "angel.*")
# MLflow writes what is missing as the word None.
for column in ("verdict", "rewrite"):
    screened = screened.withColumn(column, nullif(column, lit("None")))
"""
"""The README's, with a place for the messages."""


@pytest.mark.heavy
@pytest.mark.timeout(300)
@pytest.mark.skipif(
    importlib.util.find_spec("pyspark") is None or shutil.which("java") is None, reason="needs the extra spark and Java"
)
def test_spark_runs_it_over_a_column_of_messages(registered: str, mlflow_store: str) -> None:
    rows: list[tuple[str | None]] = [*((text,) for text in TUTORIAL), ("",), (None,)]
    script = (
        SPARK % {"messages": rows} + "import json\nfor row in screened.collect(): print(json.dumps(row.asDict()))\n"
    )
    said = lines_of(script, mlflow_store, timeout=280)
    screened = [json.loads(line) for line in said]
    assert [row["text"] for row in screened] == [row[0] for row in rows]
    assert [row["reply"] for row in screened[:5]] == REPLIES
    assert [row["verdict"] for row in screened[5:]] == [None, None]
    assert all("could not be checked" in row["reply"] for row in screened[5:])
