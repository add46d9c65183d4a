"""The running bot follows an alias, and comes up without MLflow."""

import queue
import socket
from pathlib import Path

import mlflow
import pytest

from bot.errors import ModelMisconfigured
from bot.evaluation.registry import Registry
from bot.evaluation.store import MODEL
from bot.health import KNOWN
from bot.model import chat, following
from bot.model.following import Following, is_alias
from bot.model.loading import LoadedModel
from bot.verdict import Draft, Label
from tests.fakes import FakeOpenAI, Reply, error

URI = f"models:/{MODEL}@champion"
MEAN = Draft(text="You idiot.")


def champion(registry: Registry, model: str) -> str:
    """A new version that asks `model`, made the champion; its number."""
    version = registry.log(chat.config(model)).version
    registry.make_champion(registry.version(version))
    return version


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no reason to give a model up."""
    monkeypatch.setattr(following, "START_SECONDS", 60.0)
    monkeypatch.setattr(following, "FIRST_TRIAL_SECONDS", 60.0)


@pytest.fixture
def registry(mlflow_store: str, openai_server: FakeOpenAI) -> Registry:
    return Registry(mlflow_store)


@pytest.fixture
def swapped() -> queue.Queue[LoadedModel]:
    return queue.Queue()


def test_the_first_model_is_the_aliass_version(registry: Registry, tmp_path: Path, openai_server: FakeOpenAI) -> None:
    number = champion(registry, "one")
    openai_server.requests.clear()
    model = Following(URI, tmp_path / "cache").first()
    assert (model.name, model.version) == ("one", number)
    assert openai_server.drafts() == [KNOWN.text]
    assert model.check(MEAN).version == number


def test_a_new_champion_is_swapped_in(registry: Registry, tmp_path: Path, swapped: queue.Queue[LoadedModel]) -> None:
    champion(registry, "one")
    followed = Following(URI, tmp_path / "cache")
    followed.first()
    followed.start(swapped.put, poll_seconds=0.05)
    number = champion(registry, "two")
    model = swapped.get(timeout=120)
    followed.stop()
    assert (model.name, model.version, model.check(MEAN).label) == ("two", number, Label.CAUTION)


def test_a_new_champion_that_fails_its_trial_is_not_swapped_in(
    registry: Registry,
    tmp_path: Path,
    openai_server: FakeOpenAI,
    swapped: queue.Queue[LoadedModel],
    caplog: pytest.LogCaptureFixture,
) -> None:
    champion(registry, "one")
    followed = Following(URI, tmp_path / "cache")
    followed.first()
    openai_server.models = {"one", "three"}
    followed.start(swapped.put, poll_seconds=0.05)
    champion(registry, "two")
    third = champion(registry, "three") if asked_for(openai_server, "two") else ""
    model = swapped.get(timeout=120)
    followed.stop()
    assert model.version == third
    assert "kept version=1" in caplog.text
    assert "retired or misspelt" in caplog.text
    # Once by MLflow when it was logged, once on trial, and not again at every look.
    assert len([request for request in openai_server.requests if request["model"] == "two"]) == 2


def asked_for(server: FakeOpenAI, model: str) -> bool:
    return server.wait_until(lambda: any(request["model"] == model for request in server.requests))


def test_a_restart_without_mlflow_serves_the_last_good_version(
    registry: Registry,
    tmp_path: Path,
    unused_tcp_port: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    number = champion(registry, "one")
    Following(URI, tmp_path / "cache").first()
    mlflow.set_tracking_uri(f"http://127.0.0.1:{unused_tcp_port}")
    model = Following(URI, tmp_path / "cache").first()
    assert (model.version, model.check(MEAN).label) == (number, Label.CAUTION)
    assert "last good" in caplog.text


def test_without_mlflow_and_without_a_last_good_version_it_says_so(tmp_path: Path, unused_tcp_port: int) -> None:
    mlflow.set_tracking_uri(f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(ModelMisconfigured, match="MLFLOW_TRACKING_URI"):
        Following(URI, tmp_path / "cache").first()


def test_a_champion_whose_server_is_down_at_the_start_serves_all_the_same(
    registry: Registry, tmp_path: Path, openai_server: FakeOpenAI
) -> None:
    champion(registry, "one")
    openai_server.replies.extend([error(503, "down", retry_after="0")] * 3)
    model = Following(URI, tmp_path / "cache").first()
    assert model.check(MEAN).label is Label.CAUTION


def test_a_passing_failure_of_a_trial_does_not_take_the_last_good_model(
    registry: Registry, tmp_path: Path, openai_server: FakeOpenAI
) -> None:
    champion(registry, "one")
    Following(URI, tmp_path / "cache").first()
    new = champion(registry, "two")
    for trouble in (error(503, "down", retry_after="0"), error(429, "rate_limit_exceeded", retry_after="60")):
        openai_server.replies.extend([trouble] * (3 if trouble.status == 503 else 1))
        assert Following(URI, tmp_path / "cache").first().version == new
        assert not openai_server.replies


def test_a_start_does_not_wait_for_a_first_model_that_hangs(
    registry: Registry, tmp_path: Path, openai_server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = champion(registry, "one")
    monkeypatch.setattr(following, "FIRST_TRIAL_SECONDS", 0.1)
    openai_server.replies.append(Reply(hang=True))
    assert Following(URI, tmp_path / "cache").first().version == number
    openai_server.release()


def test_mlflow_hanging_at_the_start_gives_way_to_the_last_good_version(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = champion(registry, "one")
    Following(URI, tmp_path / "cache").first()
    with socket.create_server(("127.0.0.1", 0)) as hanging:  # takes what is sent and never answers
        mlflow.set_tracking_uri(f"http://127.0.0.1:{hanging.getsockname()[1]}")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
        monkeypatch.setattr(following, "START_SECONDS", 0.1)
        assert Following(URI, tmp_path / "cache").first().version == number


def test_a_disk_that_is_full_costs_the_note_of_the_last_good_version_alone(
    registry: Registry, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    number = champion(registry, "one")
    Following(URI, tmp_path / "cache").first()
    (note,) = (tmp_path / "cache").glob("*/last-good.json")
    note.with_suffix(".new").mkdir()  # so that it can't be written
    assert Following(URI, tmp_path / "cache").first().version == number
    assert "can't be noted" in caplog.text


def test_a_broken_champion_at_the_start_gives_way_to_the_last_good_one(
    registry: Registry, tmp_path: Path, openai_server: FakeOpenAI
) -> None:
    good = champion(registry, "one")
    Following(URI, tmp_path / "cache").first()
    champion(registry, "two")
    openai_server.models = {"one"}
    assert Following(URI, tmp_path / "cache").first().version == good


def test_a_spoilt_note_of_the_last_good_version_is_no_harm(registry: Registry, tmp_path: Path) -> None:
    number = champion(registry, "one")
    Following(URI, tmp_path / "cache").first()
    for note in (tmp_path / "cache").glob("*/last-good.json"):
        note.write_text("{")
    assert Following(URI, tmp_path / "cache").first().version == number


def test_old_copies_do_not_pile_up(registry: Registry, tmp_path: Path, swapped: queue.Queue[LoadedModel]) -> None:
    champion(registry, "one")
    followed = Following(URI, tmp_path / "cache")
    followed.first()
    followed.start(swapped.put, poll_seconds=0.05)
    for name in ("two", "three"):
        champion(registry, name)
        swapped.get(timeout=120)
    followed.stop()
    (home,) = (tmp_path / "cache").iterdir()
    assert sorted(path.name for path in home.iterdir() if path.is_dir()) == ["2", "3"]


@pytest.mark.parametrize(
    ("uri", "alias"), [(URI, True), ("models:/x/3", False), ("runs:/1/model", False), (None, False)]
)
def test_only_an_alias_is_followed(uri: str | None, alias: bool) -> None:
    assert is_alias(uri) is alias
