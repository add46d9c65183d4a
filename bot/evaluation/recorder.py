"""Checks as MLflow traces of numbers and labels, and people's votes on them. A message's text never enters a trace.

Nothing here is waited for: whoever checks a draft drops a note into a queue, and one thread brings it to MLflow. MLflow
may be slow, hang or be gone, and nobody in Slack notices, nor does the end of the process.
"""

import hashlib
import hmac
import logging
import os
import queue
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

import mlflow
from mlflow.entities import AssessmentSource, SpanType, Trace
from mlflow.exceptions import MlflowException
from mlflow.tracing.constant import SpanAttributeKey, TokenUsageKey, TraceMetadataKey

from bot.evaluation.mlflow_internals import model_id_of
from bot.evaluation.store import EXPERIMENT, MODEL, address, open_to_write
from bot.evaluation.traces import CHECK, HELPFUL, TEXT, traces
from bot.verdict import Draft, Verdict

logger = logging.getLogger(__name__)

WAITING = 1_000
"""Notes that may wait for MLflow; past that they are dropped, and the log says how many."""
VOTE_SECONDS = 120.0
"""How long a vote is tried again: a trace is found some seconds after it ends, later where the server is busy."""
VOTE_PAUSE_SECONDS = 0.5
DRAIN_SECONDS = 2.0

Note = Callable[[], None]


class _Vote(NamedTuple):
    """`until`: when it is given up, on the clock of time.monotonic."""

    value: bool | str
    until: float


