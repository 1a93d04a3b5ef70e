"""The state folder and the secrets in it: whose they are, and who else could read or replace them."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from offline_queue.opening import quoted
from terminal.doctor.findings import Check, Finding, Who
from terminal.doctor.patient import Patient
from terminal.state_folder import KEPT

FOLDER: Final = Check("state.folder", "The state folder is the daemon's alone (0700)", "sudo chmod 700 DIR", Who.ROOT)
FILES: Final = Check(
    "state.files",
    "Journal, tokens and key are readable by the daemon's user alone (0600)",
    "sudo chmod 600 FILE",
    Who.ROOT,
)
OWNER: Final = Check(
    "state.owner", "All files of the state folder belong to one user", "sudo chown USER FILE", Who.ROOT
)
SECRETS: Final = Check(
    "state.secrets", "Key files that the config names are their owner's alone (0600)", "sudo chmod 600 FILE", Who.ROOT
)
CHECKS: Final = (FOLDER, FILES, OWNER, SECRETS)
OTHERS: Final = 0o077


def look(patient: Patient) -> Iterator[Finding]:
    try:
        folder = patient.state.stat()
    except PermissionError:
        yield FOLDER.unknown(f"this user may not look at {patient.state}; ask as root: sudo tilld doctor")
        return
    except OSError as error:
        yield FOLDER.attention(
            f"{patient.state}: {error.strerror}; the till makes it at its first start",
            remedy="tilld run",
            who=Who.TECHNICIAN,
        )
        return
    yield folder_mode(patient.state, folder)
    if not os.access(patient.state, os.R_OK | os.X_OK, effective_ids=True):
        yield FILES.unknown(f"this user may not look into {patient.state}; ask as root: sudo tilld doctor")
        return
    kept = [patient.state / name for name in (*KEPT, "journal.db-wal", "journal.db-shm")]
    for path in kept:
        if os.path.lexists(path):
            yield private(FILES, path, path.lstat())
    yield owners(patient.state, folder.st_uid, {path: path.lstat().st_uid for path in kept if os.path.lexists(path)})
    for path in secrets(patient):
        try:
            yield private(SECRETS, path, path.stat())
        except OSError as error:
            yield SECRETS.unknown(f"{path}: {error.strerror}", str(path))


def secrets(patient: Patient) -> list[Path]:
    """Files with keys that the config names."""
    config = patient.config
    named = [config.cards.keys, config.mirror.private_key]
    named += [str(reader.options.get("keys", "")) for reader in config.readers]
    return [Path(name) for name in dict.fromkeys(named) if name]


def folder_mode(path: Path, status: os.stat_result) -> Finding:
    """Pure."""
    mode = stat.S_IMODE(status.st_mode)
    if mode & stat.S_IWOTH:
        return FOLDER.broken(
            f"{mode:04o}: every user may replace the till's files", remedy=f"sudo chmod 700 {quoted(path)}"
        )
    if mode & OTHERS:
        return FOLDER.attention(f"{path} is {mode:04o}", remedy=f"sudo chmod 700 {quoted(path)}")
    return FOLDER.ok(f"{path} is {mode:04o}, user {status.st_uid}")


def private(check: Check, path: Path, status: os.stat_result) -> Finding:
    """Pure. Who can read a token is a POS; who can write it, too."""
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        return check.attention(
            "it is a link: whoever owns its target owns the till's file", str(path), remedy=f"ls -l {path}"
        )
    if mode & OTHERS:
        return check.broken(f"{mode:04o}", str(path), remedy=f"sudo chmod 600 {quoted(path)}")
    return check.ok(f"{mode:04o}", str(path))


def owners(folder: Path, owner: int, files: dict[Path, int]) -> Finding:
    """Pure. `sudo tilld run` once leaves files of root's that the daemon cannot write."""
    strange = [path for path, uid in files.items() if uid != owner]
    if not strange:
        return OWNER.ok(f"user {owner}")
    names = " ".join(quoted(path) for path in strange)
    return OWNER.broken(
        f"of another user than {folder}: {names}", remedy=f"sudo chown --reference={quoted(folder)} {names}"
    )
