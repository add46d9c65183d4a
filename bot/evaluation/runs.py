"""An evaluation, put where MLflow shows it: a run with its figures, its report and every row."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlparse
from urllib.request import url2pathname

import mlflow
import mlflow.genai
import pandas as pd
from mlflow.entities import Feedback
from mlflow.environment_variables import MLFLOW_GENAI_EVAL_MAX_WORKERS
from mlflow.genai.scorers import Scorer, scorer

from bot.evaluation.registry import SCORECARD, Registry
from bot.evaluation.report import confusion_picture, html_report, html_responses
from bot.evaluation.scorecard import Scorecard, ScoredRow
from bot.evaluation.store import EXPERIMENT, mlflow_errors, silent
from bot.evaluation.subject import Subject
from bot.verdict import Label


class Measure(NamedTuple):
    """What a scorer says of a row, None where the row is not about it, and what counts where it fails."""

    of: Callable[[ScoredRow], bool | None]
    worst: bool


MEASURES: Mapping[str, Measure] = {
    "caution_recall": Measure(lambda row: row.outcome.right if row.example.label is Label.CAUTION else None, False),
    "caution_precision": Measure(lambda row: row.outcome.right if row.outcome.label is Label.CAUTION else None, False),
    "false_alarms": Measure(
        lambda row: not row.outcome.right if row.example.label is Label.GOOD and row.outcome.verdict else None, True
    ),
    "no_verdict": Measure(lambda row: row.outcome.verdict is None, True),
    "rewrites_clean": Measure(lambda row: not row.failed_checks if row.outcome.rewrite is not None else None, False),
}
"""The scorers that MLflow shows row by row. The mean of each is the scorecard's share of the same name."""


def scorers(card: Scorecard, measures: Mapping[str, Measure] = MEASURES) -> list[Scorer]:
    """The measures as MLflow's scorers. One that raises counts against the model; MLflow would leave the row out."""
    rows = {_place(*_cells(row)): row for row in card.rows}

    def made(name: str, measure: Measure) -> Scorer:
        def judge(inputs: dict[str, Any], expectations: dict[str, Any]) -> Feedback | None:
            try:
                row = rows[_place(inputs, expectations)]
                value = measure.of(row)
                rationale = _rationale(row)
            except Exception as error:  # whatever it is, the model must not gain by it
                value, rationale = measure.worst, f"The scorer failed with {type(error).__name__}."
            return None if value is None else Feedback(value=value, rationale=rationale)

        return scorer(judge, name=name)

    return [made(name, measure) for name, measure in measures.items()]


def _cells(row: ScoredRow) -> tuple[dict[str, Any], dict[str, Any]]:
    """The row as MLflow's inputs and expectations."""
    draft = row.example.draft
    return draft.model_dump(mode="json", exclude_none=True), {"verdict": row.example.label.value}


def _place(inputs: Mapping[str, Any], expectations: Mapping[str, Any]) -> tuple[Any, ...]:
    return inputs["text"], inputs["tone"], inputs.get("context"), expectations["verdict"]


def _rationale(row: ScoredRow) -> str:
    said = row.outcome.label.value if row.outcome.label else f"no verdict ({row.outcome.error})"
    failed = f" Its rewrite fails: {', '.join(row.failed_checks)}." if row.failed_checks else ""
    return f"Should be {row.example.label.value}; the model said {said}.{failed}"


@dataclass(frozen=True)
class Recorded:
    """Where an evaluation stands in MLflow. `report` is a file where the store is one, else an address."""

    run_id: str
    report: str


def record(
    registry: Registry,
    subject: Subject,
    card: Scorecard,
    *,
    data: str,
    against: Scorecard | None = None,
    reasons: Sequence[str] | None = None,
    measures: Mapping[str, Measure] = MEASURES,
) -> Recorded:
    """Put an evaluation into a run of its own in the experiment. `data` names the examples' file.

    Raises StoreError.
    """
    version = subject.version
    config = subject.described.flavors.get("python_function", {}).get("config") or {}
    shaping = {name: value for name, value in config.items() if name not in ("model", "instructions", "schema")}
    params = {
        "model": card.model,
        "uri": subject.model.uri,
        "version": card.version,
        "prompt_version": version.tags.get("prompt_version") if version else None,
        "data": data,
        "examples": card.examples,
        "rows": len(card.rows),
        **shaping,
    }
    name = f"evaluate {card.model}" + (f" version {card.version}" if card.version else "")
    with mlflow_errors("record the evaluation"), silent(), _workers_for(registry.tracking_uri):
        mlflow.set_experiment(EXPERIMENT)
        with mlflow.start_run(run_name=name[:250]) as run:
            mlflow.log_params({name: value for name, value in params.items() if value is not None})
            mlflow.log_metrics(card.metrics())
            mlflow.log_text(html_report(card, against=against, reasons=reasons), "report.html")
            mlflow.log_text(html_responses(card), "responses.html")
            mlflow.log_text(card.model_dump_json(), SCORECARD)
            mlflow.log_table(_table(card), "rows.json")
            with _picture(card) as picture:
                mlflow.log_artifact(str(picture))
            mlflow.genai.evaluate(
                # The answers are there already, so none is paid for twice; given a function, MLflow would call it.
                data=[
                    {"inputs": inputs, "outputs": _output(row), "expectations": expectations}
                    for row in card.rows
                    for inputs, expectations in [_cells(row)]
                ],
                scorers=scorers(card, measures),
            )
    if version:
        registry.evaluated(version, card.examples, run.info.run_id)
    return Recorded(run.info.run_id, _report(registry.tracking_uri, run.info))


def _output(row: ScoredRow) -> dict[str, Any]:
    verdict = row.outcome.verdict
    if verdict is None:
        return {"error": row.outcome.error}
    return verdict.model_dump(mode="json", include={"label", "findings", "rewrite", "tip"}, exclude_none=True)


def _table(card: Scorecard) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "text": row.example.text,
                "expected": row.example.label.value,
                "said": row.outcome.label.value if row.outcome.label else "",
                "right": row.outcome.right,
                "rewrite": (row.outcome.verdict.rewrite if row.outcome.verdict else None) or "",
                "failed_checks": ", ".join(row.failed_checks),
                "error": row.outcome.error or "",
                "latency_ms": round(row.outcome.latency_ms, 1),
                "slice": row.example.slice,
                "language": row.example.language,
                "why": row.example.why,
            }
            for row in card.rows
        ]
    )


@contextmanager
def _picture(card: Scorecard) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "confusion_matrix.png"
        path.write_bytes(confusion_picture(card))
        yield path


@contextmanager
def _workers_for(tracking_uri: str) -> Iterator[None]:
    """One writer at a time where the store is a SQLite file.

    MLflow's default of ten wait for each other's locks with all of the pool's connections in hand: it then takes
    seven minutes for two hundred rows instead of twenty seconds, and loses some of them with only a warning.
    """
    workers: Any = MLFLOW_GENAI_EVAL_MAX_WORKERS  # its methods have no types
    if not tracking_uri.startswith("sqlite:") or workers.is_set():
        yield
        return
    workers.set(1)
    try:
        yield
    finally:
        workers.unset()


def _report(tracking_uri: str, run: Any) -> str:
    place = urlparse(run.artifact_uri)
    if place.scheme in ("", "file"):
        return str(Path(url2pathname(place.path)) / "report.html")
    if tracking_uri.startswith("http"):
        return f"{tracking_uri.rstrip('/')}/#/experiments/{run.experiment_id}/runs/{run.run_id}/artifacts"
    return f"{run.artifact_uri}/report.html"
