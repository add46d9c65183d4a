"""Checks and votes in a real MLflow store, and no text in it."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest

from bot.errors import AngelError
from bot.evaluation.feedback import GivenText, Votes, feedback
from bot.evaluation.recorder import WAITING, Recorder
from bot.evaluation.registry import Registry
from bot.evaluation.traces import CHECK
from bot.model import chat
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


Recorders = Callable[..., Recorder]


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


def test_a_check_is_a_trace_of_numbers_and_labels(recorder_of: Recorders) -> None:
    recorder = recorder_of()
    name = recorded(recorder)
    recorder.close(20)
    (trace,) = mlflow.search_traces(return_type="list")
    assert trace.info.tags[CHECK] == name
    assert trace.info.execution_duration == 250
    attributes = trace.data.spans[0].attributes
    assert attributes["label"] == "caution"
    assert attributes["categories"] == ["insult"]
    assert (attributes["model"], attributes["version"], attributes["way_in"]) == ("gpt-x", "7", "command")
    assert attributes["draft_chars"] == len(MARKED.text)


def test_mlflows_own_keys_are_set_where_it_has_one(recorder_of: Recorders, mlflow_store: str) -> None:
    registry = Registry(mlflow_store)
    registry.log(chat.config("gpt-x"))
    recorder = recorder_of()
    recorded(recorder, CAUTION.model_copy(update={"version": "1"}))
    recorder.close(20)
    (trace,) = mlflow.search_traces(return_type="list")
    metadata, span = trace.info.trace_metadata, trace.data.spans[0]
    assert len(metadata["mlflow.trace.user"]) == 16
    assert trace.info.token_usage == {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30}
    assert (span.span_type, span.attributes["mlflow.llm.model"]) == ("CHAT_MODEL", "gpt-x")
    logged = mlflow.get_logged_model(metadata["mlflow.modelId"])
    assert logged.name == "gpt-x-prompt-1"
    by_user = f"metadata.`mlflow.trace.user` = '{metadata['mlflow.trace.user']}'"
    assert len(mlflow.search_traces(filter_string=by_user, return_type="list")) == 1


def test_no_text_and_no_user_is_in_the_store(recorder_of: Recorders, mlflow_store: str, tmp_path: Path) -> None:
    recorder = recorder_of()
    name = recorded(recorder)
    recorder.vote(name, helpful=True, user="U123")
    recorder.keep_text(name, MARKED.text, user="U123")
    recorder.close(20)
    assert feedback(mlflow_store)[0] == [Votes("gpt-x", "7", 1, 1, 0)]
    written = store_bytes(tmp_path)
    assert name.encode() in written
    assert not [word for word in WORDS if word.encode() in written]


def test_text_is_kept_only_where_the_operator_and_the_author_say_so(recorder_of: Recorders, mlflow_store: str) -> None:
    recorder = recorder_of(keeps_text=True)
    unkept, kept = recorded(recorder), recorded(recorder)
    recorder.vote(unkept, helpful=False, user="U123")
    recorder.vote(kept, helpful=False, user="U123")
    recorder.keep_text(kept, MARKED.text, user="U123")
    recorder.close(20)
    votes, texts = feedback(mlflow_store)
    assert votes == [Votes("gpt-x", "7", 2, 0, 2)]
    assert texts == [GivenText(MARKED.text, Label.CAUTION, False, "gpt-x", "7")]
    assert texts[0].likely is Label.GOOD


def test_a_vote_is_there_soon_and_not_only_at_the_end(recorder_of: Recorders, mlflow_store: str) -> None:
    recorder = recorder_of()
    recorder.vote(recorded(recorder), helpful=True, user="U123")
    wait_for(lambda: feedback(mlflow_store)[0] == [Votes("gpt-x", "7", 1, 1, 0)])


def test_the_last_vote_of_a_person_counts(recorder_of: Recorders, mlflow_store: str) -> None:
    recorder = recorder_of()
    name = recorded(recorder)
    recorder.vote(name, helpful=True, user="U123")
    wait_for(lambda: feedback(mlflow_store)[0] == [Votes("gpt-x", "7", 1, 1, 0)])
    recorder.vote(name, helpful=True, user="U123")
    recorder.vote(name, helpful=False, user="U123")
    recorder.vote(name, helpful=True, user="U456")
    recorder.close(20)
    (trace,) = mlflow.search_traces(return_type="list")
    said = {each.source.source_id: each.feedback.value for each in trace.info.assessments if each.feedback}
    assert (len(trace.info.assessments), sorted(said.values())) == (2, [False, True])


def test_a_vote_on_an_unknown_check_is_given_up_in_the_end(
    recorder_of: Recorders, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.evaluation.recorder.VOTE_SECONDS", 0.0)
    recorder = recorder_of()
    recorder.vote("nobody's", helpful=True, user="U123")
    wait_for(lambda: "a vote was lost" in caplog.text)


def test_the_same_user_is_the_same_hash_under_the_same_key_only(recorder_of: Recorders) -> None:
    for key, user in (("a", "U1"), ("a", "U1"), ("a", "U2"), ("b", "U1")):
        recorder = recorder_of(key=key)
        recorded(recorder, user=user)
        recorder.close(20)
    hashes = [trace.info.trace_metadata["mlflow.trace.user"] for trace in mlflow.search_traces(return_type="list")]
    assert len(hashes) == 4
    assert len(set(hashes)) == 3


def test_votes_are_told_by_model_version(recorder_of: Recorders, mlflow_store: str) -> None:
    recorder = recorder_of()
    offline = Verdict(label=Label.GOOD, model="offline", offline=True, fallback=Fallback.LATE)
    for verdict in (CAUTION, CAUTION, offline):
        recorded(recorder, verdict)
    recorder.close(20)
    assert feedback(mlflow_store)[0] == [Votes("gpt-x", "7", 2, 0, 0), Votes("offline", "", 1, 0, 0)]


def test_mlflow_down_is_neither_felt_nor_waited_for(
    recorder_of: Recorders, unused_tcp_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = recorder_of(f"http://127.0.0.1:{unused_tcp_port}")
    name = recorded(recorder)
    recorder.vote(name, helpful=True, user="U1")
    recorder.close(20)
    assert "did not take the last traces and votes" in caplog.text
    with pytest.raises(AngelError, match="MLFLOW_TRACKING_URI"):
        feedback(f"http://127.0.0.1:{unused_tcp_port}")


def test_what_mlflow_cannot_keep_up_with_is_dropped(recorder_of: Recorders, caplog: pytest.LogCaptureFixture) -> None:
    recorder = recorder_of()
    gate = threading.Event()

    def hold() -> None:
        gate.wait(20)

    recorder._put(hold)  # the one thread that brings notes to MLflow
    for _ in range(WAITING + 20):
        recorded(recorder)
    assert "not keeping up" in caplog.text
    recorder.close(0)
    assert "did not take the last traces and votes" in caplog.text
    gate.set()
