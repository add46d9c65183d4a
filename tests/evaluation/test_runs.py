"""An evaluation in MLflow, and scorers that can't be gamed by failing."""

import pytest
from mlflow.tracking import MlflowClient

from bot.evaluation.examples import Example
from bot.evaluation.registry import Registry
from bot.evaluation.runs import MEASURES, Measure, record
from bot.evaluation.scorecard import score
from bot.evaluation.subject import Subject
from bot.verdict import Label, Verdict
from tests.evaluation.conftest import outcome
from tests.labelled import FINE


def test_a_scorer_that_raises_counts_against_the_model(
    offline_subject: Subject, mlflow_store: str, examples: tuple[Example, ...]
) -> None:
    def fails(_: object) -> bool:
        raise RuntimeError("in a scorer")

    card = score([outcome(each) for each in examples], model="offline")
    broken = {
        **MEASURES,
        "always_raises": Measure(fails, worst=False),
        "raises_on_some": Measure(lambda row: True if row.example.label is Label.GOOD else fails(row), worst=False),
    }
    place = record(Registry(mlflow_store), offline_subject, card, data="messages.csv", measures=broken)
    metrics = MlflowClient(mlflow_store).get_run(place.run_id).data.metrics
    assert metrics["always_raises/mean"] == 0
    assert metrics["raises_on_some/mean"] == pytest.approx(len(FINE) / len(examples))
    assert metrics["caution_recall/mean"] == 1


def test_every_measure_is_the_scorecards_share_of_that_name(examples: tuple[Example, ...]) -> None:
    said = [outcome(each, "refused" if number % 5 == 4 else None) for number, each in enumerate(examples)]
    said[0] = said[0].model_copy(update={"verdict": Verdict(label=Label.GOOD)})
    said[-1] = said[-1].model_copy(update={"verdict": Verdict(label=Label.CAUTION), "error": None})
    card = score(said, model="x")
    metrics = card.metrics()
    for name, measure in MEASURES.items():
        values = [value for row in card.rows if (value := measure.of(row)) is not None]
        assert sum(values) / len(values) == pytest.approx(metrics[name]), name
