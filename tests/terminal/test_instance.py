"""One daemon for each state folder."""

import os
from pathlib import Path

import pytest

from terminal.instance import AlreadyRunning, Instance


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
