"""The address of a store: what is shown of it, and what may be made of it."""

from pathlib import Path

import pytest

from bot.model.local_store import file_of, is_missing, make_private, shown


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://maria:hunter2@mlflow.example/path", "http://maria:***@mlflow.example/path"),
        ("https://mlflow.example:5000", "https://mlflow.example:5000"),
        ("https://token@mlflow.example", "https://token:***@mlflow.example"),
        ("postgresql://maria:hun%40ter2@db/x?password=hunter2", "postgresql://maria:***@db/x"),
        ("http://[::1]:5000/?token=hunter2", "http://[::1]:5000/"),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
        ("databricks", "databricks"),
    ],
)
def test_no_password_is_shown(address: str, said: str) -> None:
    assert shown(address) == said
    assert "hunter2" not in shown(address)


def test_only_a_store_that_is_a_file_can_be_missing(tmp_path: Path) -> None:
    assert is_missing("sqlite:///mlflow.db")
    assert file_of(f"sqlite:///{tmp_path}/a.db?x=1") == tmp_path / "a.db"
    for other in ("http://localhost", "sqlite://", "sqlite:///:memory:", "postgresql://db/x"):
        assert not is_missing(other)


def test_a_store_that_is_made_is_for_this_account_alone(tmp_path: Path) -> None:
    make_private("sqlite:///mlflow.db")
    assert Path("mlflow.db").stat().st_mode & 0o077 == 0
    assert Path("mlruns").stat().st_mode & 0o077 == 0
    Path("mlflow.db").chmod(0o640)  # somebody's choice
    make_private("sqlite:///mlflow.db")
    assert Path("mlflow.db").stat().st_mode & 0o777 == 0o640
    make_private("http://localhost")
