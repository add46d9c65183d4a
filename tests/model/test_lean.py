"""A worker's imports."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.evaluation.store import MODEL
from bot.model import chat
from bot.model.lean import NOT_IMPORTED, OUR_MODELS, WHEN_USED
from bot.model.loading import load_chat, load_offline
from tests.fakes import FakeOpenAI
from tests.processes import ROOT

WORKER = """
import json, sys
from pathlib import Path
from bot.model.lean import lean_imports
with lean_imports(sys.argv[2]):
    from bot.model import chat
    from bot.model.loading import load_chat, load_offline
    models = [load_offline(Path(sys.argv[1])), load_chat(chat.config(), Path(sys.argv[1]))]
import bot.slack.http, bot.slack.socket_mode
database = [name for name in ("sqlalchemy", "alembic", "cryptography") if name in sys.modules]
from bot.verdict import Draft
answers = [model.check(Draft(text="You idiot.")).label.value for model in models]
loaded = [name for name in ("pyarrow", "scipy", "fastapi", "mlflow.genai.judges") if name in sys.modules]
import mlflow, pyarrow, scipy
print(json.dumps([answers, loaded, database, callable(mlflow.genai.evaluate)]))
"""


@pytest.mark.parametrize(("uri", "lean"), [(f"models:/{MODEL}@champion", True), ("models:/theirs/1", False)])
def test_mlflow_and_pandas_answer_without_what_no_check_needs(
    uri: str, lean: bool, openai_server: FakeOpenAI, cache_dir: Path
) -> None:
    """Where it fails after an upgrade: MLflow or pandas now needs one of NOT_IMPORTED, or uses one of WHEN_USED."""
    load_offline(cache_dir)  # saving one is what needs more of MLflow
    load_chat(chat.config(), cache_dir)
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", WORKER, str(cache_dir), uri],
        capture_output=True,
        text=True,
        timeout=150,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers, loaded, database, whole_afterwards = json.loads(done.stdout.splitlines()[-1])
    assert answers == ["caution", "caution"]
    assert database == []  # a worker without a store needs none
    assert whole_afterwards
    assert bool(loaded) is not lean, loaded


def test_the_names_are_the_ones_meant() -> None:
    assert OUR_MODELS.endswith(f"/{MODEL}")
    assert not {name.partition(".")[0] for name in WHEN_USED} & set(NOT_IMPORTED)
