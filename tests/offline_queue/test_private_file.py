"""What holds card numbers is its owner's alone, wherever it is written."""

import os
from pathlib import Path

import pytest

from offline_queue.private_file import written_privately


@pytest.mark.parametrize("before", [None, 0o644, 0o666])
def test_a_file_is_its_owners_alone(tmp_path: Path, before: int | None) -> None:
    """A new one, and one that others could read; what was in it is gone."""
    path = tmp_path / "export.jsonl"
    if before is not None:
        path.write_text("older and longer")
        path.chmod(before)
    with written_privately(path) as file:
        assert path.stat().st_mode & 0o777 == 0o600
        file.write(b"new")
    assert path.read_bytes() == b"new"


def test_what_is_no_file_keeps_its_mode(tmp_path: Path) -> None:
    """Root may write to /dev/null without taking it from everybody."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o622)
    pipe.chmod(0o622)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with written_privately(pipe) as out:
        out.write(b"x")
    assert os.read(reader, 10) == b"x"
    os.close(reader)
    assert pipe.stat().st_mode & 0o777 == 0o622


def test_what_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    """The caller says what it means."""
    with pytest.raises(IsADirectoryError):
        written_privately(tmp_path)
