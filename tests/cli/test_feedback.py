"""`angel model feedback`, on the votes in a real MLflow store."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli.model.feedback import feedback
from bot.errors import AngelError
from bot.evaluation.examples import COLUMNS, read_examples
from bot.evaluation.feedback import GivenText, Votes
from bot.evaluation.feedback import feedback as read_feedback
from bot.evaluation.recorder import Recorder
from bot.verdict import Draft, Label, Verdict
from tests.evaluation.test_recorder import wait_for

CAUTION = Verdict(label=Label.CAUTION, rewrite="Sure!", model="gpt-x", version="7")
GOOD = Verdict(label=Label.GOOD, model="offline")
HEADING = "model\tversion\tchecks\t👍\t👎\thelpful"

pytestmark = pytest.mark.xdist_group("store")  # which is made once for each worker, and takes seconds


@pytest.fixture
def recorder(recorder_of: Callable[..., Recorder]) -> Recorder:
    return recorder_of(keeps_text=True)


def checked(recorder: Recorder, verdict: Verdict, helpful: bool | None = None, text: str | None = None) -> None:
    name = recorder.check(Draft(text="Fine."), verdict, seconds=0.1, way_in="command", user="U1")
    if helpful is not None:
        recorder.vote(name, helpful=helpful, user="U1")
    if text is not None:
        recorder.keep_text(name, text, user="U1")


def stored(store: str, seen: Callable[[list[Votes], list[GivenText]], bool]) -> None:
    wait_for(lambda: seen(*read_feedback(store)))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(feedback, arguments, catch_exceptions=False)


def test_votes_are_counted_by_model_and_version(recorder: Recorder, mlflow_store: str) -> None:
    for helpful in (True, True, False, None):
        checked(recorder, CAUTION, helpful)
    checked(recorder, GOOD)
    stored(mlflow_store, lambda votes, _: [each.checks for each in votes] == [4, 1] and votes[0].unhelpful == 1)
    stored(mlflow_store, lambda votes, _: votes[0].helpful == 2)

    result = run()

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [HEADING, "gpt-x\t7\t4\t2\t1\t66.7 % of 3", "offline\t-\t1\t0\t0\t-"]


def test_no_checks_are_said_to_be_none(recorder: Recorder) -> None:
    result = run()

    assert (result.exit_code, result.stdout) == (0, "")
    assert "ANGEL_TRACING=on" in result.stderr


def test_given_texts_become_rows_to_review(recorder: Recorder, mlflow_store: str, tmp_path: Path) -> None:
    checked(recorder, CAUTION, False, 'Fine, "do" it,\nthen.')
    checked(recorder, CAUTION, True, "You fool.")
    stored(mlflow_store, lambda votes, kept: len(kept) == 2 and votes[0].helpful + votes[0].unhelpful == 2)

    result = run("--rows", str(tmp_path / "rows.csv"))

    assert "2 texts to review" in result.stderr
    assert (tmp_path / "rows.csv").read_text().splitlines()[0] == ",".join(COLUMNS)
    rows = {each.text: each for each in read_examples(tmp_path / "rows.csv")}
    assert {text: row.label for text, row in rows.items()} == {
        'Fine, "do" it,\nthen.': Label.GOOD,
        "You fool.": Label.CAUTION,
    }
    assert rows["You fool."].why == "From a vote, to be reviewed: gpt-x 7 said caution, the author said 👍."


def test_a_file_that_is_there_is_left_alone(recorder: Recorder, mlflow_store: str, tmp_path: Path) -> None:
    checked(recorder, CAUTION, False, "Fine.")
    stored(mlflow_store, lambda _, kept: len(kept) == 1)
    (tmp_path / "rows.csv").write_text("mine")

    with pytest.raises(AngelError, match="Name another file"):
        run("--rows", str(tmp_path / "rows.csv"))

    assert (tmp_path / "rows.csv").read_text() == "mine"


def test_no_texts_are_said_to_be_none_and_why(recorder: Recorder, mlflow_store: str, tmp_path: Path) -> None:
    checked(recorder, CAUTION, False)
    stored(mlflow_store, lambda votes, _: bool(votes) and votes[0].unhelpful == 1)

    result = run("--rows", str(tmp_path / "rows.csv"))

    assert result.exit_code == 0
    assert "ANGEL_TRACE_TEXT=on" in result.stderr
    assert not (tmp_path / "rows.csv").exists()


def test_a_folder_that_is_not_there_is_said(recorder: Recorder, mlflow_store: str, tmp_path: Path) -> None:
    checked(recorder, CAUTION, False, "Fine.")
    stored(mlflow_store, lambda _, kept: len(kept) == 1)

    with pytest.raises(AngelError, match="could not be written"):
        run("--rows", str(tmp_path / "nowhere" / "rows.csv"))


def test_an_mlflow_that_is_down_is_said(unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{unused_tcp_port}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(AngelError, match="MLFLOW_TRACKING_URI"):
        run()
