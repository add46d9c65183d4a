"""What a person gets while the chat model's server, MLflow or the disk is in trouble: the table in BENCHMARKS.md."""

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.health import DOWN_AFTER
from bot.model.loading import LoadedModel, load_offline
from bot.screener import Screener
from bot.verdict import Draft, Fallback, Label
from tests.fakes import FakeOpenAI, Reply, error
from tests.processes import ROOT, start

DRAFT = Draft(text="As per my last email, you idiot.")
SOON = 5.0
"""Seconds: a deadline that a working server does not miss and a hanging one does."""

# The trouble, for as many tries as there are; why the offline check answered, None where the model did all the same.
FAULTS: dict[str, tuple[list[Reply], Fallback | None]] = {
    "refuses to read it": ([Reply(None, refusal="No.")], Fallback.REFUSED),
    "refuses the key": ([error(401, "invalid_api_key")], Fallback.MISCONFIGURED),
    "hangs": ([Reply(hang=True)], Fallback.LATE),
    "drips": ([Reply(trickle=True)], Fallback.LATE),
    "429 once, with Retry-After": ([error(429, "rate_limit_exceeded", retry_after="0")], None),
    "429 once, without": ([error(429, "rate_limit_exceeded")], None),
    "429, Retry-After beyond the deadline": (
        [error(429, "rate_limit_exceeded", retry_after="60")],
        Fallback.RATE_LIMITED,
    ),
    "429 for good": ([error(429, "rate_limit_exceeded", retry_after="0")] * 9, Fallback.RATE_LIMITED),
    "500 once": ([error(500, "server_error", retry_after="0")], None),
    "500 for good": ([error(500, "server_error", retry_after="0")] * 9, Fallback.UNAVAILABLE),
    "drops the line once": ([Reply(drop=True)], None),
    "drops the line for good": ([Reply(drop=True)] * 9, Fallback.UNAVAILABLE),
    "resets in the middle of an answer, once": ([Reply(reset=True)], None),
    "resets in the middle of an answer, for good": ([Reply(reset=True)] * 9, Fallback.UNAVAILABLE),
    "broken JSON": ([Reply(body=b'{"choices": [')], Fallback.MISCONFIGURED),
    "an answer in prose": ([Reply("Well, it depends.")], Fallback.UNREADABLE),
    "cut at the token limit": ([Reply('{"findings": [', finish_reason="length")], Fallback.CUT_OFF),
    "nothing": ([Reply("")], Fallback.EMPTY),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_whatever_the_server_does_there_is_an_answer(
    name: str, openai_server: FakeOpenAI, chat_model: Callable[..., LoadedModel], cache_dir: Path
) -> None:
    replies, why = FAULTS[name]
    screener = Screener(chat_model(), load_offline(cache_dir), deadline=SOON)
    openai_server.replies.extend(replies)
    verdict = await screener.screen(DRAFT)
    assert (verdict.label, verdict.fallback, verdict.offline) == (Label.CAUTION, why, why is not None)
    assert verdict.rewrite or verdict.tip


async def test_a_server_that_is_gone_is_not_waited_for_twice_over(
    chat_model: Callable[..., LoadedModel],
    openai_server: FakeOpenAI,
    cache_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    unused_tcp_port: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{unused_tcp_port}/v1")
    screener = Screener(chat_model(), load_offline(cache_dir), deadline=60)
    verdicts = [await screener.screen(DRAFT) for _ in range(DOWN_AFTER + 3)]
    assert {(verdict.fallback, verdict.label) for verdict in verdicts} == {(Fallback.UNAVAILABLE, Label.CAUTION)}
    assert caplog.text.count("can't be reached") == DOWN_AFTER  # the others were answered without asking it


@asynccontextmanager
async def hanging_server() -> AsyncIterator[str]:
    """The address of a server that takes what is sent and never answers."""
    writers = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.read()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in writers:
            writer.close()


@pytest.mark.parametrize("how", ["down", "hanging"])
async def test_with_mlflow_down_or_hanging_a_worker_serves_all_the_same(
    how: str, cache_dir: Path, unused_tcp_port: int
) -> None:
    async with hanging_server() as hanging:
        worker = await asyncio.to_thread(
            start,
            *("serve", "--http", "--host", "127.0.0.1", "--port", "0"),
            ANGEL_CACHE_DIR=str(cache_dir),
            ANGEL_MODEL_URI="models:/text-message-angel@champion",
            MLFLOW_TRACKING_URI=hanging if how == "hanging" else f"http://127.0.0.1:{unused_tcp_port}",
            SLACK_API_URL=f"http://127.0.0.1:{unused_tcp_port}/api/",
            SLACK_BOT_TOKEN="xoxb-none",  # as it says
            SLACK_SIGNING_SECRET="none",  # as it says
        )
        assert worker.stdout
        said = ""
        while "listening on port" not in said:
            line = await asyncio.to_thread(worker.stdout.readline)
            assert line, said
            said += line.decode()
        worker.terminate()
        rest, err = await asyncio.to_thread(worker.communicate, timeout=40)
    assert "The offline check answers until it can be." in said
    assert "urllib3" not in said + rest.decode() + err.decode()
    assert b"Traceback" not in rest + err
    assert worker.returncode == 0


FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
sys.dont_write_bytecode = True
from bot.__main__ import main
main()
"""


def test_a_full_disk_is_a_line_that_says_so(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", FULL, "check", DRAFT.text],
        capture_output=True,
        text=True,
        timeout=50,
        env=os.environ | {"PYTHONPATH": str(ROOT), "ANGEL_CACHE_DIR": str(tmp_path / "cache")},
        check=False,
    )
    assert done.returncode == 2
    assert "Make room there" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list((tmp_path / "cache").iterdir()) == []  # nothing half made is left


@pytest.mark.parametrize("reply", [error(401, "invalid_api_key"), error(500, "x", retry_after="0"), Reply(drop=True)])
async def test_the_password_in_the_address_of_the_server_is_told_nowhere(
    reply: Reply,
    openai_server: FakeOpenAI,
    chat_model: Callable[..., LoadedModel],
    cache_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "bot")
    address = openai_server.url.replace("http://", "http://angel:hunter2@")
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    openai_server.replies.extend([reply] * 3)
    model = chat_model()
    verdict = await Screener(model, load_offline(cache_dir)).screen(DRAFT)
    assert verdict.fallback
    told = [record.getMessage() for record in caplog.records if record.name.startswith("bot")]
    assert told
    assert not [each for each in [*told, repr(verdict), model.name, model.uri] if "hunter2" in each]
    assert b"hunter2" not in await asyncio.to_thread(everything_in, Path(model.uri))


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
