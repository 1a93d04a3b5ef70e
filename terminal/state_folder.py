"""The folder that holds everything a till must keep: private to its user."""

import logging
import os
from pathlib import Path
from typing import Final

PRIVATE: Final = 0o700
OURS: Final = "journal.db"

log = logging.getLogger("state")


class StateUnusable(Exception):
    """The folder cannot be used; the message says why and what to do."""


def prepare(folder: Path) -> None:
    """Makes it, and closes it to other users where it is ours alone. Raises StateUnusable."""
    try:
        folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        status = folder.stat()
        if status.st_mode & 0o077 and status.st_uid == os.getuid():
            _close_to_others(folder)
    except OSError as error:
        raise StateUnusable(_words(folder, error.strerror or str(error))) from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise StateUnusable(_words(folder, "this user may not write there"))


def _close_to_others(folder: Path) -> None:
    """A folder with other things in it is left as it is: somebody may need them. Our files are private anyway."""
    if (folder / OURS).exists() or not any(folder.iterdir()):
        folder.chmod(PRIVATE)
    else:
        log.warning("the state folder %s is open to other users: chmod 700 it, or give the till its own", folder)


def _words(folder: Path, why: str) -> str:
    return (
        f"the state folder {folder} cannot be used: {why}. Nothing can be recorded, so nothing was started.\n"
        "Give the till a folder of its own with --state DIR, or make this one writable for its user."
    )