class Recorder:
    """Brings checks and votes to MLflow. A user is written as a hash with `key`, which only the operator has.

    `keeps_text` says whether a person may be asked to give the text of a draft with a vote.
    """

    def __init__(self, tracking_uri: str | None, key: str, *, keeps_text: bool = False) -> None:
        self.keeps_text = keeps_text
        self._key = key.encode()
        open_to_write(address(tracking_uri))
        self._notes: queue.Queue[Note] = queue.Queue(WAITING)
        self._dropped = 0
        # By check, name and user: whoever votes again before MLflow knows of the first vote has voted once.
        self._votes: dict[tuple[str, str, str], _Vote] = {}
        self._votes_due = 0.0
        self._ended = False
        self._experiment: str | None = None
        self._model_ids: dict[str, str | None] = {}
        # MLflow reads them when its exporter starts: a trace is to be found soon, a dead server given up soon.
        os.environ.setdefault("MLFLOW_ASYNC_TRACE_LOGGING_MAX_INTERVAL_MILLIS", "200")
        os.environ.setdefault("MLFLOW_ASYNC_TRACE_LOGGING_RETRY_TIMEOUT", "2")
        threading.Thread(target=self._work, name="recorder", daemon=True).start()

    def check(self, draft: Draft, verdict: Verdict, *, seconds: float, way_in: str, user: str) -> str:
        """Note a check that took `seconds`. Returns the name under which a vote finds it."""
        name = secrets.token_urlsafe(9)
        ended = time.time_ns()
        labels = {
            CHECK: name,
            "label": verdict.label.value,
            "model": verdict.model,
            "version": verdict.version or "",
            "way_in": way_in,
        }
        attributes: dict[str, Any] = labels | {
            "categories": sorted({finding.category.value for finding in verdict.findings}),
            "tone": draft.tone.value,
            "fallback": verdict.fallback.value if verdict.fallback else "",
            "offline": verdict.offline,
            "latency_ms": round(seconds * 1_000),
            "draft_chars": len(draft.text),
            "context_chars": len(draft.context or ""),
            "rewrite_chars": len(verdict.rewrite or ""),
        }
        if verdict.input_tokens is not None and verdict.output_tokens is not None:
            attributes[SpanAttributeKey.CHAT_USAGE] = {
                TokenUsageKey.INPUT_TOKENS: verdict.input_tokens,
                TokenUsageKey.OUTPUT_TOKENS: verdict.output_tokens,
                TokenUsageKey.TOTAL_TOKENS: verdict.input_tokens + verdict.output_tokens,
            }
        if not verdict.offline:
            attributes[SpanAttributeKey.MODEL] = verdict.model
        metadata = {TraceMetadataKey.TRACE_USER: self._hash(user)}
        began = ended - int(seconds * 1e9)
        self._put(lambda: self._trace(labels, attributes, metadata, verdict.version, began, ended))
        return name

    def vote(self, check: str, *, helpful: bool, user: str) -> None:
        """Note whether the answer to a check was helpful; one vote a person, the last one counts."""
        self._put_vote(check, HELPFUL, helpful, user)

    def keep_text(self, check: str, text: str, *, user: str) -> None:
        """Note the text of a check's draft, which its author has just said may be kept."""
        if self.keeps_text:
            self._put_vote(check, TEXT, text, user)

    def close(self, seconds: float = DRAIN_SECONDS) -> None:
        """Bring what waits to MLflow, within `seconds`; what is left then is lost. Nothing more is taken."""
        if self._ended:
            return
        done = threading.Event()

        def finish() -> None:
            mlflow.flush_trace_async_logging(terminate=True)
            self._bring_votes()  # every trace can be found now
            self._ended = True
            done.set()

        self._put(finish)
        if not done.wait(seconds) or self._votes:
            self._ended = True
            logger.warning("MLflow did not take the last traces and votes in time")

    def _hash(self, user: str) -> str:
        return hmac.new(self._key, user.encode(), hashlib.sha256).hexdigest()[:16]

    def _put(self, note: Note) -> None:
        try:
            self._notes.put_nowait(note)
        except queue.Full:
            self._dropped += 1
            if self._dropped in (1, 10, 100) or self._dropped % 1_000 == 0:
                logger.warning("MLflow is not keeping up: %d traces and votes dropped", self._dropped)

    def _work(self) -> None:
        while not self._ended:
            with suppress(queue.Empty):
                self._do(self._notes.get(timeout=VOTE_PAUSE_SECONDS if self._votes else None))
            if self._votes and time.monotonic() >= self._votes_due:
                self._do(self._bring_votes)

    def _do(self, note: Note) -> None:
        try:
            note()
        except Exception as error:
            # A trace is never worth a person's answer. MLflow's text may quote what was sent to it.
            logger.warning("a trace or vote was lost (%s)", type(error).__name__)

    def _trace(
        self,
        labels: dict[str, str],
        attributes: dict[str, Any],
        metadata: dict[str, str],
        version: str | None,
        began: int,
        ended: int,
    ) -> None:
        """A trace with MLflow's own keys where it has one, so that its overview, filters and cost pages work."""
        experiment, model_id = self._in_experiment(), self._model_id(version)
        if model_id:
            metadata = metadata | {TraceMetadataKey.MODEL_ID: model_id}
        span = mlflow.start_span_no_context(
            name="check",
            span_type=SpanType.CHAT_MODEL,
            experiment_id=experiment,
            attributes=attributes,
            tags=labels,
            metadata=metadata,
            start_time_ns=began,
        )
        span.end(end_time_ns=ended)

    def _model_id(self, version: str | None) -> str | None:
        """The logged model behind a version of ours, asked for once; None where MLflow knows of none."""
        if not version:
            return None
        if version not in self._model_ids:
            try:
                self._model_ids[version] = model_id_of(mlflow.MlflowClient().get_model_version(MODEL, version))
            except MlflowException:
                return None  # a version of somebody else's model, or MLflow is away: asked again with the next check
        return self._model_ids[version]

    def _put_vote(self, check: str, name: str, value: bool | str, user: str) -> None:
        vote = {(check, name, self._hash(user)): _Vote(value, time.monotonic() + VOTE_SECONDS)}
        self._put(lambda: self._votes.update(vote))

    def _bring_votes(self) -> None:
        self._votes_due = time.monotonic() + VOTE_PAUSE_SECONDS
        for (check, name, user), vote in list(self._votes.items()):
            del self._votes[check, name, user]
            try:
                trace = next(traces(self._in_experiment(), f"tag.`{CHECK}` = '{check}'"), None)
                if trace is not None:
                    _set_feedback(trace, name, vote.value, AssessmentSource("HUMAN", user))
                    continue
                reason = "its check is not there"
            except MlflowException as error:
                reason = type(error).__name__
            if time.monotonic() < vote.until:
                self._votes[check, name, user] = vote
            else:
                logger.warning("a vote was lost (%s)", reason)

    def _in_experiment(self) -> str:
        if self._experiment is None:
            # Not MLFLOW_EXPERIMENT_NAME: with it set, each trace asks the server for the experiment, and waits.
            self._experiment = str(mlflow.set_experiment(EXPERIMENT).experiment_id)
        return self._experiment


def _set_feedback(trace: Trace, name: str, value: bool | str, source: AssessmentSource) -> None:
    """Give the trace this feedback, in the place of what the same person said before."""
    for earlier in trace.info.assessments:
        same = earlier.name == name and earlier.source.source_id == source.source_id
        if same and earlier.assessment_id:
            mlflow.delete_assessment(trace_id=trace.info.trace_id, assessment_id=earlier.assessment_id)
    mlflow.log_feedback(trace_id=trace.info.trace_id, name=name, value=value, source=source)
