"""Asking about many messages: in order, at a pace, and only about what is new."""

import threading
from collections.abc import Callable

import pytest

from bot.bulk import TRIES, Asker
from bot.evaluation import asking
from bot.evaluation.asking import HOPELESS, EvaluationError
from bot.evaluation.examples import Example, read_examples
from bot.evaluation.kept_answers import KeptAnswers
from bot.evaluation.scorecard import Outcome, score
from bot.model.loading import LoadedModel
from bot.verdict import Draft, Label, Verdict
from tests.evaluation.conftest import outcome
from tests.fakes import FakeOpenAI, Reply, error, verdict
from tests.labelled import REWRITES, judge


def ask(
    model: LoadedModel,
    offline: LoadedModel,
    examples: tuple[Example, ...],
    *,
    kept: KeptAnswers,
    concurrency: int = 16,
    answered: Callable[[int], object] = lambda _: None,
    pause: float = 0.0,
) -> list[Outcome]:
    asker = Asker(model, at_once=concurrency, pause=pause)
    return asking.ask(model, offline, examples, kept=kept, asker=asker, answered=answered)


def test_outcomes_come_in_the_order_of_the_examples(
    openai_server: FakeOpenAI, chat_model: Callable[..., LoadedModel], offline: LoadedModel, kept: KeptAnswers,
    examples: tuple[Example, ...],
) -> None:  # fmt: skip
    openai_server.judge = judge()
    openai_server.replies.append(Reply(verdict("good"), seconds=0.2))  # whoever is first comes back last
    outcomes = ask(chat_model(), offline, examples, kept=kept)
    assert [each.example for each in outcomes] == list(examples)
    assert sum(each.right for each in outcomes) >= len(examples) - 1
    rewritten = [each for each in outcomes if each.rewrite]
    assert {(each.own_check, each.offline_check) for each in rewritten} == {(Label.GOOD, Label.GOOD)}


def test_no_more_are_asked_at_once_than_allowed(
    openai_server: FakeOpenAI, chat_model: Callable[..., LoadedModel], offline: LoadedModel, kept: KeptAnswers,
    examples: tuple[Example, ...],
) -> None:  # fmt: skip
    openai_server.judge = judge()
    openai_server.seconds = 0.02
    ask(chat_model(), offline, examples, kept=kept, concurrency=3)
    assert 1 < openai_server.most_in_flight <= 3


def test_a_rewrite_that_cannot_be_checked_has_not_passed(
    openai_server: FakeOpenAI, chat_model: Callable[..., LoadedModel], offline: LoadedModel, kept: KeptAnswers,
    examples: tuple[Example, ...],
) -> None:  # fmt: skip
    openai_server.judge = lambda draft: "no idea" if draft in REWRITES.values() else judge()(draft)
    outcomes = ask(chat_model(), offline, examples, kept=kept)
    assert {each.own_check for each in outcomes if each.rewrite} == {None}
    assert score(outcomes, model="x").checks["passes_own_check"].count == 0


def test_a_hopeless_model_is_not_asked_everything(
    openai_server: FakeOpenAI, chat_model: Callable[..., LoadedModel], offline: LoadedModel, kept: KeptAnswers
) -> None:
    openai_server.key = "another"
    with pytest.raises(EvaluationError, match=r"None of the first \d+ messages got a verdict.*OPENAI_API_KEY"):
        ask(chat_model(), offline, read_examples(), kept=kept, concurrency=2)
    assert len(openai_server.requests) <= HOPELESS + 2
    assert not kept.path.exists()  # a wrong key says nothing about a message


def test_what_is_kept_is_not_asked_again(
    openai_server: FakeOpenAI, chat_model: Callable[..., LoadedModel], offline: LoadedModel, kept: KeptAnswers,
    examples: tuple[Example, ...],
) -> None:  # fmt: skip
    openai_server.judge = judge()
    for each in examples[:5]:
        kept.add(outcome(each))
    told: list[int] = []
    outcomes = ask(chat_model(), offline, examples, kept=kept, answered=told.append)
    assert [each.latency_ms for each in outcomes[:5]] == [12.5] * 5
    assert not {each.text for each in examples[:5]} & set(openai_server.drafts())
    assert told == [5] + [1] * (len(examples) - 5)


class Broken(LoadedModel):
    def __init__(self) -> None:
        self.name, self.version, self.offline = "broken", None, False

    def check(self, draft: Draft) -> Verdict:
        raise ZeroDivisionError


def test_a_bug_in_a_model_surfaces(offline: LoadedModel, kept: KeptAnswers, examples: tuple[Example, ...]) -> None:
    with pytest.raises(EvaluationError, match="broken failed"):
        ask(Broken(), offline, examples, kept=kept)


def test_the_end_leaves_no_thread_asking(
    offline: LoadedModel, kept: KeptAnswers, examples: tuple[Example, ...]
) -> None:
    ask(offline, offline, examples, kept=kept, concurrency=2)
    for thread in threading.enumerate():
        if thread.name in ("check", "read-ahead"):
            thread.join(10)
            assert not thread.is_alive()


def test_a_rate_limited_message_is_asked_again_and_never_counts_as_missed(
    openai_server: FakeOpenAI, chat_model: Callable[..., LoadedModel], offline: LoadedModel, kept: KeptAnswers,
    examples: tuple[Example, ...],
) -> None:  # fmt: skip
    openai_server.judge = judge()
    # As often as a message is asked about at the most where it is the model that fails. Retry-After asks for longer
    # than the model waits by itself, so each try is one request.
    openai_server.replies.extend([error(429, "rate_limit_exceeded", retry_after="60")] * TRIES)
    card = score(ask(chat_model(), offline, examples, kept=kept, concurrency=1), model="x")
    assert (card.recall.count, card.no_verdict.count, card.errors) == (card.recall.of, 0, {})


def test_a_server_that_limits_everything_for_good_ends_it_and_what_was_said_is_kept(
    openai_server: FakeOpenAI, chat_model: Callable[..., LoadedModel], offline: LoadedModel, kept: KeptAnswers,
    examples: tuple[Example, ...],
) -> None:  # fmt: skip
    openai_server.judge = judge()
    answered = 0

    def count(more: int) -> None:
        nonlocal answered
        answered += more
        if answered == 5:
            openai_server.replies.extend([error(429, "rate_limit_exceeded", retry_after="60")] * 200)

    with pytest.raises(EvaluationError, match=r"stopped answering after .* limits how often.*goes on from there"):
        ask(chat_model(), offline, examples, kept=kept, concurrency=1, answered=count)
    openai_server.replies.clear()
    before = len(openai_server.requests)
    assert len(ask(chat_model(), offline, examples, kept=kept, concurrency=1)) == len(examples)
    asked = openai_server.drafts()[before:]
    assert not {each.example.text for each in kept.read(examples)[:5] if each} & set(asked)


def test_only_what_is_new_is_asked_in_a_second_evaluation(
    openai_server: FakeOpenAI, chat_model: Callable[..., LoadedModel], offline: LoadedModel, kept: KeptAnswers,
    examples: tuple[Example, ...],
) -> None:  # fmt: skip
    openai_server.judge = judge()
    first = ask(chat_model(), offline, examples[:-2], kept=kept)
    before = len(openai_server.requests)
    second = ask(chat_model(), offline, examples, kept=kept)
    assert second[:-2] == first
    assert sorted(openai_server.drafts()[before:]) == sorted(each.text for each in examples[-2:])
