"""Asking many messages, going on after a stop, and scorers that can't be gamed by failing."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from bot.evaluation.asking import HOPELESS, EvaluationError, ask
from bot.evaluation.examples import Example, read_examples
from bot.evaluation.kept_answers import KeptAnswers
from bot.evaluation.registry import Registry
from bot.evaluation.runs import MEASURES, Measure, record
from bot.evaluation.scorecard import Outcome, score
from bot.evaluation.subject import Subject, subject
from bot.model.loading import LoadedModel, Source, load_offline
from bot.verdict import Draft, Label, Verdict
from tests.fakes import FakeOpenAI, Reply, verdict
from tests.labelled import FINE, REWRITES, STINGS, judge, write_examples


@pytest.fixture
def examples(tmp_path: Path) -> tuple[Example, ...]:
    return read_examples(write_examples(tmp_path / "messages.csv"))


@pytest.fixture
def offline(cache_dir: Path) -> LoadedModel:
    return load_offline(cache_dir)


@pytest.fixture
def offline_subject(mlflow_store: str, cache_dir: Path) -> Subject:
    return subject(Source("offline", None, "nothing is set"), Registry(mlflow_store), cache_dir)


@pytest.fixture
def kept(offline_subject: Subject, tmp_path: Path) -> KeptAnswers:
    return KeptAnswers(tmp_path / "kept", offline_subject, "")


def outcome(example: Example, code: str | None = None) -> Outcome:
    said = None if code else Verdict(label=example.label, rewrite=REWRITES.get(example.text))
    return Outcome(example=example, verdict=said, error=code, latency_ms=12.5)


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
    with pytest.raises(EvaluationError, match=f"None of the first {HOPELESS} messages.*OPENAI_API_KEY"):
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


def test_kept_outcomes_survive_a_line_cut_short_and_belong_to_their_labels(
    kept: KeptAnswers, examples: tuple[Example, ...]
) -> None:
    kept.add(outcome(examples[0]))
    kept.add(outcome(examples[1], "unreadable"))
    with kept.path.open("a") as file:
        file.write(json.dumps({"example": "0"}) + '\n[]\n{"example": "ab')
    assert kept.read(examples) == [outcome(examples[0]), outcome(examples[1], "unreadable")]
    relabelled = [each.model_copy(update={"label": Label.GOOD}) for each in examples]
    assert kept.read(relabelled[:2]) == []


@pytest.mark.parametrize("code", ["unavailable", "misconfigured", "failed"])
def test_an_error_of_the_moment_is_asked_again(kept: KeptAnswers, examples: tuple[Example, ...], code: str) -> None:
    kept.add(outcome(examples[0], code))
    assert kept.read(examples) == []


def test_the_messages_are_not_in_what_is_kept(kept: KeptAnswers, examples: tuple[Example, ...]) -> None:
    for each in examples:
        kept.add(outcome(each))
    assert not any(text in kept.path.read_text() for text in STINGS + FINE)
    assert kept.path.stat().st_mode & 0o077 == 0
    kept.delete()
    kept.delete()
    assert not kept.path.exists()


def test_a_folder_that_cannot_be_written_only_costs_going_on(
    offline_subject: Subject, examples: tuple[Example, ...], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    blocked = KeptAnswers(tmp_path / "file", offline_subject, "")
    blocked.add(outcome(examples[0]))
    assert blocked.read(examples) == []
    blocked.delete()


def test_another_server_behind_the_same_model_begins_anew(offline_subject: Subject, tmp_path: Path) -> None:
    paths = {KeptAnswers(tmp_path, offline_subject, server).path for server in ("", "http://one/v1", "http://two/v1")}
    assert len(paths) == 3


class Broken(LoadedModel):
    def __init__(self) -> None:
        self.name, self.version, self.offline = "broken", None, False

    def check(self, draft: Draft) -> Verdict:
        raise ZeroDivisionError


def test_a_bug_in_a_model_surfaces(offline: LoadedModel, kept: KeptAnswers, examples: tuple[Example, ...]) -> None:
    with pytest.raises(ZeroDivisionError):
        ask(Broken(), offline, examples, kept=kept)


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


def test_the_evaluation_of_one_row_at_a_time_leaves_no_thread_asking(
    offline: LoadedModel, kept: KeptAnswers, examples: tuple[Example, ...]
) -> None:
    ask(offline, offline, examples, kept=kept, concurrency=2)
    for thread in threading.enumerate():
        if thread.name == "evaluate":
            thread.join(10)
            assert not thread.is_alive()
