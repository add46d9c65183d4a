"""`angel screen`, through click's runner and as a process."""

import contextlib
import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot import cli
from bot.bulk import DEAD_ROWS
from bot.verdict import UNREAD_SENTENCE
from tests.fakes import FakeOpenAI, Reply, error, verdict
from tests.processes import HANG, ROOT, start


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, cache_dir: Path) -> None:
    monkeypatch.setenv("ANGEL_CACHE_DIR", str(cache_dir))


def screen(*arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(cli.angel, ["screen", *arguments], input=input, standalone_mode=False)


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def messages(count: int, path: Path) -> Path:
    path.write_text("id,text\n" + "".join(f"{n},message {n}{' idiot' * (n % 3 == 0)}\n" for n in range(1, count + 1)))
    return path


@contextlib.contextmanager
def stuck_at(draft: str, server: FakeOpenAI) -> Iterator[threading.Event]:
    """The server answers no more once it is asked about this draft, which sets the event."""
    reached, gate = threading.Event(), threading.Event()

    def judge(asked: str) -> str:
        if asked == draft and not reached.is_set():
            reached.set()
            gate.wait(HANG)
        return verdict("good")

    server.judge = judge
    yield reached
    gate.set()


def test_every_row_of_a_csv_gets_its_verdict_beside_its_own_columns(openai_server: FakeOpenAI, tmp_path: Path) -> None:
    result = screen(str(messages(9, tmp_path / "m.csv")), "--tone", "brief", "--context", "to my boss")
    assert result.return_value == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "m.screened.csv").read_text(encoding="utf-8"))))
    assert [(row["row"], row["id"], row["verdict"]) for row in rows][:3] == [
        ("1", "1", "good"), ("2", "2", "good"), ("3", "3", "caution"),
    ]  # fmt: skip
    assert rows[2]["rewrite"] == "message 3 genius"
    assert json.loads(openai_server.requests[0]["messages"][1]["content"]) == {"tone": "brief", "context": "to my boss"}
    assert "9 rows" in result.stderr
    assert "6 good, 3 caution, 0 not checked." in result.stderr
    assert "What stings: insult 3." in result.stderr
    assert "offline" not in result.stderr


@pytest.mark.parametrize(
    ("name", "arguments", "out"),
    [
        ("m.txt", (), "m.screened.jsonl"),
        ("m.jsonl", (), "m.screened.jsonl"),
        ("m.log", ("--format", "text"), "m.screened.jsonl"),
        ("m.txt", ("--out", "there.csv"), "there.csv"),
    ],
)
def test_the_verdicts_stand_beside_the_file_or_where_out_says(name: str, arguments: tuple[str, ...], out: str) -> None:
    Path(name).write_text('{"text": "hi"}\n')
    assert screen(name, *arguments).return_value == 0
    assert sorted(path.name for path in Path().iterdir()) == sorted([name, out])


def test_a_pipe_goes_through(tmp_path: Path) -> None:
    result = screen("-", input="hi\nyou idiot\n")
    assert [json.loads(line)["verdict"] for line in result.stdout.splitlines()] == ["good", "caution"]
    assert "Answered by the offline check." in result.stderr
    assert list(csv.reader(io.StringIO(screen("-", "--format", "csv", input="text\nhi\n").stdout)))[1][2] == "good"
    assert not list(tmp_path.iterdir())


def test_bad_rows_are_reported_with_their_numbers_and_exit_with_1() -> None:
    Path("m.jsonl").write_text('{"text": "hi"}\nbroken\n{"text": ""}\n')
    result = screen("m.jsonl")
    assert result.return_value == 1
    assert "Row 2 was not checked. This line is neither" in result.stderr
    assert "Row 3 was not checked. There is nothing to read" in result.stderr
    assert [row["error"] for row in rows_of(Path("m.screened.jsonl"))] == [None, "row", "draft"]


