import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.settings import Settings
from tests.fakes import FakeOpenAI

CHAT = ("OPENAI_API_KEY", "OPENAI_BASE_URL")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the machine's own set-up reaches a test, and no test finds what another left."""
    for name in {*Settings.variables(), *(name for name in os.environ if name.startswith("MLFLOW_"))}:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache folder for all tests: a built-in model is saved there once for each configuration."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def openai_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOpenAI]:
    """A fake OpenAI that the environment points at."""
    with FakeOpenAI() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        yield server


@pytest.fixture
def chat_model(openai_server: FakeOpenAI, cache_dir: Path) -> Callable[..., Any]:
    """Loads the built-in chat model, with what is given in its configuration."""
    from bot.model import chat
    from bot.model.loading import load_chat

    return lambda **changes: load_chat(chat.config(**changes), cache_dir)
