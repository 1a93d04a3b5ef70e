"""The office's own entries, without I/O: what the ledger itself writes into its log, so that the log explains it."""

import hashlib
from typing import Any, Final

from offline_queue.entry import Clock, Entry, Kind, uuid7
from offline_queue.timepiece import rfc3339

OFFICE: Final = "ledger"
"""The terminal under whose name the office's own entries stand; its key is empty, so nobody can sign for it."""
NO_BOOT: Final = "office"
"""The office has one clock, and it is right: no boot is told apart."""


def own_entry(kind: Kind, key: str, now: int, **fields: Any) -> Entry:
    """An entry of the office; `now` in ms since 1970. The id follows from the key and the time alone."""
    at = rfc3339(now)
    return Entry(
        id=uuid7(now, hashlib.blake2b(key.encode(), digest_size=10).digest()),
        key=key,
        kind=kind,
        terminal=OFFICE,
        business_day=at[:10],
        occurred_at=at,
        clock=Clock(NO_BOOT, now, at),
        **fields,
    )


def own_stream(generation: str) -> str:
    """The office's stream; a new one after the books went back in time, as a till's after a restore."""
    return f"office-{generation}"
