from pathlib import Path

import pytest

from bot.evaluation.examples import Example, read_examples
from bot.evaluation.kept_answers import KeptAnswers
from bot.evaluation.registry import Registry
from bot.evaluation.scorecard import Outcome
from bot.evaluation.subject import Subject, subject
from bot.model.loading import LoadedModel, Source, load_offline
from bot.verdict import Verdict
from tests.labelled import REWRITES, write_examples


@pytest.fixture
def examples(tmp_path: Path) -> tuple[Example, ...]:
    return read_examples(write_examples(tmp_path / "messages.csv"))


@pytest.fixture
def offline(cache_dir: Path) -> LoadedModel:
    return load_offline(cache_dir)


@pytest.fixture
def offline_subject(mlflow_store: str, cache_dir: Path) -> Subject:
    return subject(Source("offline", None, "nothing is set"), Registry(mlflow_store), cache_dir)


@pytest.fixture
def kept(offline_subject: Subject, tmp_path: Path) -> KeptAnswers:
    return KeptAnswers(tmp_path / "kept", offline_subject, "")


def outcome(example: Example, code: str | None = None) -> Outcome:
    """What a model that is always right makes of the example, or the error with this code."""
    said = None if code else Verdict(label=example.label, rewrite=REWRITES.get(example.text))
    return Outcome(example=example, verdict=said, error=code, latency_ms=12.5)
