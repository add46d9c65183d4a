"""How near a rewrite is in meaning: the angle between the embeddings of it and of its draft."""

import math
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import mlflow.openai
import mlflow.pyfunc

from bot.errors import AngelError
from bot.evaluation.scorecard import Outcome
from bot.evaluation.store import silent

_REQUIRED = ["openai", "tenacity", "tiktoken"]


class EmbeddingsError(AngelError):
    """The embeddings could not be had. The text says what to change."""


def nearness(outcomes: Sequence[Outcome], model: str) -> list[Outcome]:
    """The outcomes, those with a rewrite with `nearness`: the cosine of 0 to 1, 1 where both mean the same.

    The model is saved and loaded with MLflow's openai flavor, as its guide for embeddings does; it asks the server that
    OPENAI_BASE_URL and OPENAI_API_KEY name. Raises EmbeddingsError.
    """
    rewritten = [outcome for outcome in outcomes if outcome.rewrite is not None]
    if not rewritten:
        return list(outcomes)
    texts = [outcome.example.text for outcome in rewritten] + [outcome.rewrite or "" for outcome in rewritten]
    vectors = _embedded(texts, model)
    half = len(rewritten)
    near = {id(outcome): _cosine(vectors[place], vectors[half + place]) for place, outcome in enumerate(rewritten)}
    return [
        outcome.model_copy(update={"nearness": near[id(outcome)]}) if id(outcome) in near else outcome
        for outcome in outcomes
    ]


def _embedded(texts: list[str], model: str) -> list[list[float]]:
    try:
        with tempfile.TemporaryDirectory() as folder, silent(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's guide still names what MLflow calls deprecated
            path = str(Path(folder) / "embeddings")
            mlflow.openai.save_model(model=model, task="embeddings", path=path, pip_requirements=_REQUIRED)
            said = mlflow.pyfunc.load_model(path).predict(texts)
    except Exception as error:  # MLflow's flavor wraps whatever went wrong
        raise EmbeddingsError(
            f"{model} gave no embeddings ({type(error).__name__}). "
            "Check OPENAI_BASE_URL and OPENAI_API_KEY, and that the server knows it."
        ) from error
    return [[float(each) for each in vector] for vector in said]


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    lengths = math.hypot(*one) * math.hypot(*other)
    return max(0.0, min(1.0, sum(a * b for a, b in zip(one, other, strict=True)) / lengths)) if lengths else 0.0
