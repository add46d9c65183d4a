"""An evaluation, put where MLflow shows it: a run with its figures, its report and a trace for every row.

Not through mlflow.genai.evaluate: it asks the server for each trace and writes each judgement by itself, about ten
requests a row, which takes most of two minutes for two hundred rows. Here a row's trace goes out with all that is said
of it at once. What comes out is the same kind of run, on the same pages.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlparse
from urllib.request import url2pathname

import mlflow
import pandas as pd
from mlflow.entities import AssessmentSource, LoggedModelInput, Metric, SpanType
from mlflow.entities.dataset_input import DatasetInput

from bot.evaluation import datasets
from bot.evaluation.mlflow_internals import EVALUATION_RUN, config_of
from bot.evaluation.registry import SCORECARD, Registry
from bot.evaluation.report import confusion_picture, html_report, html_responses
from bot.evaluation.scorecard import Scorecard, ScoredRow
from bot.evaluation.store import EVALUATIONS, mlflow_errors, open_to_write, silent
from bot.evaluation.subject import Subject
from bot.model.local_store import shown
from bot.verdict import Label

FIGURES = (
    "rows",
    "caution_recall",
    "caution_precision",
    "false_alarms",
    "no_verdict",
    "rewrites_offered",
    "rewrites_clean",
    "rewrites_judged_good",
    "rewrites_nearness",
    "latency_p50_ms",
    "latency_p95_ms",
    "input_tokens",
    "output_tokens",
    "cost_per_thousand_usd",
)
"""The figures that are columns in MLflow: what one reads first. Intervals, slices and checks are in the report."""


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
"""What MLflow shows row by row. The mean of each is the scorecard's share of the same name."""


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
    """Put an evaluation into a run of its own in the evaluations' experiment. `data` names the examples' file.

    The logged model, the version's prompt and the dataset are linked to it. Raises StoreError.
    """
    version = subject.version
    config = config_of(subject.described)
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
    metrics = {name: value for name, value in card.metrics().items() if name in FIGURES}
    open_to_write(registry.tracking_uri)
    with mlflow_errors("record the evaluation"), silent():
        mlflow.set_experiment(EVALUATIONS)
        dataset = datasets.of(card, data)
        with mlflow.start_run(run_name=_name(card), tags=EVALUATION_RUN) as run:
            model_id = _logged_model(subject)
            mlflow.log_params({name: value for name, value in params.items() if value is not None})
            # Linked to the model and the dataset: the figures stand on the model's page, too.
            if model_id:
                mlflow.log_metrics(metrics, model_id=model_id, dataset=dataset)
            else:
                # Left to itself, MLflow would take the model it loaded last, which no store knows.
                now = time.time_ns() // 1_000_000
                mlflow.MlflowClient().log_batch(
                    run.info.run_id, metrics=[Metric(name, value, now, 0) for name, value in metrics.items()]
                )
            mlflow.MlflowClient().log_inputs(
                run.info.run_id,
                datasets=[DatasetInput(dataset=dataset._to_mlflow_entity())],  # type: ignore[no-untyped-call]  # MLflow's,
                models=[LoggedModelInput(model_id=model_id)] if model_id else None,
            )
            if version and "prompt_version" in version.tags:
                _link_prompt(run.info.run_id, version.tags)
            mlflow.log_text(html_report(card, against=against, reasons=reasons), "report.html")
            mlflow.log_text(html_responses(card), "responses.html")
            mlflow.log_text(card.model_dump_json(), SCORECARD)
            mlflow.log_table(_table(card), "rows.json")
            with _picture(card) as picture:
                mlflow.log_artifact(str(picture))
            for row in card.rows:
                _trace(row, measures, model_id)
            mlflow.flush_trace_async_logging()
    if version:
        registry.evaluated(version, card.examples, run.info.run_id)
    return Recorded(run.info.run_id, _report(registry.tracking_uri, run.info))


def _name(card: Scorecard) -> str:
    return (f"evaluate {card.model}" + (f" version {card.version}" if card.version else ""))[:250]


def _logged_model(subject: Subject) -> str | None:
    """The id of the logged model in this store; None for one that is only on this machine."""
    model_id = subject.described.model_id
    if not model_id:
        return None
    try:
        return str(mlflow.get_logged_model(model_id).model_id)
    except mlflow.exceptions.MlflowException:
        return None


def _link_prompt(run_id: str, tags: Mapping[str, str]) -> None:
    name, version = tags.get("prompt_name"), tags["prompt_version"]
    if name:
        mlflow.MlflowClient().link_prompt_version_to_run(run_id, f"prompts:/{name}/{version}")


def _trace(row: ScoredRow, measures: Mapping[str, Measure], model_id: str | None) -> None:
    """The row as a trace that carries what should be said of it and each measure.

    While a trace is under way, what is logged of it stays in memory and goes out with it.
    """
    draft, verdict = row.example.draft, row.outcome.verdict
    source = AssessmentSource("CODE", "angel")
    with mlflow.start_span(name="example", span_type=SpanType.CHAT_MODEL) as span:
        span.set_inputs(draft.model_dump(mode="json", exclude_none=True))
        span.set_outputs(_output(row))
        metadata = {"mlflow.modelId": model_id} if model_id else {}
        mlflow.update_current_trace(
            tags={"slice": row.example.slice, "language": row.example.language}, metadata=metadata
        )
        mlflow.log_expectation(trace_id=span.trace_id, name="verdict", value=row.example.label.value, source=_labelled)
        for name, value, rationale in judgements(row, measures):
            mlflow.log_feedback(trace_id=span.trace_id, name=name, value=value, rationale=rationale, source=source)
        for judged in row.outcome.judged:
            mlflow.log_feedback(
                trace_id=span.trace_id,
                name=judged.name,
                value=judged.passed,
                rationale=judged.rationale,
                source=AssessmentSource("LLM_JUDGE", judged.by),
            )
        if verdict and verdict.input_tokens is not None and verdict.output_tokens is not None:
            span.set_attribute(
                "mlflow.chat.tokenUsage",
                {
                    "input_tokens": verdict.input_tokens,
                    "output_tokens": verdict.output_tokens,
                    "total_tokens": verdict.input_tokens + verdict.output_tokens,
                },
            )


_labelled = AssessmentSource("HUMAN", "examples")


def judgements(row: ScoredRow, measures: Mapping[str, Measure] = MEASURES) -> Iterator[tuple[str, bool, str]]:
    """What each measure says of the row, and why. One that raises counts against the model."""
    for name, measure in measures.items():
        try:
            value, rationale = measure.of(row), _rationale(row)
        except Exception as error:  # whatever it is, the model must not gain by it
            value, rationale = measure.worst, f"The scorer failed with {type(error).__name__}."
        if value is not None:
            yield name, value, rationale


def _rationale(row: ScoredRow) -> str:
    said = row.outcome.label.value if row.outcome.label else f"no verdict ({row.outcome.error})"
    failed = f" Its rewrite fails: {', '.join(row.failed_checks)}." if row.failed_checks else ""
    return f"Should be {row.example.label.value}; the model said {said}.{failed}"


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


def _report(tracking_uri: str, run: Any) -> str:
    place = urlparse(run.artifact_uri)
    if place.scheme in ("", "file"):
        return str(Path(url2pathname(place.path)) / "report.html")
    if tracking_uri.startswith("http"):
        return f"{shown(tracking_uri).rstrip('/')}/#/experiments/{run.experiment_id}/runs/{run.run_id}/artifacts"
    return shown(f"{run.artifact_uri}/report.html")
