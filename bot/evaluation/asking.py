"""Ask a model about labelled messages, and check the rewrites that it gives."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from functools import partial

from bot.bulk import Asker
from bot.errors import AngelError, DraftRejected, ModelError
from bot.evaluation.examples import Example
from bot.evaluation.kept_answers import KeptAnswers
from bot.evaluation.scorecard import Outcome
from bot.model.loading import LoadedModel
from bot.threads import in_thread
from bot.verdict import Draft, Label

CONCURRENT = 16
"""Messages asked about at once: a rate limit is reached soon enough."""
HOPELESS = 16
"""After so many rows without a single verdict the rest is not asked: each may cost money and twenty seconds."""


UNREAD_LANGUAGE = "language"
"""The error of a row whose language the model does not read."""


class EvaluationError(AngelError):
    """The model could not be evaluated. The text says what to change."""


def ask(
    model: LoadedModel,
    offline: LoadedModel,
    examples: Sequence[Example],
    *,
    kept: KeptAnswers,
    asker: Asker,
    answered: Callable[[int], object] = lambda _: None,
) -> list[Outcome]:
    """The model's outcome for each example, in their order; what is kept is not asked for again.

    `asker` asks `model`; `answered` is told how many more there are, each time. Raises EvaluationError where no message
    gets a verdict, or where the model stops answering: what it has said until then is kept.
    """
    return asyncio.run(_Evaluation(model, offline, kept, asker, answered).run(examples))


class _Evaluation:
    def __init__(
        self,
        model: LoadedModel,
        offline: LoadedModel,
        kept: KeptAnswers,
        asker: Asker,
        answered: Callable[[int], object],
    ) -> None:
        self._model = model
        self._offline = offline
        self._kept = kept
        self._asker = asker
        self._answered = answered
        self._count = self._verdicts = 0
        self._hopeless_after = HOPELESS

    async def run(self, examples: Sequence[Example]) -> list[Outcome]:
        self._hopeless_after = min(HOPELESS, len(examples))
        outcomes = dict(zip(examples, self._kept.read(examples), strict=True))
        todo = [example for example, outcome in outcomes.items() if outcome is None]
        for outcome in outcomes.values():
            if outcome is not None:
                self._note(outcome)
        self._answered(self._count)
        try:
            async with contextlib.aclosing(self._asker.in_order(iter(todo), self._outcome)) as asked:
                async for outcome in asked:
                    outcomes[outcome.example] = outcome
        except ModelError as error:
            if self._verdicts:
                raise EvaluationError(
                    f"{self._model.name} stopped answering after {self._count} messages. {error} "
                    "What it has said is kept: the same command goes on from there."
                ) from error
            raise self._hopeless(str(error)) from error
        return [outcome for outcome in outcomes.values() if outcome is not None]

    async def _outcome(self, example: Example) -> Outcome:
        answer = await self._asker.ask(example.draft)
        verdict, error = answer.verdict, answer.error
        if verdict is not None and verdict.label is Label.UNREAD:
            verdict, error = None, UNREAD_LANGUAGE
        outcome = Outcome(example=example, verdict=verdict, error=error, latency_ms=answer.seconds * 1_000)
        if outcome.rewrite is not None:
            with contextlib.suppress(DraftRejected):  # too long to be a message: then no check has passed it
                rewrite = Draft(text=outcome.rewrite, tone=example.tone, context=example.context)
                own = (await self._asker.ask(rewrite)).verdict
                offline = await in_thread(partial(_label, self._offline, rewrite), name="check")
                checks = {"own_check": own.label if own else None, "offline_check": offline}
                outcome = outcome.model_copy(update=checks)
        self._kept.add(outcome)
        self._note(outcome)
        self._answered(1)
        if self._count >= self._hopeless_after and not self._verdicts:
            raise self._hopeless(answer.reason or "")
        return outcome

    def _note(self, outcome: Outcome) -> None:
        self._count += 1
        self._verdicts += outcome.verdict is not None

    def _hopeless(self, why: str) -> EvaluationError:
        none = f"None of the first {self._count} messages" if self._count > 1 else "No message"
        return EvaluationError(f"{none} got a verdict, so the rest was not asked. {why}")


def _label(model: LoadedModel, draft: Draft) -> Label | None:
    try:
        return model.check(draft).label
    except ModelError:
        return None
