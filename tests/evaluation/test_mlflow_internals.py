"""What Angel uses of MLflow without a promise: where one fails after an upgrade, its name says what changed."""

import getpass

import mlflow
import pytest
from mlflow.models import Model
from mlflow.tracking import MlflowClient
from mlflow.utils import mlflow_tags

from bot.evaluation.mlflow_internals import EVALUATION_RUN, config_of, model_id_of, user
from bot.evaluation.registry import Registry
from bot.evaluation.store import MODEL
from bot.model import chat


def test_mlflow_names_the_user_of_a_run(mlflow_store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with mlflow.start_run() as run:
        pass
    assert run.data.tags["mlflow.user"] == user() == getpass.getuser()


def test_mlflow_marks_an_evaluations_run_with_this_tag() -> None:
    assert EVALUATION_RUN == {mlflow_tags.MLFLOW_RUN_TYPE: mlflow_tags.MLFLOW_RUN_TYPE_GENAI_EVALUATE}
    assert list(EVALUATION_RUN) == ["mlflow.runType"]


def test_a_models_config_and_id_are_found_where_mlflow_keeps_them(mlflow_store: str) -> None:
    Registry(mlflow_store).log(chat.config("gpt-x"))
    version = MlflowClient().get_model_version(MODEL, "1")
    model_id = model_id_of(version)
    assert model_id is not None
    assert mlflow.get_logged_model(model_id).name == "gpt-x-prompt-1"
    assert config_of(Model.load(f"models:/{MODEL}/1"))["model"] == "gpt-x"
