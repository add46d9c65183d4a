"""`angel model examples`, and the commands that go by a dataset in MLflow: `--data datasets:/NAME`."""

from pathlib import Path

import pytest

from bot.evaluation.examples import read_examples
from tests.cli.test_model import aliases, client, done, model, refused, value_of
from tests.fakes import FakeOpenAI
from tests.labelled import FINE, STINGS, judge, write_examples

pytestmark = pytest.mark.usefixtures("mlflow_store")

MINE = "datasets:/mine"


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANGEL_CACHE_DIR", str(tmp_path / "cache"))


@pytest.mark.heavy
def test_reviewed_rows_become_a_dataset_that_the_gate_goes_by(openai_server: FakeOpenAI) -> None:
    openai_server.judge = judge()
    done("log", "--model", "gpt-x")
    first = done("examples", str(write_examples(Path("first.csv"), stings=6)), "--into", "mine")
    assert first.stdout == (f"12 new, 0 changed: mine has 12 examples now.\nNext: angel model evaluate --data {MINE}\n")
    more = done("examples", str(write_examples(Path("more.csv"), fine=1)), "--into", "mine")
    assert "2 new, 7 changed: mine has 14 examples now." in more.stdout

    openai_server.requests.clear()
    result = done("evaluate", "--data", MINE)
    assert {*STINGS, *FINE} <= set(openai_server.drafts())
    assert f"Next: it passes the gate, so: angel model promote 1 --data {MINE}" in result.stdout
    run = client().get_run(value_of(result.stdout, "run"))
    assert run.inputs is not None
    assert [each.dataset.name for each in run.inputs.dataset_inputs] == ["mine"]
    assert run.data.params["data"] == MINE

    assert model("promote").return_value == 1, "the examples that come with Angel are others"
    done("promote", "--data", MINE)
    assert aliases()["champion"] == "1"
    assert done("list", "--data", MINE).stdout.splitlines()[1].split("\t")[7] == "yes"


def test_without_a_name_they_join_the_examples_that_come_with_angel(openai_server: FakeOpenAI) -> None:
    write_examples(Path("reviewed.csv"), stings=1, fine=0)
    result = done("examples", "reviewed.csv")
    total = len(read_examples()) + 1
    assert f"1 new, 0 changed: text-message-angel-examples has {total} examples now." in result.stdout
    assert "1 changed" in done("examples", "reviewed.csv").stdout


def test_what_is_no_dataset_and_no_file_of_examples_is_a_line(openai_server: FakeOpenAI) -> None:
    assert "There is no dataset theirs" in refused("evaluate", "--data", "datasets:/theirs")
    Path("wrong.csv").write_text("message,verdict\nhello,good\n")
    assert "no column `text`" in refused("examples", "wrong.csv", "--into", "mine")
    assert "There is no dataset mine" in refused("promote", "--data", MINE)
    assert openai_server.requests == []
