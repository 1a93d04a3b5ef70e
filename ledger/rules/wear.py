"""How worn the tills have found the cards of an account. Pure: from the entries that explain it."""

from collections.abc import Iterable

from ledger.port.statements import CardWear
from offline_queue.entry import Entry


def lately(entries: Iterable[Entry]) -> list[CardWear]:
    """The last word on each card by each technology, of entries in their order; the most worn first."""
    last: dict[tuple[str, str], CardWear] = {}
    for entry in entries:
        card = entry.card
        if card is not None and card.wear is not None:
            technology = card.technology or "unknown"
            found = CardWear(card.number, technology, card.wear, entry.terminal, entry.occurred_at)
            last[card.number, technology] = found
    return sorted(last.values(), key=lambda found: -found.wear)
