"""One daemon for each state folder: two would write into one journal.

The lock is the kernel's (flock): it goes with its process however that ends, so it can never be stale.
"""

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

MOST_BYTES: Final = 8192
"""More than any path that the kernel takes."""


class Holder(msgspec.Struct, frozen=True):
    """Who holds a state folder; `since` is RFC 3339 in UTC, `config` the file that it was started with, if any."""

    pid: int
    since: str
    config: str | None = None


class AlreadyRunning(Exception):
    """Another daemon holds the folder; `holder` is None while that one has not yet written who it is."""

    def __init__(self, folder: Path, holder: Holder | None) -> None:
        who = f"by process {holder.pid} since {holder.since}" if holder else "by another process"
        super().__init__(f"the state folder {folder} is in use {who}")
        self.holder = holder


class Instance:
    """Holds the folder from `claim` to `release`. The file stays behind, empty of meaning without its lock."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def claim(cls, folder: Path, config: Path | None = None) -> Self:
        """Raises AlreadyRunning; OSError where the folder cannot be written."""
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told = os.read(descriptor, MOST_BYTES)
            os.close(descriptor)
            raise AlreadyRunning(folder, _holder(told)) from None
        started_with = str(config.absolute()) if config else None
        holder = Holder(os.getpid(), datetime.now(UTC).isoformat(timespec="seconds"), started_with)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, msgspec.json.encode(holder), 0)
        return cls(descriptor)

    def release(self) -> None:
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def config_of(folder: Path) -> Path | None:
    """The config of the till that runs in this folder, or ran last; None where it had none, or nobody may know."""
    try:
        with (folder / "lock").open("rb") as file:
            holder = _holder(file.read(MOST_BYTES))
    except OSError:
        return None
    named = Path(holder.config) if holder and holder.config else None
    return named if named and named.is_file() else None


def _holder(told: bytes) -> Holder | None:
    try:
        return msgspec.json.decode(told, type=Holder)
    except msgspec.DecodeError:
        return None
