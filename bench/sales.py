"""The entries that the benches append: an ordinary sale with everything a POS tells of it."""

import itertools
import time
import uuid
from typing import Final

from offline_queue.entry import Amount, Card, Clock, Entry, Kind, Receipt, uuid7
from offline_queue.timepiece import SystemTimepiece, rfc3339

TIMEPIECE: Final = SystemTimepiece()
REPLY: Final = (
    b'{"id":"01931c7e-58a0-7a3c-9d52-0f8a4f5c8f2b","kind":"earn","state":"queued","points":24,"card":{"masked":"0017"}}'
)
DIGEST: Final = bytes(16)
_receipts = itertools.count(1)


def sale() -> Entry:
    """About 580 bytes; the idempotency key is random, as from a POS that mints UUIDs."""
    unix_ms = time.time_ns() // 1_000_000
    now, receipt = rfc3339(unix_ms), next(_receipts)
    return Entry(
        id=uuid7(unix_ms, TIMEPIECE.random(10)),
        key=str(uuid.uuid4()),
        kind=Kind.EARN,
        terminal="S001-T01",
        business_day=now[:10],
        occurred_at=now,
        clock=Clock(TIMEPIECE.boot_id, TIMEPIECE.boottime_ms(), now, now),
        points=24,
        card=Card("2990000000017", "qr", "scanned"),
        amount=Amount(2490, "EUR"),
        receipt=Receipt(f"{receipt:08}", issued_at=now),
        rule="base@1",
        operator="anna",
    )
