"""Checks and votes in a real MLflow store, and no text in it."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest

from bot.errors import AngelError
from bot.model import tracing
from bot.model.tracing import Kept, Recorder, Votes, feedback
from bot.verdict import Category, Draft, Fallback, Finding, Label, Tone, Verdict

MARKED = Draft(text="Marmalade, you idiot.", tone=Tone.WARM, context="to Quince")
CAUTION = Verdict(
    label=Label.CAUTION,
    findings=(Finding(category=Category.INSULT, excerpt="Marmalade", reason="Tangerine stings."),),
    rewrite="Clementine, my friend.",
    model="gpt-x",
    version="7",
    input_tokens=10,
    output_tokens=20,
)
WORDS = ("Marmalade", "Quince", "Tangerine", "Clementine", "U123")


def recorded(recorder: Recorder, verdict: Verdict = CAUTION, user: str = "U123") -> str:
    return recorder.check(MARKED, verdict, seconds=0.25, way_in="command", user=user)


def wait_for(seen: Callable[[], object]) -> None:
    """Returns once `seen()` is true: votes come from threads of their own, through a store that tells nobody."""
    until = time.monotonic() + 20
    while not seen():
        assert time.monotonic() < until
        threading.Event().wait(0.05)


def store_bytes(folder: Path) -> bytes:
    """All that MLflow wrote, the write-ahead log too."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_check_is_a_trace_of_numbers_and_labels(mlflow_store: str, tmp_path: Path) -> None:
    recorder = Recorder(mlflow_store, "key")
    name = recorded(recorder)
    recorder.close(20)
    (trace,) = mlflow.search_traces(return_type="list")
    assert trace.info.tags[tracing.CHECK] == name
    assert trace.info.execution_duration == 250
    attributes = trace.data.spans[0].attributes
    assert attributes["label"] == "caution"
    assert attributes["categories"] == ["insult"]
    assert (attributes["model"], attributes["version"], attributes["way_in"]) == ("gpt-x", "7", "command")
    assert (attributes["draft_chars"], attributes["input_tokens"]) == (len(MARKED.text), 10)
    assert len(attributes["user"]) == 16


def test_no_text_and_no_user_is_in_the_store(mlflow_store: str, tmp_path: Path) -> None:
    recorder = Recorder(mlflow_store, "key")
    name = recorded(recorder)
    recorder.vote(name, helpful=True, user="U123")
    recorder.keep_text(name, MARKED.text, user="U123")
    wait_for(lambda: feedback(mlflow_store)[0] == [Votes("gpt-x", "7", 1, 1, 0)])
    recorder.close(20)
    written = store_bytes(tmp_path)
    assert name.encode() in written
    assert not [word for word in WORDS if word.encode() in written]


def test_text_is_kept_only_where_the_operator_and_the_author_say_so(mlflow_store: str, tmp_path: Path) -> None:
    recorder = Recorder(mlflow_store, "key", keeps_text=True)
    unkept, kept = recorded(recorder), recorded(recorder)
    recorder.vote(unkept, helpful=False, user="U123")
    recorder.vote(kept, helpful=False, user="U123")
    recorder.keep_text(kept, MARKED.text, user="U123")
    wait_for(lambda: feedback(mlflow_store)[0] == [Votes("gpt-x", "7", 2, 0, 2)] and feedback(mlflow_store)[1])
    assert feedback(mlflow_store)[1] == [Kept(MARKED.text, Label.CAUTION, False, "gpt-x", "7")]
    assert feedback(mlflow_store)[1][0].likely is Label.GOOD


def test_the_last_vote_of_a_person_counts(mlflow_store: str) -> None:
    recorder = Recorder(mlflow_store, "key")
    name = recorded(recorder)
    recorder.vote(name, helpful=True, user="U123")
    wait_for(lambda: feedback(mlflow_store)[0] == [Votes("gpt-x", "7", 1, 1, 0)])
    recorder.vote(name, helpful=False, user="U123")
    wait_for(lambda: feedback(mlflow_store)[0] == [Votes("gpt-x", "7", 1, 0, 1)])
    recorder.vote(name, helpful=True, user="U456")
    (trace,) = mlflow.search_traces(return_type="list")
    wait_for(lambda: len(votes_on(trace.info.trace_id)) == 2)


def votes_on(trace_id: str) -> list[object]:
    trace = mlflow.get_trace(trace_id)
    return list(trace.info.assessments) if trace else []


def test_the_same_user_is_the_same_hash_under_the_same_key_only(mlflow_store: str) -> None:
    for key, user in (("a", "U1"), ("a", "U1"), ("a", "U2"), ("b", "U1")):
        recorder = Recorder(mlflow_store, key)
        recorded(recorder, user=user)
        recorder.close(20)
    hashes = [trace.data.spans[0].attributes["user"] for trace in mlflow.search_traces(return_type="list")]
    assert len(hashes) == 4
    assert len(set(hashes)) == 3


def test_votes_are_told_by_model_version(mlflow_store: str) -> None:
    recorder = Recorder(mlflow_store, "key")
    offline = Verdict(label=Label.GOOD, model="offline", offline=True, fallback=Fallback.LATE)
    for verdict in (CAUTION, CAUTION, offline):
        recorded(recorder, verdict)
    recorder.close(20)
    assert feedback(mlflow_store)[0] == [Votes("gpt-x", "7", 2, 0, 0), Votes("offline", "", 1, 0, 0)]


def test_mlflow_down_is_neither_felt_nor_waited_for(unused_tcp_port: int) -> None:
    recorder = Recorder(f"http://127.0.0.1:{unused_tcp_port}", "key")
    name = recorded(recorder)
    recorder.vote(name, helpful=True, user="U1")
    recorder.close(20)
    with pytest.raises(AngelError, match="MLFLOW_TRACKING_URI"):
        feedback(f"http://127.0.0.1:{unused_tcp_port}")


def test_what_mlflow_cannot_keep_up_with_is_dropped(mlflow_store: str, caplog: pytest.LogCaptureFixture) -> None:
    recorder = Recorder(mlflow_store, "key")
    gate = threading.Event()

    def hold() -> None:
        gate.wait(20)

    recorder._put(hold)  # the one thread that brings notes to MLflow
    for _ in range(tracing.WAITING + 20):
        recorded(recorder)
    gate.set()
    assert "not keeping up" in caplog.text
