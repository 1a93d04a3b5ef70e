"""A real journal on a temporary folder, and entries for it."""

from pathlib import Path

from offline_queue.entry import Card, Clock, Entry, Kind, uuid7
from offline_queue.journal import Origin
from offline_queue.store import Store
from offline_queue.timepiece import SystemTimepiece, rfc3339

TIMEPIECE = SystemTimepiece()
CARD = "2990000000017"


def opened(folder: Path) -> Store:
    return Store.open(folder / "journal.db", origin=Origin("S001-T01", "machine", "tilld/test"), timepiece=TIMEPIECE)


def earn(key: str, points: int = 5) -> Entry:
    now_ms = TIMEPIECE.unix_ms()
    now = rfc3339(now_ms)
    return Entry(
        id=uuid7(now_ms, TIMEPIECE.random(10)),
        key=key,
        kind=Kind.EARN,
        terminal="S001-T01",
        business_day=now[:10],
        occurred_at=now,
        clock=Clock(TIMEPIECE.boot_id, TIMEPIECE.boottime_ms(), now),
        points=points,
        card=Card(CARD),
    )


def sell(store: Store, key: str, points: int = 5) -> Entry:
    """An entry in the journal."""
    entry = earn(key, points)
    store.append(entry, b"{}", key.encode().ljust(16)[:16])
    return entry
