"""The offline model, saved from code and loaded as MLflow loads every model."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import mlflow.pyfunc
import pandas as pd
import pytest
from mlflow.models import ModelSignature
from mlflow.pyfunc import PyFuncModel
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

import bot.model
from bot.model.answer import Row, verdict_of
from bot.verdict import CAUTION_SENTENCE, GOOD_SENTENCE, UNREAD_SENTENCE, Draft, Label, Tone

SIGNATURE = ModelSignature(
    inputs=Schema(
        [
            ColSpec(DataType.string, "text"),
            ColSpec(DataType.string, "tone", required=False),
            ColSpec(DataType.string, "context", required=False),
        ]
    ),
    params=ParamSchema([ParamSpec("max_tokens", DataType.long, 500), ParamSpec("temperature", DataType.double, 0.2)]),
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> PyFuncModel:
    folder = tmp_path_factory.mktemp("offline") / "model"
    code = Path(bot.model.__path__[0]) / "offline.py"
    # Requirements are named so that MLflow doesn't start a process to work them out.
    mlflow.pyfunc.save_model(folder, python_model=code, signature=SIGNATURE, pip_requirements=["pyyaml"])
    loaded: PyFuncModel = mlflow.pyfunc.load_model(str(folder))
    return loaded


def table(model: PyFuncModel, frame: pd.DataFrame, params: dict[str, float] | None = None) -> pd.DataFrame:
    answer = model.predict(frame, params=params)
    assert isinstance(answer, pd.DataFrame)
    return answer


def rows(model: PyFuncModel, **columns: Sequence[str | None]) -> list[Row]:
    return cast(list[Row], table(model, pd.DataFrame(columns)).to_dict("records"))


def test_the_output_has_the_columns_of_the_contract(model: PyFuncModel) -> None:
    answer = table(model, pd.DataFrame({"text": ["Thanks for the cake!"]}))
    assert list(answer.columns) == list(Row.__annotations__)


def test_a_kind_message_is_good_to_go(model: PyFuncModel) -> None:
    (row,) = rows(model, text=["Thanks for the cake!"])
    assert row["verdict"] == "good"
    assert row["reply"] == GOOD_SENTENCE
    assert row["findings"] == []
    assert row["error"] is None


def test_a_barb_gets_a_finding_a_rewrite_and_a_reply_in_one_line(model: PyFuncModel) -> None:
    text = "As per my last email, the report is due on Friday."
    (row,) = rows(model, text=[text])
    assert row["verdict"] == "caution"
    assert [finding["excerpt"] for finding in row["findings"]] == ["As per my last email"]
    assert row["reply"].startswith(CAUTION_SENTENCE)
    assert str(row["rewrite"]) in row["reply"]


def test_a_text_that_cannot_be_checked_is_an_error_of_its_own_row_alone(model: PyFuncModel) -> None:
    empty, fine = rows(model, text=["   ", "Thanks for the cake!"])
    assert empty["verdict"] is None
    assert empty["error"] is not None
    assert empty["error"]["code"] == "draft"
    assert fine["verdict"] == "good"


def test_what_is_not_english_is_an_error_of_its_own_row_and_an_unread_verdict(model: PyFuncModel) -> None:
    texts = [
        "Eres un imbécil.",
        "Thanks for the report, I'll read it today. Pero la próxima vez avísame antes de las nueve.",
        "You are an idiot. Pero la próxima vez avísame antes de las nueve.",
        "Thanks for the cake!",
    ]
    foreign, partly, stings, fine = rows(model, text=texts)
    for row in (foreign, partly):
        assert row["verdict"] is None
        assert row["error"] == {"code": "language", "message": UNREAD_SENTENCE}
        assert verdict_of(row, Draft(text="x"), model="offline").label is Label.UNREAD
    assert (stings["verdict"], fine["verdict"]) == ("caution", "good")


def test_a_tone_shapes_the_rewrite_and_an_unknown_one_is_an_error(model: PyFuncModel) -> None:
    text = "I don't care."
    tones = ["playful", None, "professional", "royal"]
    playful, absent, professional, unknown = rows(model, text=[text] * 4, tone=tones)
    assert playful["rewrite"] == absent["rewrite"] != professional["rewrite"]
    assert unknown["error"] is not None
    assert unknown["error"]["code"] == "draft"


def test_params_are_accepted_and_change_nothing(model: PyFuncModel) -> None:
    frame = pd.DataFrame({"text": ["Whatever you say.", "Thanks for the cake!"]})
    answer = table(model, frame, params={"max_tokens": 50, "temperature": 0.9})
    assert answer.equals(table(model, frame))


def test_rows_keep_their_order_and_index(model: PyFuncModel) -> None:
    frame = pd.DataFrame({"text": ["Screw you.", "Thanks!", "You idiot."]}, index=[7, 3, 5])
    answer = table(model, frame)
    assert list(answer.index) == [7, 3, 5]
    assert list(answer["verdict"]) == ["caution", "good", "caution"]


def test_a_row_becomes_a_verdict(model: PyFuncModel) -> None:
    draft = Draft(text="Calm down.", tone=Tone.BRIEF)
    (row,) = rows(model, text=[draft.text], tone=[draft.tone.value])
    verdict = verdict_of(row, draft, model="offline")
    assert verdict.rewrite == "I hear you, let's take this step by step."
    assert verdict.findings[0].excerpt == "Calm down"
