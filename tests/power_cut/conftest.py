"""A disk whose power can be cut."""

import os
from pathlib import Path

import pytest

from tests.power_cut.disk import NoDisk, made, mounted


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """An image with an empty file system."""
    if os.getuid() != 0:
        pytest.skip("needs root and loop devices, to mount a disk and cut its power")
    try:
        with mounted(made(tmp_path / "empty.img"), tmp_path / "probe"):
            pass
    except NoDisk as error:
        pytest.skip(f"no disk to cut the power of: {error}")
    return tmp_path / "empty.img"
