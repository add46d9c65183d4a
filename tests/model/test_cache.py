"""The cache folder: what lies there is run unseen."""

import os
from pathlib import Path

import pytest

from bot.model.cache import private


def test_a_new_folder_is_this_users_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        assert private(tmp_path / "a" / "cache") == tmp_path / "a" / "cache"
    finally:
        os.umask(before)
    assert (tmp_path / "a" / "cache").stat().st_mode & 0o777 == 0o700


def test_one_that_others_can_read_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert private(tmp_path) == tmp_path
    assert tmp_path.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_nothing_is_run_from_one_that_others_can_write(
    tmp_path: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.chmod(mode)
    used = private(tmp_path)
    assert used != tmp_path
    assert used.stat().st_mode & 0o777 == 0o700
    assert "chmod 700" in caplog.text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_nothing_is_run_from_one_of_another_user(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    os.chown(tmp_path, 12_345, -1)
    assert private(tmp_path) != tmp_path
    assert "belongs to another user" in caplog.text


def test_where_none_can_be_made_there_is_a_temporary_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert private(tmp_path / "file").is_dir()
    assert private(tmp_path / "file" / "below").is_dir()
