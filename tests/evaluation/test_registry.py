"""Versions in MLflow's registry: what is logged loads anywhere, and no step leaves the bot without a champion."""

from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from bot.evaluation.mlflow_internals import user
from bot.evaluation.promotions import Kind
from bot.evaluation.registry import Registry
from bot.evaluation.store import MODEL, StoreError
from bot.model import chat


@pytest.fixture
def registry(mlflow_store: str) -> Registry:
    return Registry(mlflow_store)


def test_the_same_prompt_is_one_version_of_it(registry: Registry) -> None:
    numbers = [
        registry.log(chat.config(name, instructions=text)).prompt_version
        for name, text in (("gpt-x", "Be kind."), ("gpt-y", "Be kind."), ("gpt-x", "Be very kind."))
    ]
    assert numbers == [1, 1, 2]
    assert [(each.number, each.model, each.tags["prompt_version"]) for each in registry.versions()] == [
        ("3", "gpt-x", "2"), ("2", "gpt-y", "1"), ("1", "gpt-x", "1"),
    ]  # fmt: skip


class TestWithVersions:
    @pytest.fixture(autouse=True)
    def _versions(self, registry: Registry, tmp_path: Path) -> None:
        # Bare ones: what is asked of them here needs no model behind them.
        client = MlflowClient(registry.tracking_uri, registry.tracking_uri)
        client.create_registered_model(MODEL)
        for _ in range(3):
            client.create_model_version(MODEL, source=str(tmp_path), tags={"model": "gpt-x"})

    def test_a_version_is_found_by_number_alias_and_uri(self, registry: Registry) -> None:
        registry.make_champion(registry.version("2"))
        assert registry.version("champion").number == registry.version("2").number == "2"
        for uri, number in ((f"models:/{MODEL}/3", "3"), (f"models:/{MODEL}@champion", "2")):
            found = registry.at(uri)
            assert found is not None
            assert found.number == number
        for uri in ("models:/other/1", "runs:/abc/model", "some/folder", f"models:/{MODEL}-2/1"):
            assert registry.at(uri) is None

    def test_a_version_that_is_not_there_is_named_with_those_that_are(self, registry: Registry) -> None:
        registry.make_champion(registry.version("2"))
        with pytest.raises(StoreError, match=r"no version or alias 9.*There are: 3, 2/champion, 1"):
            registry.at(f"models:/{MODEL}/9")

    def test_the_champion_before_becomes_previous(self, registry: Registry) -> None:
        assert registry.make_champion(registry.version("1")) is None
        before = registry.make_champion(registry.version("2"))
        assert before is not None
        assert before.number == "1"
        assert registry.version("previous").number == "1"

    def test_making_the_champion_champion_again_loses_no_previous(self, registry: Registry) -> None:
        for number in ("1", "2", "2"):
            registry.make_champion(registry.version(number))
        assert (registry.version("champion").number, registry.version("previous").number) == ("2", "1")

    def test_two_people_who_roll_back_do_it_once(self, registry: Registry) -> None:
        for number in ("1", "2", "3"):
            registry.make_champion(registry.version(number))
        left, now = registry.roll_back()
        assert (left.number, now.number) == ("3", "2")
        assert (registry.version("champion").number, registry.version("previous").number) == ("2", "1")
        with pytest.raises(StoreError, match=r"Version 2 is the champion since .* rolled back from version 3"):
            registry.roll_back()
        assert registry.version("champion").number == "2"
        left, now = registry.roll_back(registry.version("3"))
        assert (left.number, now.number) == ("2", "3"), "a version that is named is gone to"

    def test_no_rollback_returns_to_what_was_rolled_back_from(self, registry: Registry) -> None:
        for number in ("1", "2"):
            registry.make_champion(registry.version(number))
        registry.roll_back()
        registry.make_champion(registry.version("3"))
        _, now = registry.roll_back()
        assert now.number == "1"

    def test_a_store_from_before_the_record_rolls_back_by_its_alias(self, registry: Registry) -> None:
        client = MlflowClient()
        client.set_registered_model_alias(MODEL, "champion", "2")
        client.set_registered_model_alias(MODEL, "previous", "1")
        _, now = registry.roll_back()
        assert now.number == "1"

    def test_every_change_is_recorded(self, registry: Registry) -> None:
        registry.make_champion(registry.version("1"), figures={"caution_recall": 0.9, "latency_p50_ms": 3})
        registry.make_champion(registry.version("2"), Kind.FORCE, reason="in a hurry", despite=["Recall falls."])
        registry.roll_back()
        assert [(each.kind, each.before, each.after) for each in registry.history()] == [
            ("promote", None, "1"), ("force", "1", "2"), ("rollback", "2", "1"),
        ]  # fmt: skip
        first, forced, _ = registry.history()
        assert first.figures == {"caution_recall": 0.9}
        assert (forced.reason, forced.despite) == ("in a hurry", "Recall falls.")
        assert all(each.by == user() for each in registry.history())
        assert registry.version("1").tags["changed"].startswith("rollback ")

    def test_there_is_no_going_back_from_the_first_champion(self, registry: Registry) -> None:
        registry.make_champion(registry.version("1"))
        with pytest.raises(StoreError, match="no previous champion"):
            registry.roll_back()

    def test_evaluations_on_different_examples_stand_side_by_side(self, registry: Registry) -> None:
        registry.evaluated(registry.version("1"), "aaa", "run-1")
        registry.evaluated(registry.version("1"), "bbb", "run-2")
        version = registry.version("1")
        assert version.evaluated
        assert not registry.version("2").evaluated
        assert registry.metrics(version, "aaa") is None  # the run is gone
        assert registry.scorecard(version, "aaa") is None
        [reason] = registry.reasons_against(version, "ccc")
        assert "evaluated on other examples" in reason


def test_an_empty_registry_says_how_to_begin(registry: Registry) -> None:
    assert registry.versions() == []
    assert registry.find("champion") is None
    with pytest.raises(StoreError, match="Begin with: angel model log"):
        registry.version("1")
