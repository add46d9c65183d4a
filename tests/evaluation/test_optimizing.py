"""GEPA, run whole on a stand-in that answers well once the instructions name what it should look for."""

import json
from typing import Any

import pytest

from bot.evaluation import optimizing, prompts
from bot.evaluation.examples import read_examples
from bot.evaluation.optimizing import OptimizeError, optimize, split, worth
from bot.evaluation.registry import Registry
from bot.model import chat
from tests.evaluation.conftest import outcome
from tests.fakes import FakeOpenAI, draft_of, verdict
from tests.labelled import REWRITES, STINGS, write_examples

BETTER = "Judge kindly, and look for jokes at somebody's cost."


def answering(asked: dict[str, Any]) -> str:
    """A chat model that knows a sting only where its instructions say what one is."""
    draft = draft_of(asked)
    knows = any(BETTER in str(message["content"]) for message in asked["messages"])
    return verdict("caution", REWRITES[draft]) if draft in STINGS and knows else verdict("good")


@pytest.fixture
def chat_server(openai_server: FakeOpenAI) -> FakeOpenAI:
    openai_server.roles["gpt-x"] = answering
    openai_server.roles["reflect-x"] = lambda asked: f"```\n{BETTER}\n```"
    return openai_server


def run(store: str, *, budget: int = 200, **how: Any) -> optimizing.Found:
    start = Registry(store).prompt(None, "Judge.")
    examples = read_examples(write_examples_here())
    return optimize(
        start, chat.config("gpt-x"), examples, tracking_uri=store, reflection_model="reflect-x", budget=budget, **how
    )


def write_examples_here() -> Any:
    from pathlib import Path

    return write_examples(Path("messages.csv"))


def test_better_instructions_become_a_version_of_the_prompt(chat_server: FakeOpenAI, mlflow_store: str) -> None:
    seen: list[int] = []
    found = run(mlflow_store, spent=lambda requests, best: seen.append(requests))
    assert (found.prompt.version, found.prompt.instructions) == (2, BETTER)
    assert found.before < found.after
    asked = [request for request in chat_server.requests if request["model"] == "gpt-x"]
    assert len(asked) == found.requests <= 200
    assert seen == sorted(seen)
    assert seen[-1] == found.requests
    assert prompts.chosen(None).version == 2


def test_the_budget_is_never_exceeded(chat_server: FakeOpenAI, mlflow_store: str) -> None:
    with pytest.raises(OptimizeError, match=r"Nothing better than prompt 1 was found in 1[5-8] requests"):
        run(mlflow_store, budget=20)
    assert sum(request["model"] == "gpt-x" for request in chat_server.requests) <= 20


def test_ctrl_c_keeps_what_was_found(chat_server: FakeOpenAI, mlflow_store: str) -> None:
    chat_server.roles["gpt-x"] = lambda asked: (
        verdict("good") if draft_of(asked) == STINGS[0] else answering(asked)  # so that there is more to look for
    )

    def spent(requests: int, best: float) -> None:
        if best > 0.8:
            raise KeyboardInterrupt

    found = run(mlflow_store, budget=500, spent=spent)
    assert found.stopped
    assert found.prompt.instructions == BETTER


def test_instructions_with_placeholders_are_not_taken(chat_server: FakeOpenAI, mlflow_store: str) -> None:
    chat_server.roles["reflect-x"] = lambda asked: f"```\n{BETTER} Judge {{{{draft}}}}.\n```"
    with pytest.raises(OptimizeError, match="Nothing better"):
        run(mlflow_store, budget=60)


def test_the_parts_are_apart_and_the_same_in_every_run() -> None:
    examples = read_examples()
    train, held_out = split(examples)
    assert not set(train) & set(held_out)
    assert set(train) | set(held_out) == set(examples)
    assert 0.5 < len(train) / len(examples) < 0.7
    assert split(list(reversed(examples)))[0] == list(reversed(train))


def test_worth_is_the_verdict_and_the_rewrite() -> None:
    sting, fine = (read_examples(write_examples_here())[place] for place in (0, -1))
    right = outcome(sting)
    assert worth(outcome(fine)) == worth(right) == 1
    assert worth(outcome(sting, "unreadable")) == 0
    assert right.verdict is not None
    bare = right.model_copy(update={"verdict": right.verdict.model_copy(update={"rewrite": None})})
    same = right.model_copy(update={"verdict": right.verdict.model_copy(update={"rewrite": sting.text})})
    assert 0 < worth(bare) < worth(same) < 1


def test_without_gepa_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(OptimizeError, match=r"text-message-angel\[optimize\]"):
        optimizing.needs_gepa()


def test_nothing_of_the_instructions_goes_elsewhere(chat_server: FakeOpenAI, mlflow_store: str) -> None:
    run(mlflow_store)
    reflections = [request for request in chat_server.requests if request["model"] == "reflect-x"]
    assert reflections
    assert any("Judge." in json.dumps(request["messages"]) for request in reflections)
