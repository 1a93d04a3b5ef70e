"""Files of udev/ that tilld brings along for the system to take."""

from pathlib import Path
from typing import Final

from offline_queue.opening import quoted

FOLDERS: Final = (Path(__file__).resolve().parents[2] / "udev", Path("/usr/share/tilld/udev"))
"""In a checkout beside the packages, installed from a package there."""


def folder() -> Path | None:
    """None where this installation brings none."""
    return next((each for each in FOLDERS if each.is_dir()), None)


def install(name: str, target: str) -> str:
    """The command that puts a file of it where the system looks."""
    return f"sudo install -D -m 644 {quoted((folder() or FOLDERS[1]) / name)} {target}"
