"""The config on the disk: the whole new file or the old one, whatever happens in between; and a copy of the old one."""

import difflib
import os
import pwd
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from offline_queue.disk_sync import sync_to_disk
from offline_queue.legible import legible

PRIVATE: Final = 0o600
SERVICE_USER: Final = "tilld"
GROUP_MAY_READ: Final = 0o640


class Owner(NamedTuple):
    """Who may read the config."""

    uid: int
    gid: int
    mode: int = PRIVATE


def owner_of(path: Path) -> Owner:
    """Who has it now; of a new one the till's own user where root sets it up, else this user."""
    with suppress(OSError):
        there = path.stat()
        return Owner(there.st_uid, there.st_gid, (there.st_mode | PRIVATE) & GROUP_MAY_READ)
    if os.getuid() == 0:
        with suppress(KeyError):
            user = pwd.getpwnam(SERVICE_USER)
            return Owner(user.pw_uid, user.pw_gid)
    return Owner(os.getuid(), os.getgid())


def difference(before: str, after: str, name: str) -> str:
    """A unified diff, safe to be shown; "" when nothing changes."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, f"{name} (new)", lineterm="", n=1)
    return "\n".join(map(legible, lines))


def write(path: Path, text: str, owner: Owner) -> Path | None:
    """Puts the text there in one step; the copy of what was there before, None when nothing was. Raises OSError."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _fill(aside, text, owner)
        backup = _backup(path)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    sync_to_disk(path.parent)
    return backup


def _fill(aside: Path, text: str, owner: Owner) -> None:
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        if os.getuid() == 0:
            os.fchown(descriptor, owner.uid, owner.gid)
        os.fchmod(descriptor, owner.mode)
        file.write(text.encode())
        file.flush()
        os.fsync(descriptor)


def _backup(path: Path) -> Path | None:
    """Another name for the file that is about to lose its own: the next free one of FILE.1, FILE.2 and so on."""
    number = 1
    while path.exists():
        backup = path.with_name(f"{path.name}.{number}")
        try:
            backup.hardlink_to(path)
        except FileExistsError:
            number += 1
        else:
            return backup
    return None
