"""Entries as a till writes them, and clocks that a test holds in its hand."""

import hashlib
import itertools
import random
from pathlib import Path
from typing import Any

from offline_queue.entry import Card, Clock, Entry, Kind, uuid7
from offline_queue.journal import Allowance, AllowanceState, Appended, Origin
from offline_queue.store import Store
from offline_queue.timepiece import rfc3339
from offline_queue.wire_feeds import Verdict

ORIGIN = Origin("S001-T01", "machine-1", "tilld test")
DIGEST = b"d" * 16
_numbers = itertools.count(1)


class StoppedTimepiece:
    """Time moves a millisecond a look; chance is a seeded generator's."""

    boot_id = "boot-1"

    def __init__(self, seed: int = 1) -> None:
        self._ms = itertools.count(1_790_000_000_000)
        self._random = random.Random(f"seed {seed}")

    def unix_ms(self) -> int:
        return next(self._ms)

    def boottime_ms(self) -> int:
        return self.unix_ms() - 1_789_999_000_000

    def random(self, count: int) -> bytes:
        return self._random.randbytes(count)


def sale(**changes: Any) -> Entry:
    """An earn of 24 points with an id and a key of its own."""
    number = next(_numbers)
    now = rfc3339(1_790_000_000_000 + number)
    fields: dict[str, Any] = {
        "id": uuid7(1_790_000_000_000 + number, hashlib.sha256(str(number).encode()).digest()[:10]),
        "key": f"sale-{number}",
        "kind": Kind.EARN,
        "terminal": ORIGIN.terminal,
        "business_day": "2026-09-21",
        "occurred_at": now,
        "clock": Clock("boot-1", number, now),
        "points": 24,
        "card": Card("2990000000017", "qr", "scanned"),
    }
    return Entry(**fields | changes)


def reversal(original: Entry, points: int, **changes: Any) -> Entry:
    return sale(kind=Kind.REVERSE, reverses=original.id, points=points, **changes)


def redemption(right: str, points: int = 10, **changes: Any) -> Entry:
    return sale(kind=Kind.REDEEM, allowance=right, points=points, **changes)


def right(identity: str = "right-1", points: int = 10) -> Allowance:
    return Allowance(
        identity, f"key of {identity}", "2990000000017", points, "stream", AllowanceState.ASKED, "2026-09-21T00:00:00Z"
    )


def verdict(stream: str, first: int, last: int, state: Any, n: int = 1, code: str = "ok") -> Verdict:
    return Verdict(n, stream, first, last, state, code)


def put(store: Store, entry: Entry, reply: bytes = b"{}", digest: bytes = DIGEST) -> Appended:
    return store.append(entry, reply, digest)


def open_store(path: Path, seed: int | None = None) -> Store:
    """A store whose streams are new: another seed gives other uids. The next free seed by default."""
    return Store.open(path, origin=ORIGIN, timepiece=StoppedTimepiece(next(_numbers) if seed is None else seed))


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder and its bytes."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}
