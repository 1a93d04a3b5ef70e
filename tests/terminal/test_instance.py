"""One daemon for each state folder."""

import os
from pathlib import Path

import pytest

from terminal.commands.console import Place
from terminal.instance import AlreadyRunning, Instance, config_of


def test_a_second_claim_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    """Process and time, so that a person can find it."""
    with Instance.claim(tmp_path), pytest.raises(AlreadyRunning) as told:
        Instance.claim(tmp_path)
    assert told.value.holder is not None
    assert told.value.holder.pid == os.getpid()
    assert str(os.getpid()) in str(told.value)
    assert told.value.holder.since in str(told.value)


def test_a_released_folder_can_be_claimed_again(tmp_path: Path) -> None:
    """The file that stays behind holds nobody up."""
    Instance.claim(tmp_path).release()
    Instance.claim(tmp_path).release()
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600


def test_a_lock_file_with_nonsense_in_it_is_no_obstacle(tmp_path: Path) -> None:
    """Neither for a claim nor for telling who holds it."""
    (tmp_path / "lock").write_bytes(b"\xff" * 300)
    with Instance.claim(tmp_path):
        (tmp_path / "lock").write_bytes(b"{")
        with pytest.raises(AlreadyRunning, match="another process"):
            Instance.claim(tmp_path)


def test_the_folder_tells_the_config_of_its_till(tmp_path: Path) -> None:
    """Whoever names the folder alone speaks of this till, also when it is down; a config that is given goes before."""
    config, other = tmp_path / "tilld.toml", tmp_path / "other.toml"
    assert config_of(tmp_path) is None
    config.touch()
    Instance.claim(tmp_path, config).release()
    assert config_of(tmp_path) == config
    assert Place(tmp_path, None).config_file == config
    assert Place(tmp_path, other).config_file == other
    config.unlink()
    assert config_of(tmp_path) is None


def test_a_till_without_a_config_names_none(tmp_path: Path) -> None:
    """Not the one of the start before either."""
    config = tmp_path / "tilld.toml"
    config.touch()
    Instance.claim(tmp_path, config).release()
    Instance.claim(tmp_path).release()
    assert config_of(tmp_path) is None
