"""Whose an idempotency key is: entries that are their sender's own take theirs, and their receipts."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence

from ledger.facts.case import Decision, First, Item
from ledger.rules.corrections import place_name
from ledger.rules.records import KEYED
from ledger.sheet.claim_desk import ClaimDesk
from ledger.sheet.receipts import Receipts, receipt_name
from ledger.sheet.roster import Roster
from ledger.sheet.source import Known, Source
from ledger.sheet.waiting import Waiting
from offline_queue.entry import Entry

Met = Sequence[tuple[Item, Entry]]


class Keys:
    """Belongs to one sheet."""

    def __init__(self, source: Source, roster: Roster, claims: ClaimDesk, waiting: Waiting) -> None:
        self._source, self._roster, self._claims, self._waiting = source, roster, claims, waiting
        self.firsts = Known[str, First](lambda _: {})
        """By key, the record that has it."""
        self.repeated = False
        """Whether another batch had any of these keys before."""
        self.receipts = Receipts(source)

    def meet(self, met: Met) -> None:
        """Claims the keys of these entries and learns what waits for them; an entry of a stranger gets neither."""
        claimed = self.ask(met)
        claimed()
        self._waiting.hear()

    def ask(self, met: Met) -> Callable[[], None]:
        """The same; call what this returns, and Waiting.hear(), before anything else is held."""
        owned = {item.record for item, entry in met if self.owns(item, entry)}
        own = [pair for pair in reversed(met) if pair[0].record in owned and pair[1].kind in KEYED]
        known = self.firsts.asked()
        asking = {pair[1].key: pair for pair in own if pair[1].key not in known}
        keys = {key: item.record for key, (item, _) in asking.items()}
        asked = self._source.claim(keys, asking) if keys else None
        named = self._named(reversed(met), owned)
        receipts = [(name, *pair) for pair in reversed(own) if (name := receipt_name(pair[1]))]

        def claimed() -> None:
            if asked:
                found = asked()
                self.firsts.learn(keys, found)
                self.repeated = self.repeated or bool(found)
            self.receipts.claim((name, item) for name, item, entry in receipts if self._has_key(item, entry, keys))
            self._waiting.ask(named)

        return claimed

    def owns(self, item: Item, entry: Entry) -> bool:
        """Whether the entry is its sender's own, whose key counts."""
        if entry.terminal != item.sender or not self._roster.knows(item.sender):
            return False
        return item.record not in self._claims.doubts and not self.revoked(item)

    def revoked(self, item: Item) -> bool:
        """Whether the sender's key had been revoked before this record came."""
        return item.sender in self._roster.revoked and item.record not in self._waiting.woken

    def names(self, item: Item, entry: Entry) -> list[str]:
        """Under which people and later entries find a record: a stranger cannot take the id of somebody's entry."""
        return self._claims.names(item, entry) if self.owns(item, entry) else [place_name(item)]

    def first(self, item: Item, entry: Entry) -> First | None:
        """Who has the entry's key: it may be itself. None where it is not its sender's own, or has no effect."""
        if entry.kind not in KEYED or not self.owns(item, entry):
            return None
        if not self.firsts.knows(entry.key) or entry.id not in self._waiting.announced:
            self.meet([(item, entry)])
        first = self.firsts.get(entry.key)
        if first is not None and first.record == item.record:
            self.receipts.claim([(name, item)] if (name := receipt_name(entry)) else [])
        return first

    def holder(self, key: str, record: int) -> First | None:
        """Who has an idempotency key; None where this record takes it now."""
        return self.firsts.get(key) or self._source.claim({key: record})().get(key)

    def take(self, key: str, record: int) -> None:
        """For the record, unless another has it."""
        self.firsts.learn([key], self._source.claim({key: record})())

    def let_go(self, behind: Iterable[tuple[Item, Entry | Decision]]) -> None:
        """What comes behind a last breach leaves its names, keys and receipts to others, and goes by its place."""
        revoked = [(item, entry) for item, entry in behind if isinstance(entry, Entry) and self.revoked(item)]
        if not revoked:
            return
        names = {name: item.record for item, entry in revoked for name in self._claims.names(item, entry)}
        self._waiting.take_back(names)
        self._waiting.announce({place_name(item): item.record for item, _ in revoked})
        entries = {item.record: entry for item, entry in revoked}
        keys = {entry.key: record for record, entry in reversed(entries.items()) if self.firsts.get(entry.key) is None}
        self._source.let_go(keys, self.receipts.let_go(set(entries)))

    def _named(self, met: Iterable[tuple[Item, Entry]], owned: Container[int]) -> dict[str, int]:
        """The records by all their names (see names); the last that has a name keeps it."""
        if not self._claims.own_ids:
            return {entry.id if item.record in owned else place_name(item): item.record for item, entry in met}
        return {
            name: item.record
            for item, entry in met
            for name in (self._claims.names(item, entry) if item.record in owned else [place_name(item)])
        }

    def _has_key(self, item: Item, entry: Entry, taken: Mapping[str, int]) -> bool:
        first = self.firsts.get(entry.key)
        return taken.get(entry.key) == item.record if first is None else first.record == item.record
