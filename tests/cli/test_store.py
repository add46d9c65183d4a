"""`angel keys`, `angel installs`, and what `angel doctor` and `angel serve` say of the store."""

import asyncio
from pathlib import Path

import pytest
from slack_sdk.oauth.installation_store import Installation

from bot.store.database import sqlite_url
from bot.store.keys import new_key
from bot.store.store import Store
from tests.cli.conftest import Main

KEY = new_key()


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The address of a store that the environment points at."""
    address = sqlite_url(tmp_path / "angel.db")
    for name, value in {
        "SLACK_CLIENT_ID": "1.2",
        "SLACK_CLIENT_SECRET": "shh",
        "ANGEL_SECRET_KEYS": KEY,
        "DATABASE_URL": address,
        "SLACK_API_URL": "http://127.0.0.1:1/api/",
    }.items():
        monkeypatch.setenv(name, value)
    return address


def install(url: str, team: str = "T1") -> None:
    async def main() -> None:
        store = Store(url, KEY, client_id="1.2", client_secret="shh", slack_url="http://127.0.0.1:1/api/")
        await store.open()
        await store.keep(
            Installation(app_id="A1", user_id="U1", team_id=team, team_name=f"The {team}", bot_token="xoxb-1")
        )
        await store.close()

    asyncio.run(main())


def test_a_new_key_is_printed_and_can_be_used(main: Main, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = main("keys", "new")
    assert (code, err) == (0, b"")
    monkeypatch.setenv("ANGEL_SECRET_KEYS", out.decode().strip())
    assert main("installs")[:2] == (0, b"No workspace has installed Angel yet.\n")


def test_keys_are_rotated(main: Main, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    install(url)
    newer = new_key()
    monkeypatch.setenv("ANGEL_SECRET_KEYS", newer)
    code, _, err = main("installs")
    assert code == 2
    assert b"angel keys rotate" in err
    monkeypatch.setenv("ANGEL_SECRET_KEYS", f"{newer},{KEY}")
    assert main("keys", "rotate")[:2] == (0, b"2 tokens are encrypted with the first key now.\n")
    monkeypatch.setenv("ANGEL_SECRET_KEYS", newer)
    assert main("installs")[:2] == (0, b"T1  The T1  0 people connected\n")


def test_a_workspace_is_removed_after_a_yes(main: Main, url: str) -> None:
    install(url)
    install(url, "T2")
    assert main("installs", "remove", "T9", "--yes").code == 1
    assert main("installs", "remove", "T1", input=b"n\n").code != 0
    assert b"T1" in main("installs").out
    code, out, _ = main("installs", "remove", "T1", input=b"y\n")
    assert code == 0
    assert b"Nothing is kept of The T1 any more" in out
    assert main("installs").out == b"T2  The T2  0 people connected\n"


def test_what_is_missing_is_named(main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    for arguments in (("installs",), ("serve", "--http"), ("serve",)):
        code, _, err = main(*arguments)
        assert code == 2
        assert b"ANGEL_SECRET_KEYS" in err
        assert b"Traceback" not in err


def test_doctor_checks_store_keys_and_address(
    main: Main, url: str, monkeypatch: pytest.MonkeyPatch, cache_dir: Path
) -> None:
    monkeypatch.setenv("ANGEL_CACHE_DIR", str(cache_dir))
    install(url)
    out = main("doctor").out.decode()
    assert "✓ Store:" in out
    assert "1 workspace installed Angel" in out
    assert "! Address: ANGEL_URL is not set" in out
    assert "✓ Bot token: not needed" in out
    monkeypatch.setenv("ANGEL_URL", "https://angel.example")
    assert "https://angel.example/slack/install" in main("doctor").out.decode()
    monkeypatch.setenv("ANGEL_SECRET_KEYS", new_key())
    out = main("doctor").out.decode()
    assert "✗ Store:" in out
    assert KEY not in out
    monkeypatch.setenv("DATABASE_URL", "postgresql://angel:hunter2@127.0.0.1:1/none")
    out = main("doctor").out.decode()
    assert "✗ Store:" in out
    assert "hunter2" not in out
