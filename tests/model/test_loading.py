"""Loading models through MLflow: the built-in ones, and other people's."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import openai
import pandas as pd
import pytest
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

from bot.errors import AnswerUnusable, ModelError, ModelMisconfigured
from bot.model import chat
from bot.model.loading import LoadedModel, load_chat, load_offline, load_uri, source
from bot.verdict import Draft, Label
from tests.fakes import FakeOpenAI, Reply

MEAN = Draft(text="You idiot.")


def logged_as_in_the_tutorial(folder: Path) -> str:
    """A model of MLflow's `openai` flavor, with the tutorial's criteria in one message and its signature."""
    unnamed = Schema([ColSpec(type="string", name=None)])
    with warnings.catch_warnings():
        # Deprecated, and still what the tutorial tells people to call; it also finds our pins too loose to its taste.
        warnings.simplefilter("ignore")
        mlflow.openai.save_model(
            model="gpt-4",
            task=openai.chat.completions,
            path=str(folder),
            messages=[{"role": "user", "content": "Is this an acceptable response to a friend through SMS? {text}"}],
            signature=ModelSignature(
                inputs=unnamed,
                outputs=unnamed,
                params=ParamSchema(
                    [
                        ParamSpec(name="max_tokens", default=16, dtype="long"),
                        ParamSpec(name="temperature", default=0, dtype="float"),
                    ]
                ),
            ),
            pip_requirements=["mlflow", "openai"],
        )
    return str(folder)


def saved(folder: Path, code: str) -> str:
    """A model from code, as somebody else would write one."""
    folder.mkdir()
    (folder / "theirs.py").write_text(
        "import mlflow, pandas as pd\nclass Theirs(mlflow.pyfunc.PythonModel):\n"
        "    def predict(self, context, model_input: pd.DataFrame, params=None):\n"
        f"        {code}\n"
        "mlflow.models.set_model(Theirs())\n"
    )
    signature = ModelSignature(inputs=Schema([ColSpec("string", "text")]))
    mlflow.pyfunc.save_model(
        str(folder / "model"), python_model=str(folder / "theirs.py"), signature=signature, pip_requirements=["mlflow"],
        input_example=pd.DataFrame({"text": ["x"]}),
    )  # fmt: skip
    return str(folder / "model")


def test_a_built_in_model_is_saved_once(cache_dir: Path) -> None:
    first, second = load_offline(cache_dir), load_offline(cache_dir)
    assert first.uri == second.uri
    assert first.check(MEAN) == second.check(MEAN)
    assert first.check(MEAN).offline


def test_each_configuration_has_its_own_folder(openai_server: FakeOpenAI, tmp_path: Path) -> None:
    uris = {load_chat(chat.config(model), tmp_path).uri for model in ("a", "b", "a")}
    assert len(uris) == 2
    assert not list(tmp_path.glob(".saving-*"))


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    model = load_offline(tmp_path / "file")
    assert model.check(MEAN).offline


@pytest.mark.parametrize(
    ("model_uri", "has_key", "has_base_url", "kind"),
    [
        ("runs:/1/model", True, True, "uri"),
        (None, True, False, "chat"),
        (None, False, True, "chat"),
        (None, False, False, "offline"),
    ],
)
def test_the_first_of_three_is_chosen(model_uri: str | None, has_key: bool, has_base_url: bool, kind: str) -> None:
    chosen = source(model_uri=model_uri, openai_model=None, has_key=has_key, has_base_url=has_base_url)
    assert chosen.kind == kind


def test_a_model_logged_as_in_the_tutorial_answers_for_drafts(openai_server: FakeOpenAI, tmp_path: Path) -> None:
    model = load_uri(logged_as_in_the_tutorial(tmp_path / "model"))
    said = 'You might want to read that again before pressing send. Suggested response: "You legend."'
    openai_server.replies.append(Reply(said))
    verdict = model.check(Draft(text="You idiot.", context="to Jo"))
    assert (verdict.label, verdict.rewrite) == (Label.CAUTION, "You legend.")
    assert openai_server.drafts() == ["Is this an acceptable response to a friend through SMS? You idiot."]
    openai_server.replies.append(Reply("Good to Go!"))
    assert model.check(Draft(text="Hi!")).label is Label.GOOD


@pytest.mark.parametrize(
    ("code", "label"),
    [
        ("return pd.DataFrame({'verdict': ['caution'] * len(model_input)})", Label.CAUTION),
        ("return [{'verdict': 'good'} for _ in model_input['text']]", Label.GOOD),
        ("return ['Good to Go!' for _ in model_input['text']]", Label.GOOD),
    ],
)
def test_other_peoples_models_are_read(tmp_path: Path, code: str, label: Label) -> None:
    assert load_uri(saved(tmp_path / "theirs", code)).check(MEAN).label is label


@pytest.mark.parametrize("code", ["return []", "return None", "return [1]", "return pd.DataFrame({'reply': ['x']})"])
def test_an_output_that_is_no_verdict_is_unusable(tmp_path: Path, code: str) -> None:
    with pytest.raises(AnswerUnusable):
        load_uri(saved(tmp_path / "theirs", code)).check(MEAN)


def test_what_another_model_raises_is_told_by_its_type_alone(tmp_path: Path) -> None:
    model = load_uri(saved(tmp_path / "theirs", "raise RuntimeError(model_input['text'][0])"))
    with pytest.raises(ModelError, match="failed with RuntimeError") as raised:
        model.check(MEAN)
    assert "idiot" not in str(raised.value)


@pytest.mark.parametrize("uri", ["nowhere", "file:///nowhere/at/all", "nonsense://x"])
def test_a_uri_with_no_model_behind_it_says_so(uri: str) -> None:
    with pytest.raises(ModelMisconfigured, match="No MLflow model could be loaded"):
        load_uri(uri)


def test_the_chat_model_keeps_its_name(chat_model: Callable[..., LoadedModel]) -> None:
    loaded: Any = chat_model(model="gpt-x")
    assert loaded.name == "gpt-x"
    assert load_uri(loaded.uri).name == "gpt-x"
    assert not load_uri(loaded.uri).offline
