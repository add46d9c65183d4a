"""An evaluation in MLflow, and scorers that can't be gamed by failing."""

from collections import defaultdict
from typing import Any

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from bot.evaluation.examples import Example
from bot.evaluation.mlflow_internals import EVALUATION_RUN
from bot.evaluation.registry import Registry
from bot.evaluation.runs import MEASURES, Measure, record
from bot.evaluation.scorecard import score
from bot.evaluation.store import EVALUATIONS, EXPERIMENT
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
    values: dict[str, list[Any]] = defaultdict(list)
    traces = mlflow.search_traces(run_id=place.run_id, return_type="list", max_results=100)
    assert len(traces) == len(examples)
    for trace in traces:
        for each in trace.info.assessments:
            if each.feedback:
                values[each.name].append(each.feedback.value)
            else:
                values["expected"].append(each.expectation.value)
    assert values["always_raises"] == [False] * len(examples)
    assert values["raises_on_some"].count(True) == len(FINE)
    assert values["raises_on_some"].count(False) == len(examples) - len(FINE)
    assert set(values["caution_recall"]) == {True}
    assert sorted(values["expected"]) == sorted(each.label.value for each in examples)


def test_a_run_is_linked_to_its_dataset_in_an_experiment_apart_from_production(
    offline_subject: Subject, mlflow_store: str, examples: tuple[Example, ...]
) -> None:
    card = score([outcome(each) for each in examples], model="offline")
    place = record(Registry(mlflow_store), offline_subject, card, data="messages.csv")
    run = MlflowClient(mlflow_store).get_run(place.run_id)
    experiment = mlflow.get_experiment_by_name(EVALUATIONS)
    assert experiment is not None
    assert run.info.experiment_id == experiment.experiment_id
    assert run.data.tags.items() >= EVALUATION_RUN.items()
    assert run.inputs is not None
    (dataset,) = run.inputs.dataset_inputs
    assert dataset.dataset.name == "messages.csv"
    assert len(run.data.metrics) <= 14
    assert {"caution_recall", "caution_precision", "false_alarms", "rewrites_clean"} <= run.data.metrics.keys()
    production = mlflow.get_experiment_by_name(EXPERIMENT)
    assert production is None or not mlflow.search_traces(locations=[production.experiment_id], return_type="list")


def test_every_measure_is_the_scorecards_share_of_that_name(examples: tuple[Example, ...]) -> None:
    said = [outcome(each, "refused" if number % 5 == 4 else None) for number, each in enumerate(examples)]
    said[0] = said[0].model_copy(update={"verdict": Verdict(label=Label.GOOD)})
    said[-1] = said[-1].model_copy(update={"verdict": Verdict(label=Label.CAUTION), "error": None})
    card = score(said, model="x")
    metrics = card.metrics()
    for name, measure in MEASURES.items():
        values = [value for row in card.rows if (value := measure.of(row)) is not None]
        assert sum(values) / len(values) == pytest.approx(metrics[name]), name
