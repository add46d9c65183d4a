"""What Angel uses of MLflow that its documents don't promise: each test names what changed, where one fails."""

import os
from pathlib import Path
from typing import Any

from mlflow.environment_variables import MLFLOW_GENAI_EVAL_MAX_WORKERS
from mlflow.models import Model

from bot.model import chat
from bot.model.loading import CLEAN, load_chat
from tests.fakes import FakeOpenAI


def test_mlflow_keeps_a_models_configuration_in_its_python_function_flavor(
    openai_server: FakeOpenAI, cache_dir: Path
) -> None:
    """`bot.evaluation.runs` tells by it which chat model a logged one asks."""
    described: Any = Model.load(load_chat(chat.config("gpt-x"), cache_dir).uri)
    assert described.flavors["python_function"]["config"]["model"] == "gpt-x"


def test_mlflow_keeps_what_a_model_says_of_itself(openai_server: FakeOpenAI, cache_dir: Path) -> None:
    """`bot.model.loading` tells by it whether a model's rows are clean, and whether it is the offline one."""
    described: Any = Model.load(load_chat(chat.config("gpt-x"), cache_dir).uri)
    assert described.metadata == {"offline": False, CLEAN: True}


def test_mlflow_takes_the_number_of_evaluation_workers_from_the_environment_when_it_is_asked() -> None:
    """`bot.evaluation.runs` sets it to one for SQLite, which many writers lock."""
    workers: Any = MLFLOW_GENAI_EVAL_MAX_WORKERS
    before = workers.get()
    workers.set(1)
    try:
        assert os.environ[workers.name] == "1"
        assert workers.get() == 1
    finally:
        workers.unset()
    assert (workers.name in os.environ, workers.get()) == (False, before)
