"""An exchange - a request and its answer - and the idempotency key that it gives its transaction. Pure.

    nexo-l-2026-11-21-<128 bits>    what, the day of SaleTransactionID.TimeStamp, a digest of POIID, SaleID, ServiceID

Whoever asks TransactionStatus after a crash names the POIID, the SaleID and the ServiceID alone. So those and the day
make the key, and the journal can be asked for the few days that come into question. The transaction's own number and
time are part of what was asked: the same key with another one is refused, and counts nothing twice.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import msgspec

from terminal.api.nexo.messages import Header

NO_DAY: Final = "-"
"""Of messages that name no transaction of the sale."""
DAYS: Final = 3
"""So far back TransactionStatus looks into the journal: a ServiceID may be used again after 48 hours."""

STORED_VALUE: Final = {
    "Activate": "A",
    "Duplicate": "D",
    "Load": "L",
    "Unload": "U",
    "Reserve": "R",
    "Reverse": "V",
}
LOYALTY, REBATE, REVERSAL, ADMIN = "l", "b", "r", "a"
LETTERS: Final = {"Loyalty": LOYALTY + REBATE, "Reversal": REVERSAL, "StoredValue": "".join(STORED_VALUE.values())}
"""What a key begins with, so that an answer can be made again from the journal; a rebate's has more to tell."""


@dataclass(frozen=True)
class Exchange:
    """`number` is the ServiceID; of a message to a device its DeviceID, in a form that no ServiceID has."""

    poi_id: str
    sale_id: str
    number: str

    @classmethod
    def of(cls, header: Header) -> "Exchange":
        number = f"DeviceID: {header.number}" if header.message_class == "Device" else header.number
        return cls(header.poi_id, header.sale_id, number or "")

    def key(self, letter: str, day: str = NO_DAY) -> str:
        """At most 52 printable characters."""
        told = msgspec.json.encode([self.poi_id, self.sale_id, self.number])
        return f"nexo-{letter}-{day}-{hashlib.sha256(told).hexdigest()[:32]}"

    def keys(self, category: str | None, today: date) -> Iterator[str]:
        """Every key that this exchange may have given of late, the newest first."""
        letters = "".join(LETTERS.values()) if category is None else LETTERS.get(category, "")
        days = [str(today + timedelta(days=ahead)) for ahead in range(1, -DAYS - 1, -1)]
        for day in (*days, NO_DAY):
            for letter in letters:
                yield self.key(letter, day)


def day_of(time_stamp: str | None) -> str:
    """The day of an ISO 8601 time as it was written."""
    return NO_DAY if time_stamp is None else time_stamp[:10]
