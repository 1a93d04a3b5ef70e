"""The claims that a batch meets: proven or not, and the cards that they lend to sales without one."""

from collections.abc import Container, Iterable

from ledger.facts.case import Decision, Item
from ledger.rules.claims import as_sale, doubt
from ledger.rules.records import read
from ledger.sheet.source import Known, Source
from offline_queue.entry import Card, Entry, Kind


class ClaimDesk:
    """Belongs to one sheet."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._keys = Known(source.keys)
        self.doubts: dict[int, str] = {}
        """Why each of these records proves nothing."""
        self.own_ids: dict[int, str] = {}
        """The id under which the till knows the claim, which stands in the books under its sale's."""
        self.lent: dict[int, Card] = {}
        """The card for the sale in each of these records, which has none."""

    def read(self, items: Iterable[Item], proven: Container[int] = ()) -> list[tuple[Item, Entry | Decision]]:
        """Records as they are to be judged: a proven claim as its sale.

        Those in `proven` waited, and were proven when they came. They hold the key of their sale, so the end of a
        terminal's key in between must not take their effect away.
        """
        found = [(item, read(item.raw)) for item in items]
        claims = [entry.claim for _, entry in found if isinstance(entry, Entry) and entry.kind is Kind.CLAIM]
        if not claims:
            return found
        self._keys.warm(claim.terminal for claim in claims if claim)
        return [(item, self._as_judged(item, content, proven)) for item, content in found]

    def card(self, item: Item, entry: Entry) -> Card | None:
        return entry.card or self.lent.get(item.record)

    def names(self, item: Item, entry: Entry) -> list[str]:
        """The ids under which others may mean this entry."""
        own = self.own_ids.get(item.record)
        return [entry.id] if own is None else [entry.id, own]

    def _as_judged(self, item: Item, content: Entry | Decision, proven: Container[int]) -> Entry | Decision:
        if not isinstance(content, Entry) or content.kind is not Kind.CLAIM:
            return content
        keys = self._keys.get(content.claim.terminal) if content.claim else None
        why = None if item.record in proven else doubt(content, keys or [], self._source.kin)
        if why is not None:
            self.doubts[item.record] = why
            return content
        self.own_ids[item.record] = content.id
        return as_sale(content)
