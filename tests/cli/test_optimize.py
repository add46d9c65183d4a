"""`angel model optimize`, whole, on a stand-in that answers well once its instructions name what it should look for."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow.genai
import pytest
from click.testing import CliRunner, Result

from bot import cli
from bot.evaluation.examples import read_examples
from bot.evaluation.optimizing import NEEDS_GEPA, split
from bot.evaluation.prompts import PROMPT
from tests.fakes import FakeOpenAI, draft_of
from tests.labelled import STINGS, judge, write_examples
from tests.processes import HANG, start

BETTER = "Judge kindly, and look for jokes at somebody's cost."

pytestmark = pytest.mark.usefixtures("mlflow_store")


@pytest.fixture(autouse=True)
def _folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANGEL_CACHE_DIR", str(tmp_path / "cache"))
    write_examples(Path("messages.csv"))


@pytest.fixture
def server(openai_server: FakeOpenAI) -> FakeOpenAI:
    """One sting is beyond it, so that there is always more to look for."""

    def answer(asked: dict[str, Any]) -> str:
        knows = any(BETTER in str(message["content"]) for message in asked["messages"])
        return judge(misses=STINGS[:1] if knows else STINGS)(draft_of(asked))

    openai_server.roles = {"gpt-5.4-mini": answer, "gpt-5.4": lambda asked: f"```\n{BETTER}\n```"}
    return openai_server


ARGUMENTS = ("model", "optimize", "--model", "gpt-5.4-mini", "--reflection", "gpt-5.4", "--data", "messages.csv")


def optimize(*arguments: str, said: str | None = None) -> Result:
    return CliRunner().invoke(cli.angel, [*ARGUMENTS, *arguments], standalone_mode=False, input=said)


def versions() -> list[str]:
    """The prompt's, oldest first."""
    found: list[str] = []
    while made := mlflow.genai.load_prompt(f"prompts:/{PROMPT}/{len(found) + 1}", allow_missing=True):
        found.append(str(made.template))
    return found


@pytest.mark.heavy
def test_what_it_costs_is_asked_and_what_is_found_is_evaluated_on_what_it_has_not_seen(server: FakeOpenAI) -> None:
    result = optimize("--budget", "60", said="y\n")
    assert (result.exception, result.return_value) == (None, 0)
    train, held_out = split(read_examples(Path("messages.csv")))
    evaluation = 2 * (len(held_out) + sum(each.text in STINGS for each in held_out))
    assert (
        "At most 60 requests of gpt-5.4-mini and about 10 of gpt-5.4 to search, "
        f"and {evaluation} of gpt-5.4-mini to evaluate what is found. That is about $"
    ) in result.stderr
    assert "Spend it? [y/N]: " in result.stderr
    assert result.stdout.startswith("Prompt 2 scores ")
    assert f"\n+{BETTER}\n" in result.stdout
    assert f"Version 1 is the candidate now. On the {len(held_out)} messages it has not seen:" in result.stdout
    assert f"on {len(held_out)} messages" in result.stdout.split("has not seen:")[1]
    assert "Next: angel model evaluate" in result.stdout
    assert versions()[1:] == [BETTER]
    asked = sum(request["model"] == "gpt-5.4-mini" for request in server.requests)
    assert len(train) < asked <= 60 + evaluation + 1, "and the one that logging a model tries it with"
    reflected = "".join(str(request["messages"]) for request in server.requests if request["model"] == "gpt-5.4")
    assert reflected
    assert not [each.text for each in held_out if each.text in reflected]


@pytest.mark.parametrize(
    ("said", "ended", "told"),
    [("n\n", 1, "Nothing was spent."), ("", None, "Nothing was spent. Where nobody can answer: --yes")],
)
def test_nothing_is_spent_without_a_yes(server: FakeOpenAI, said: str, ended: int | None, told: str) -> None:
    result = optimize(said=said)
    assert result.return_value == ended
    assert told in result.stderr
    assert server.requests == []


def test_a_model_of_unknown_price_is_said_to_be_one(server: FakeOpenAI) -> None:
    assert "look up the prices of gpt-5.4-mini and gpt-x" in optimize("--reflection", "gpt-x", said="n\n").stderr


def test_a_budget_that_can_not_do_is_refused_before_anything_is_asked(server: FakeOpenAI) -> None:
    result = CliRunner().invoke(cli.angel, ["model", "optimize", "--budget", "20"], standalone_mode=False)
    assert "--budget has to be more than that" in str(result.exception)
    assert server.requests == []


def test_without_the_extra_it_is_a_line(server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gepa", None)  # as Python marks what can't be imported
    result = optimize("--yes")
    assert str(result.exception) == NEEDS_GEPA
    assert (result.output, server.requests) == ("", [])


def interrupted(server: FakeOpenAI, model: str, turn: int) -> tuple[int, str, str]:
    """How it ends when Ctrl-C comes while `model` is asked for the `turn`-th time: exit code, output and errors."""
    child: list[subprocess.Popen[bytes]] = []
    said: Callable[[dict[str, Any]], str] = server.roles[model]
    asked = 0

    def answer(request: dict[str, Any]) -> str:
        nonlocal asked
        asked += 1
        if asked == turn:
            child[0].send_signal(signal.SIGINT)
        return said(request)

    server.roles[model] = answer
    child.append(start(*ARGUMENTS, "--yes", "--budget", "200"))
    out, err = child[0].communicate(timeout=HANG)
    assert b"Traceback" not in err
    return child[0].returncode, out.decode(), err.decode()


@pytest.mark.heavy
def test_ctrl_c_keeps_what_was_found_and_evaluates_it(server: FakeOpenAI) -> None:
    code, out, err = interrupted(server, "gpt-5.4", turn=2)
    assert code == 0, err
    assert "Stopped. The best that was found is kept." in err
    assert "Version 1 is the candidate now." in out
    assert versions()[1:] == [BETTER]


@pytest.mark.heavy
def test_ctrl_c_before_anything_is_found_is_a_line(server: FakeOpenAI) -> None:
    code, out, err = interrupted(server, "gpt-5.4", turn=1)
    assert (code, out) == (130, "")
    assert "Nothing better than prompt 1 was found until then, and nothing is changed." in err
    assert len(versions()) == 1
