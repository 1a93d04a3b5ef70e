"""The receipts of a batch: points are earned once on a store's receipt number at its time, whatever the keys."""

from collections.abc import Iterable

from ledger.facts.case import Item
from ledger.sheet.source import Source
from offline_queue.entry import Entry, Kind


def receipt_name(entry: Entry) -> str | None:
    """A receipt as the books know it; None where the entry does not name all of it, or earns nothing."""
    receipt = entry.receipt
    if entry.kind is not Kind.EARN or receipt is None or not (receipt.number and receipt.store and receipt.issued_at):
        return None
    return "\x1f".join((receipt.store, receipt.number, receipt.issued_at))


class Receipts:
    """Belongs to one sheet."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._holders: dict[str, int] = {}

    def claim(self, met: Iterable[tuple[str, Item]]) -> None:
        """Takes these receipts for the records that were made on them and have their keys: for whoever came first."""
        wanted: dict[str, int] = {}
        for name, item in met:
            if name not in self._holders:
                wanted.setdefault(name, item.record)
        if wanted:
            self._holders |= wanted | self._source.receipts(wanted)

    def holder(self, entry: Entry) -> int | None:
        """The record that earned on this entry's receipt first, its own included."""
        name = receipt_name(entry) if self._holders else None
        return None if name is None else self._holders.get(name)

    def let_go(self, records: set[int]) -> dict[str, int]:
        """The receipts that these records took; they are free again."""
        gone = {name: record for name, record in self._holders.items() if record in records}
        self._holders = {name: record for name, record in self._holders.items() if name not in gone}
        return gone
