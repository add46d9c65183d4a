"""Better instructions by GEPA, through mlflow.genai.optimize_prompts, within a budget of requests.

MLflow's own GepaPromptOptimizer asks its reflection model through LiteLLM, and loses what it found when it is stopped.
The optimizer here hands GEPA a client of OpenAI's instead, counts every request, and keeps the best so far.
"""

import hashlib
import importlib.util
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import mlflow
import mlflow.genai
import openai
from mlflow.genai.optimize.optimizers.base import BasePromptOptimizer
from mlflow.genai.optimize.types import PromptOptimizerOutput
from mlflow.genai.scorers import Scorer, scorer

from bot.errors import AngelError, ModelError
from bot.evaluation.examples import Example
from bot.evaluation.prompts import Prompt, refuse_placeholders
from bot.evaluation.scorecard import REWRITE_CHECKS, Outcome
from bot.evaluation.store import EVALUATIONS, StoreError, mlflow_errors, open_to_write, silent
from bot.model.loading import LoadedModel, load_chat
from bot.verdict import Draft, Label, Tone, Verdict

NEEDS_GEPA = "Optimizing needs GEPA, which is an extra: pip install 'text-message-angel[optimize]'"
TRAIN_SHARE = 0.6
"""Of the examples: what the instructions are made better on. They are evaluated on the rest, which GEPA never sees."""
MINIBATCH = 3
"""Examples that GEPA shows to the reflection model at a time, its own default."""
_AT_A_TIME = 20
"""Examples handed to MLflow at a time. It asks about all of them before Ctrl-C gets through, and each costs money."""
_RIGHT, _CLEAN = 0.6, 0.4
"""Of a caution's score: the verdict, and the share of the rewrite's checks that pass. A sting missed scores 0."""
_CHECKS = {name: check for name, check in REWRITE_CHECKS.items() if not name.startswith("passes_")}
"""The checks that ask no other model."""


class OptimizeError(AngelError):
    """The instructions could not be made better. The text says what to change."""


class OptimizeStopped(OptimizeError):
    """Ctrl-C came before anything better was found."""


@dataclass(frozen=True)
class Found:
    """The best instructions, with their score and that of the first ones on the training part, 0 to 1.

    `requests` were spent on the chat model and `reflections` on the reflection model; `stopped` by Ctrl-C.
    """

    prompt: Prompt
    before: float
    after: float
    requests: int
    reflections: int
    stopped: bool


