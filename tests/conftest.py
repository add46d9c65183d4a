import csv
import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from bot.settings import Settings
from tests.fakes import FakeOpenAI

# What a shell starts in the background ignores Ctrl-C, and hands that on to every process that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

CSV_FIELD = csv.field_size_limit()
# How long an example takes to make or to run says how busy the machine is. What is about time is a benchmark.
hypothesis_settings.register_profile("angel", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("angel")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: many tests wait for a process or a browser of their own."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Nothing of the machine's own set-up reaches a test, and no test finds what another left."""
    before = set(os.environ)
    for name in {*Settings.variables(), *(name for name in os.environ if name.startswith("MLFLOW_"))}:
        monkeypatch.delenv(name, raising=False)
    # By default MLflow asks a server that is down for minutes.
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tmp_path)
    yield
    for name in os.environ.keys() - before:  # a .env file that `angel` read in this process, MLflow's own
        del os.environ[name]
    for logger in ("bot", "bot.screener", "urllib3"):  # what `angel` sets
        logging.getLogger(logger).setLevel(logging.NOTSET)
    csv.field_size_limit(CSV_FIELD)  # `angel screen` and its like read larger ones
    # MLflow leaves this stand-in behind where two models are loaded at once; Hypothesis asks every module for its file.
    sys.modules.pop("dbutils", None)
    if "mlflow" in sys.modules:
        import mlflow

        mlflow.tracking.fluent._active_experiment_id = None  # what the last test set is in another store
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]  # back to the environment's


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


@pytest.fixture(scope="session")
def _migrated_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow store with its tables made, which takes seconds, to be copied."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    folder = tmp_path_factory.mktemp("store")
    store = SqlAlchemyStore(f"sqlite:///{folder / 'mlflow.db'}", str(folder / "mlruns"))  # type: ignore[no-untyped-call]  # MLflow's
    store.engine.dispose()
    return folder / "mlflow.db"


@pytest.fixture
def mlflow_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, _migrated_store: Path) -> str:
    """The address of an MLflow store of the test's own, which the environment points at."""
    shutil.copyfile(_migrated_store, tmp_path / "mlflow.db")
    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    import mlflow

    mlflow.set_tracking_uri(address)
    return address


@pytest.fixture
def recorder_of(mlflow_store: str) -> Iterator[Callable[..., Any]]:
    """Makes recorders for the test's store, and sees that none of them writes on into the next test's."""
    from bot.evaluation.recorder import Recorder

    made = []

    def make(store: str = mlflow_store, key: str = "key", **how: bool) -> Recorder:
        made.append(Recorder(store, key, **how))
        return made[-1]

    yield make
    for recorder in made:
        recorder.close(20)
