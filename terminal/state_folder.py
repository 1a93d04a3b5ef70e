"""The folder that holds everything a till must keep: private to its user."""

import logging
import os
import stat
from pathlib import Path
from typing import Final

PRIVATE: Final = 0o700
OURS: Final = "journal.db"
KEPT: Final = (
    *(OURS, "directory.db", "pos.token", "technician.token", "terminal.key", "lock"),
    *("nexo.db", "nexo-key.json", "nexo-ca.pem", "nexo-ca-key.pem", "nexo-certificate.pem"),
)

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
        _refuse_planted(folder, {0, os.getuid(), status.st_uid})
    except OSError as error:
        raise StateUnusable(_words(folder, error.strerror or str(error))) from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise StateUnusable(_words(folder, "this user may not write there"))


def _close_to_others(folder: Path) -> None:
    """A folder with other things in it is left as it is: somebody may need them. Our files are private anyway.

    Raises StateUnusable where everybody may write: they could put their files in the place of ours.
    """
    if (folder / OURS).exists() or not any(folder.iterdir()):
        folder.chmod(PRIVATE)
    elif folder.stat().st_mode & stat.S_IWOTH:
        raise StateUnusable(_words(folder, "every user may write there, and replace the till's files"))
    else:
        log.warning("the state folder %s is open to other users: chmod 700 it, or give the till its own", folder)


def _refuse_planted(folder: Path, trusted: set[int]) -> None:
    """Whoever puts a token or a key there before us knows it; a link of theirs makes us write where they like."""
    for name in KEPT:
        path = folder / name
        if os.path.lexists(path) and path.lstat().st_uid not in trusted:
            why = f"{name} in it belongs to another user (uid {path.lstat().st_uid}), who may know what it holds"
            raise StateUnusable(_words(folder, why))


def _words(folder: Path, why: str) -> str:
    return (
        f"the state folder {folder} cannot be used: {why}. Nothing can be recorded, so nothing was started.\n"
        "Give the till a folder of its own with --state DIR, or make this one writable for its user."
    )