def test_a_row_in_another_language_is_written_as_unread_and_counts_as_not_checked() -> None:
    Path("m.txt").write_text("hi\nEres un imbécil.\n", encoding="utf-8")
    result = screen("m.txt")
    assert result.return_value == 1
    assert "1 good, 0 caution, 1 not checked." in result.stderr
    assert f"Row 2 was not checked. {UNREAD_SENTENCE}" in result.stderr
    row = rows_of(Path("m.screened.jsonl"))[1]
    assert (row["verdict"], row["sentence"], row["error"]) == ("unread", UNREAD_SENTENCE, None)


def test_a_rate_limit_is_waited_for(openai_server: FakeOpenAI) -> None:
    """The model waits as Retry-After asks where that is soon, the run where it is not."""
    openai_server.replies.append(error(429, "rate_limit_exceeded", retry_after="0.01"))
    openai_server.replies.append(error(429, "rate_limit_exceeded", retry_after="30"))
    Path("m.txt").write_text("one\ntwo\nthree\n")
    result = screen("m.txt", "--concurrency", "1")
    assert result.return_value == 0
    assert [(row["verdict"], row["offline"]) for row in rows_of(Path("m.screened.jsonl"))] == [("good", False)] * 3
    assert sorted(openai_server.drafts()) == ["one", "one", "one", "three", "two"]


def test_what_the_chat_model_declines_is_not_answered_offline(openai_server: FakeOpenAI) -> None:
    openai_server.replies.append(Reply("", refusal="I'd rather not."))
    Path("m.txt").write_text("you idiot\nhi\n")
    result = screen("m.txt", "--concurrency", "1")
    assert result.return_value == 1
    (declined, good) = rows_of(Path("m.screened.jsonl"))
    assert (declined["verdict"], declined["error"], good["verdict"]) == (None, "refused", "good")
    assert "declined to read this draft" in declined["reason"]


def test_a_wrong_key_stops_the_run_and_the_same_command_goes_on(openai_server: FakeOpenAI) -> None:
    messages(100, Path("m.csv"))
    openai_server.key = "sk-other"
    child = start("screen", "m.csv")
    _, err = child.communicate(timeout=HANG)
    assert child.returncode == 2
    assert err.decode().splitlines() == [
        "angel: The chat model's server refused the key. Check OPENAI_API_KEY.",
        "Stopped before the first row was answered. The same command goes on from there.",
    ]
    assert DEAD_ROWS <= len(openai_server.requests) < 60
    openai_server.key = None
    assert screen("m.csv").return_value == 0
    assert len(Path("m.screened.csv").read_bytes().splitlines()) == 101


def test_ctrl_c_says_how_to_go_on_and_the_same_command_does(openai_server: FakeOpenAI) -> None:
    messages(20, Path("m.csv"))
    with stuck_at("message 6 idiot", openai_server) as reached:
        child = start("screen", "m.csv", "--concurrency", "1", "--out", "out.jsonl")
        assert reached.wait(HANG)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=HANG)
    assert (child.returncode, out) == (130, b"")
    assert err.decode().splitlines() == ["Stopped after row 5. The same command goes on from there."]
    result = screen("m.csv", "--concurrency", "1", "--out", "out.jsonl")
    assert (result.return_value, "(5 were there from before)" in result.stderr) == (0, True)
    assert [row["row"] for row in rows_of(Path("out.jsonl"))] == list(range(1, 21))
    again = screen("m.csv", "--out", "out.jsonl")
    assert "--restart" in str(again.exception)


def test_a_killed_run_loses_nothing_that_was_answered(openai_server: FakeOpenAI) -> None:
    messages(20, Path("m.csv"))
    with stuck_at("message 6 idiot", openai_server) as reached:
        child = start("screen", "m.csv", "--concurrency", "1", "--out", "out.jsonl")
        assert reached.wait(HANG)
        child.kill()
        child.communicate(timeout=HANG)
    assert [row["row"] for row in rows_of(Path("out.jsonl"))] == [1, 2, 3, 4, 5]
    assert screen("m.csv", "--concurrency", "1", "--out", "out.jsonl").return_value == 0
    assert openai_server.drafts().count("message 5") == 1


