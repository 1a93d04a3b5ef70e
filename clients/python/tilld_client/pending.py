"""Sales that are sent and not answered yet, durable before anything is sent: what a POS needs after a crash."""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tilld_client.shapes import Request


@dataclass(frozen=True)
class Sent:
    """A request that may have reached the till, by its idempotency key."""

    key: str
    request: Request


class Pending:
    """One file for each; `folder` is this POS's own, made for its user alone where it is missing."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder

    def keep(self, key: str, request: Request) -> None:
        """On the disk when this returns. Raises OSError: then send nothing; ValueError for another sale of this key."""
        place = self._place(key)
        if place.exists():
            if json.loads(place.read_bytes())["request"] != request:
                raise ValueError(f"The key {key!r} names another request that is not answered yet.")
            return
        written = json.dumps({"key": key, "at": time.time_ns(), "request": request}).encode()
        fresh = place.with_suffix(".new")
        fresh.touch(mode=0o600)
        with fresh.open("wb") as file:
            file.write(written)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(place)
        self._sync_folder()

    def settle(self, key: str) -> None:
        """It is answered. Should a power cut bring it back, it is asked for once more, which does no harm."""
        self._place(key).unlink(missing_ok=True)

    def __iter__(self) -> Iterator[Sent]:
        """The oldest first. A file that is not whole was never sent."""
        found = []
        for path in self._folder.glob("*.sent"):
            kept = json.loads(path.read_bytes())
            found.append((kept["at"], Sent(kept["key"], kept["request"])))
        found.sort(key=lambda each: each[0])
        yield from (sent for _, sent in found)

    def _place(self, key: str) -> Path:
        """A key may hold any printable character, a file's name may not."""
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.sent"

    def _sync_folder(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