def split(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """The training part and the part held out: by a hash of the text, so that it is the same in every run."""

    def trains(example: Example) -> bool:
        return int(hashlib.sha256(example.text.encode()).hexdigest()[:8], 16) / 2**32 < TRAIN_SHARE

    return [each for each in examples if trains(each)], [each for each in examples if not trains(each)]


def needs_gepa() -> None:
    """Raises OptimizeError where GEPA, an extra, is not installed."""
    if importlib.util.find_spec("gepa") is None:
        raise OptimizeError(NEEDS_GEPA)


def optimize(
    start: Prompt,
    config: Mapping[str, Any],
    train: Sequence[Example],
    *,
    tracking_uri: str,
    reflection_model: str,
    budget: int,
    spent: Callable[[int, float], object] = lambda requests, best: None,
) -> Found:
    """Instructions better than `start` for the chat model of this configuration, as a new version of the prompt.

    At most `budget` requests of the chat model; `spent` is told how many there were, and the best score so far. Raises
    OptimizeError where nothing better was found, or GEPA is not installed; OptimizeStopped where Ctrl-C was the reason.
    """
    needs_gepa()
    by_place = {(each.text, each.tone.value, each.context): each for each in train}
    optimizer = _Gepa(start, reflection_model, budget, spent)
    open_to_write(tracking_uri)
    with tempfile.TemporaryDirectory() as folder:

        @lru_cache(maxsize=4)
        def model_with(instructions: str) -> LoadedModel:
            return load_chat({**config, "instructions": instructions}, Path(folder))

        registered = mlflow.genai.load_prompt(start.uri)

        def predict(text: str, tone: str, context: str | None = None) -> dict[str, Any]:
            optimizer.count()
            model = model_with(registered.template)  # MLflow puts the candidate's in its place
            try:
                return model.check(Draft(text=text, tone=Tone(tone), context=context)).model_dump(mode="json")
            except ModelError as error:
                return {"error": error.code}

        def outcome_of(inputs: Mapping[str, Any], outputs: Any) -> Outcome:
            example = by_place[inputs["text"], inputs["tone"], inputs.get("context")]
            failed = not isinstance(outputs, Mapping) or "error" in outputs
            verdict = None if failed else Verdict.model_validate(dict(outputs))
            return Outcome(example=example, verdict=verdict, error="failed" if failed else None, latency_ms=0.0)

        records = [
            {
                "inputs": each.draft.model_dump(mode="json", exclude_none=True),
                "expectations": {"verdict": each.label.value, "why": each.why},
            }
            for each in train
        ]
        with mlflow_errors("optimize the prompt"), silent():
            mlflow.set_experiment(EVALUATIONS)
            with mlflow.start_run(run_name=f"optimize {config['model']} prompt {start.version}"[:250]):
                made = mlflow.genai.optimize_prompts(
                    predict_fn=predict,
                    train_data=records,
                    prompt_uris=[start.uri],
                    optimizer=optimizer,
                    scorers=[_scorer(outcome_of)],
                    aggregation=lambda scores: float(cast(float, scores["angel"])),
                )
    best = made.optimized_prompts[0]
    prompt = Prompt(best.name, int(best.version), str(best.template))
    return Found(
        prompt, optimizer.first, optimizer.best, optimizer.requests, optimizer.reflections, optimizer.interrupted
    )


def _scorer(outcome_of: Callable[[Mapping[str, Any], Any], Outcome]) -> Scorer:
    @scorer(name="angel")
    def angel(inputs: dict[str, Any], outputs: Any) -> float:
        return worth(outcome_of(inputs, outputs))

    return angel


def worth(outcome: Outcome) -> float:
    """An outcome's score, 0 to 1: the verdict, and for a caution also its rewrite."""
    if not outcome.right:
        return 0.0
    if outcome.example.label is Label.GOOD:
        return 1.0
    if outcome.rewrite is None:
        return _RIGHT
    passed = sum(check(outcome, outcome.rewrite) for check in _CHECKS.values())
    return _RIGHT + _CLEAN * passed / len(_CHECKS)


class _Spent(Exception):
    """The budget is used up, or there is nothing left to spend it on."""


class _Gepa(BasePromptOptimizer):
    def __init__(
        self, start: Prompt, reflection_model: str, budget: int, spent: Callable[[int, float], object]
    ) -> None:
        self._start = start
        self._reflection_model = reflection_model
        self._budget = budget
        self._spent = spent
        self.requests = self.reflections = 0
        self._counting = threading.Lock()
        self.first = self.best = 0.0
        self.instructions = start.instructions
        self.interrupted = False

    def optimize(
        self,
        eval_fn: Any,
        train_data: list[dict[str, Any]],
        target_prompts: dict[str, str],
        enable_tracking: bool = True,
    ) -> PromptOptimizerOutput:
        from gepa.api import optimize

        (name,) = target_prompts
        try:
            optimize(
                seed_candidate=target_prompts,
                trainset=train_data,
                valset=train_data,
                adapter=self._adapter(eval_fn, train_data, name),
                reflection_lm=self._reflect,
                reflection_minibatch_size=MINIBATCH,
                max_metric_calls=self._budget,
                display_progress_bar=False,
                logger=_Quiet(),
            )
        except _Spent:
            pass
        except KeyboardInterrupt:
            self.interrupted = True
        if self.instructions == self._start.instructions:
            if self.interrupted:
                raise OptimizeStopped(
                    f"Stopped after {self.requests} requests. Nothing better than prompt {self._start.version} was "
                    "found until then, and nothing is changed."
                )
            raise OptimizeError(
                f"Nothing better than prompt {self._start.version} was found in {self.requests} requests. "
                "Its score on the training part is "
                f"{self.first:.3f}. Try a larger --budget or another --reflection model."
            )
        return PromptOptimizerOutput(
            optimized_prompts={name: self.instructions}, initial_eval_score=self.first, final_eval_score=self.best
        )

    def _adapter(self, eval_fn: Any, train_data: list[dict[str, Any]], name: str) -> Any:
        from gepa.core.adapter import EvaluationBatch, GEPAAdapter

        mine = self

        class Adapter(GEPAAdapter[Any, Any, Any]):
            propose_new_texts = None

            def evaluate(self, batch: list[Any], candidate: dict[str, str], capture_traces: bool = False) -> Any:
                results = mine.evaluate(eval_fn, batch, candidate[name], name)
                scores = [each.score for each in results]
                if len(batch) == len(train_data):
                    mine.note(candidate[name], sum(scores) / len(scores))
                return EvaluationBatch(
                    outputs=[each.outputs for each in results],
                    scores=scores,
                    trajectories=results if capture_traces else None,
                )

            def make_reflective_dataset(
                self, candidate: dict[str, str], eval_batch: Any, components_to_update: list[str]
            ) -> dict[str, list[dict[str, Any]]]:
                shown = [
                    {
                        "message": each.inputs,
                        "answer": each.outputs,
                        "should be": each.expectations,
                        "score": each.score,
                    }
                    for each in eval_batch.trajectories
                ]
                return dict.fromkeys(components_to_update, shown)

        return Adapter()

    def count(self) -> None:
        """One more request; MLflow makes one of its own before GEPA begins."""
        with self._counting:
            self.requests += 1

    def evaluate(self, eval_fn: Any, batch: list[Any], instructions: str, name: str) -> list[Any]:
        if self.requests + len(batch) > self._budget:
            raise _Spent
        results: list[Any] = []
        for place in range(0, len(batch), _AT_A_TIME):
            results += eval_fn({name: instructions}, batch[place : place + _AT_A_TIME])
            self._spent(self.requests, self.best)
        return results

    def note(self, instructions: str, score: float) -> None:
        """Remember a candidate that all of the training part was tried on."""
        if instructions == self._start.instructions:
            self.first = score
            self.best = max(self.best, score)
            return
        try:
            refuse_placeholders(instructions)
        except StoreError:
            return
        if score > self.best:
            self.best, self.instructions = score, instructions
        if self.best >= 1:  # nothing can be better, and GEPA would go on to the end of the budget
            raise _Spent

    def _reflect(self, prompt: Any) -> str:
        self.reflections += 1
        messages: Any = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
        try:
            said = openai.OpenAI().chat.completions.create(model=self._reflection_model, messages=messages)
        except openai.OpenAIError as error:
            raise OptimizeError(
                f"{self._reflection_model} could not be asked to reflect ({type(error).__name__}). "
                "Check OPENAI_BASE_URL and OPENAI_API_KEY, or name another: --reflection MODEL"
            ) from error
        return said.choices[0].message.content or ""


class _Quiet:
    """GEPA tells its logger of every score, with the candidates in full."""

    def log(self, message: str) -> None:
        pass