def test_ctrl_c_ends_a_run_that_waits_for_a_pipe(openai_server: FakeOpenAI) -> None:
    child = start("screen", "-", stdin=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(b"hi\n")
    child.stdin.flush()
    assert json.loads(child.stdout.readline())["verdict"] == "good"  # answered while the pipe stays open
    child.send_signal(signal.SIGINT)
    assert child.wait(HANG) == 130
    assert child.stderr is not None
    assert child.stderr.read().decode().splitlines() == ["Stopped after row 1."]
    for stream in (child.stdin, child.stdout, child.stderr):
        stream.close()


def test_a_closed_pipe_is_quiet() -> None:
    Path("m.txt").write_text("hi\n" * 5_000)
    command = f"{sys.executable} -m bot screen m.txt --out - | head -1"
    result = subprocess.run(  # noqa: S602 - a pipe is what is tried
        command, shell=True, capture_output=True, timeout=HANG, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False
    )
    assert (len(result.stdout.splitlines()), result.stderr) == (1, b"")


def test_another_input_is_refused_unless_begun_anew() -> None:
    messages(3, Path("m.csv"))
    screen("m.csv")
    Path("m.screened.csv.unfinished").write_text(
        json.dumps({"format": "csv", "column": "text", "tone": "playful", "context": None, "model": "offline"})
    )
    Path("m.csv").write_text("id,text\n1,something else\n")
    assert "another input" in str(screen("m.csv").exception)
    assert "another tone" in str(screen("m.csv", "--tone", "warm").exception)
    assert screen("m.csv", "--restart").return_value == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.csv",), "nowhere.csv"),
        (("m.csv",), "Name one with --column: id, body"),
        (("m.dat",), "--format"),
        (("m.csv", "--column", "body", "--out", "m.csv"), "FILE itself"),
        (("m.csv", "--column", "body", "--out", "out.xlsx"), ".csv or .jsonl"),
        (("m.csv", "--column", "body", "--out", "no/such/folder.csv"), "can't be written"),
        (("m.csv", "--column", "body", "--context", "x" * 501), "501 characters"),
        (("m.csv", "--column", "body", "--model", "nowhere"), "No MLflow model"),
    ],
)
def test_what_cannot_begin_says_so_and_leaves_no_file(arguments: tuple[str, ...], said: str) -> None:
    Path("m.csv").write_text("id,body\n1,x\n")
    Path("m.dat").touch()
    result = screen(*arguments)
    assert said in str(getattr(result.exception, "message", result.exception)) + str(
        getattr(result.exception, "ui_filename", "")
    )
    assert sorted(path.name for path in Path().iterdir()) == ["m.csv", "m.dat"]


def test_a_terminal_gets_a_bar_and_a_pipe_none(openai_server: FakeOpenAI) -> None:
    messages(50, Path("m.csv"))
    shown = _on_a_terminal("screen", "m.csv")
    assert "50 rows" in shown
    assert "━" in shown
    assert "\r" not in screen("m.csv", "--restart").stderr


def _on_a_terminal(*arguments: str) -> str:
    """What `angel` shows on a terminal's standard error."""
    import pty

    ours, theirs = pty.openpty()
    child = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "bot", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLUMNS": "120"},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65_536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert child.wait(30) == 0
    return shown.decode()


def test_no_message_is_logged(openai_server: FakeOpenAI) -> None:
    openai_server.replies.append(Reply("nonsense marmalade"))
    Path("m.txt").write_text("marmalade idiot\n" * 3)
    child = start("-v", "screen", "m.txt")
    out, err = child.communicate(timeout=HANG)
    assert b"check model=gpt-5.4-mini error=unreadable" in err
    assert b"check outcome=caution" in err
    assert b"marmalade" not in out + err
