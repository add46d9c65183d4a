"""What is logged: Angel's own lines, and no secret in them."""

import io
import logging
from pathlib import Path

import pytest

from bot.cli import logs
from tests.processes import finish

PASSWORD = "correct-horse"  # noqa: S105  # of nobody


@pytest.fixture
def _root(monkeypatch: pytest.MonkeyPatch) -> None:
    """A root logger that may be set up, and is as it was afterwards."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(logging.getLogger(), "level", logging.WARNING)
    # MLflow, where an earlier test has imported it, has given this one a handler and a level of its own.
    alembic = logging.getLogger("alembic")
    monkeypatch.setattr(alembic, "handlers", [])
    monkeypatch.setattr(alembic, "level", logging.NOTSET)
    monkeypatch.setattr(alembic, "propagate", True)


def test_secrets_are_left_out() -> None:
    said = {
        "POST http://user:correct-horse@host:8000/v1 200": "POST http://***@host:8000/v1 200",
        "postgresql+psycopg://u:correct@horse@db/x": "postgresql+psycopg://***@db/x",
        "http://correct-horse@host/ and https://a:b@c/d": "http://***@host/ and https://***@c/d",
        "token xoxb-123-456-abc, xapp-1-A1-abc": "token xoxb-***, xapp-***",
        "key sk-proj-abc_123456": "key sk-***",
        "see https://host/~maria@work and mail x@y.org": "see https://host/~maria@work and mail x@y.org",
        "": "",
    }

    assert {text: logs.without_secrets(text) for text in said} == said


@pytest.mark.usefixtures("_root")
def test_nor_are_they_in_a_traceback() -> None:
    stream = io.StringIO()
    logs.of_a_worker("INFO", stream)
    try:
        raise ValueError(f"http://user:{PASSWORD}@host")
    except ValueError:
        logging.getLogger("bot").exception("http://user:%s@host", PASSWORD)

    assert PASSWORD not in stream.getvalue()
    assert "ValueError: http://***@host" in stream.getvalue()


@pytest.mark.usefixtures("_root")
@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_libraries_are_heard_from_warnings_on(level: str) -> None:
    stream = io.StringIO()
    logs.of_a_worker(level, stream)
    for name in ("httpx2", "openai", "alembic.runtime.migration", "aiohttp.access", "urllib3.connectionpool"):
        logging.getLogger(name).info("%s at INFO", name)
        logging.getLogger(name).warning("%s at WARNING", name)
    logging.getLogger("bot.slack.in_flight").info("a line")

    assert stream.getvalue().splitlines() == [
        "WARNING httpx2: httpx2 at WARNING",
        "WARNING openai: openai at WARNING",
        "WARNING alembic.runtime.migration: alembic.runtime.migration at WARNING",
        "WARNING aiohttp.access: aiohttp.access at WARNING",
        "INFO bot.slack.in_flight: a line",
    ]


@pytest.mark.heavy
@pytest.mark.parametrize(
    "arguments",
    [("-v", "check", "Fine."), ("doctor",), ("-v", "model", "show"), ("model", "log"), ("model", "list")],
)
def test_no_command_prints_a_password(arguments: tuple[str, ...], cache_dir: Path) -> None:
    done = finish(
        *arguments,
        ANGEL_CACHE_DIR=str(cache_dir),
        OPENAI_BASE_URL=f"http://user:{PASSWORD}@127.0.0.1:9/v1",
        MLFLOW_TRACKING_URI=f"http://user:{PASSWORD}@127.0.0.1:9",
        MLFLOW_HTTP_REQUEST_MAX_RETRIES="0",
    )

    assert PASSWORD.encode() not in done.stdout + done.stderr
