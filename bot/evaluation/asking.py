"""Ask a model about labelled messages."""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from bot.errors import AngelError, DraftRejected, ModelError
from bot.evaluation.examples import Example, digest
from bot.evaluation.kept_answers import KeptAnswers
from bot.evaluation.scorecard import Outcome
from bot.model.loading import LoadedModel
from bot.verdict import Draft, Label

CONCURRENT = 16
"""Messages asked about at once: a rate limit is reached soon enough."""
HOPELESS = 16
"""After so many rows without a single verdict the rest is not asked: each may cost money and twenty seconds."""


class EvaluationError(AngelError):
    """The model could not be evaluated. The text says what to change."""


def ask(
    model: LoadedModel,
    offline: LoadedModel,
    examples: Sequence[Example],
    *,
    kept: KeptAnswers,
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
    if verdict is not None and verdict.label is Label.UNREAD:
        verdict, code, said = None, "language", Label.UNREAD.sentence
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
