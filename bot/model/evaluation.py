"""Ask a model about labelled messages, score what it says, and put the evaluation where MLflow shows it."""

import hashlib
import json
import logging
import queue
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
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
from mlflow.models import Model

from bot.errors import AngelError, DraftRejected, ModelError, ModelMisconfigured, ModelUnavailable
from bot.model.examples import Example, digest
from bot.model.loading import LoadedModel, Source, load, load_uri
from bot.model.registry import EXPERIMENT, SCORECARD, Registry, Version, mlflow_errors, silent
from bot.model.report import confusion_picture, html_report, html_responses
from bot.model.scorecard import Outcome, Scorecard, ScoredRow
from bot.verdict import Draft, Label

logger = logging.getLogger(__name__)

CONCURRENT = 16
"""Messages asked about at once: a rate limit is reached soon enough."""
HOPELESS = 16
"""After so many rows without a single verdict the rest is not asked: each may cost money and twenty seconds."""
_PASSING = {ModelUnavailable.code, ModelMisconfigured.code, ModelError.code}
"""Errors that are about the moment and not about the message. Such a row is asked again when an evaluation goes on."""


class EvaluationError(AngelError):
    """The model could not be evaluated. The text says what to change."""


@dataclass(frozen=True)
class Subject:
    """A model to be evaluated. `version` where it is one of ours."""

    model: LoadedModel
    described: Model
    version: Version | None

    @property
    def title(self) -> str:
        name = "the offline check" if self.model.offline else self.model.name
        return (
            f"{name} ({', '.join((f'version {self.version.number}', *self.version.aliases))})" if self.version else name
        )


def subject(chosen: Source, registry: Registry, cache_dir: Path) -> Subject:
    """The chosen model, loaded; an alias becomes the version it means now. Raises ModelMisconfigured, RegistryError."""
    version = registry.at(chosen.uri) if chosen.uri else None
    model = load_uri(version.uri, version=version.number) if version else load(chosen, cache_dir)
    with mlflow_errors("describe the model"):
        return Subject(model, Model.load(model.uri), version)


class Kept:
    """The outcomes of an evaluation that was begun, in a file of its own, so that it can go on after a stop.

    A message is known there by a hash; what the model said of it is kept until the evaluation is in MLflow. Where the
    file can't be written the evaluation still runs, and can't be resumed.
    """

    def __init__(self, folder: Path, subject: Subject, server: str) -> None:
        name = hashlib.sha256(f"{subject.described.model_uuid} {server}".encode()).hexdigest()[:16]
        self.path = folder / "evaluations" / f"{name}.jsonl"

    def read(self, examples: Sequence[Example]) -> list[Outcome]:
        """What is kept for these examples."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        by_key = {digest([example]): example for example in examples}
        found: dict[str, Outcome] = {}
        for line in lines:
            # A line that the stop cut short, or that an older version of ours wrote, is asked again.
            with suppress(ValueError, KeyError, TypeError):
                kept = json.loads(line)
                if kept["example"] in by_key:
                    found[kept["example"]] = Outcome(example=by_key[kept["example"]], **kept["outcome"])
        return list(found.values())

    def add(self, outcome: Outcome) -> None:
        if outcome.error in _PASSING:
            return
        line = {"example": digest([outcome.example]), "outcome": outcome.model_dump(mode="json", exclude={"example"})}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            logger.debug("an outcome could not be kept (%s)", error.strerror)

    def delete(self) -> None:
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def ask(
    model: LoadedModel,
    offline: LoadedModel,
    examples: Sequence[Example],
    *,
    kept: Kept,
    concurrency: int = CONCURRENT,
    answered: Callable[[int], object] = lambda _: None,
) -> list[Outcome]:
    """The model's outcome for each example, in their order; those that are kept are not asked for again.

    `answered` is told how many more there are, each time. Raises EvaluationError where no message gets a verdict.
    """
    outcomes = {digest([outcome.example]): outcome for outcome in kept.read(examples)}
    answered(len(outcomes))
    todo = [example for example in examples if digest([example]) not in outcomes]
    said = ""
    for outcome, error in _asked(model, offline, todo, concurrency):
        kept.add(outcome)
        outcomes[digest([outcome.example])] = outcome
        answered(1)
        said = error or said
        hopeless = len(outcomes) >= min(HOPELESS, len(examples))
        if hopeless and not any(each.verdict for each in outcomes.values()):
            raise EvaluationError(
                f"None of the first {len(outcomes)} messages got a verdict, so the rest was not asked. {said}"
            )
    return [outcomes[digest([example])] for example in examples]


def _asked(
    model: LoadedModel, offline: LoadedModel, examples: Sequence[Example], concurrency: int
) -> Iterator[tuple[Outcome, str]]:
    """Each example's outcome as it comes, with what the error said.

    In threads that die with the process, so that Ctrl-C doesn't wait for calls under way; an executor's are joined.
    """
    waiting: queue.SimpleQueue[Example] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Outcome, str] | BaseException] = queue.SimpleQueue()
    stopped = threading.Event()
    for example in examples:
        waiting.put(example)

    def work() -> None:
        while not stopped.is_set():
            try:
                example = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put(_outcome(model, offline, example))
            except BaseException as error:  # a bug, to be raised where somebody sees it
                done.put(error)

    for _ in range(min(concurrency, len(examples))):
        threading.Thread(target=work, name="evaluate", daemon=True).start()
    try:
        for _ in examples:
            got = done.get()
            if isinstance(got, BaseException):
                raise got
            yield got
    finally:
        stopped.set()


def _outcome(model: LoadedModel, offline: LoadedModel, example: Example) -> tuple[Outcome, str]:
    verdict, code, said = None, None, ""
    began = time.perf_counter()
    try:
        verdict = model.check(example.draft)
    except ModelError as error:
        code, said = error.code, str(error)
    latency_ms = (time.perf_counter() - began) * 1_000
    outcome = Outcome(example=example, verdict=verdict, error=code, latency_ms=latency_ms)
    if outcome.rewrite is None:
        return outcome, said
    checks = {name: _label(each, example, outcome.rewrite) for name, each in (("own", model), ("offline", offline))}
    return outcome.model_copy(update={f"{name}_check": label for name, label in checks.items()}), said


def _label(model: LoadedModel, example: Example, rewrite: str) -> Label | None:
    try:
        return model.check(Draft(text=rewrite, tone=example.tone, context=example.context)).label
    except (ModelError, DraftRejected):
        return None


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

    Raises RegistryError.
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
