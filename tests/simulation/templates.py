"""Empty journals, directories and books, made once for each process: a schedule begins two dozen files."""

import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

from ledger.sqlite.file import connect
from offline_queue import opening
from terminal.cards import directory

MEMORY: Final = Path("/dev/shm")


def new_folder() -> "tempfile.TemporaryDirectory[str]":
    """In memory, where the system has a file system there."""
    return tempfile.TemporaryDirectory(prefix="tilld-simulation-", dir=MEMORY if MEMORY.is_dir() else None)


def place(folder: Path) -> None:
    """What an empty state folder has before its first start."""
    for name, make in (("journal.db", opening._create), ("directory.db", _directory)):
        (folder / name).write_bytes(_made(make))


def place_books(path: Path) -> None:
    path.write_bytes(_made(_books))


@lru_cache
def _made(make: Callable[[Path], None]) -> bytes:
    with new_folder() as folder:
        path = Path(folder) / "template.db"
        make(path)
        return path.read_bytes()


def _directory(path: Path) -> None:
    directory._connect(path).close()


def _books(path: Path) -> None:
    connect(path).close()
