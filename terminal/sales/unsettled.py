"""Redemptions under floor limits that the ledger has not decided yet: what this till has at risk."""

from dataclasses import dataclass, field

from offline_queue.entry import Entry, Kind


def at_risk(entry: Entry) -> int:
    """Points that an entry hands over without a right to them."""
    return entry.points if entry.kind is Kind.REDEEM and entry.allowance is None else 0


@dataclass
class Unsettled:
    """Sums that follow the journal: an entry is noted once when it is durable and struck at its first decision."""

    by_card: dict[str, int] = field(default_factory=dict)
    total: int = 0
    count: int = 0

    def note(self, entry: Entry) -> None:
        self._add(entry, 1)

    def strike(self, entry: Entry) -> None:
        self._add(entry, -1)

    def of(self, number: str) -> int:
        """Points of one card."""
        return self.by_card.get(number, 0)

    def _add(self, entry: Entry, sign: int) -> None:
        points = at_risk(entry)
        if not points or entry.card is None:
            return
        self.total += sign * points
        self.count += sign
        left = self.of(entry.card.number) + sign * points
        if left:
            self.by_card[entry.card.number] = left
        else:
            self.by_card.pop(entry.card.number, None)
