"""Records that wait for one another: who waits for what, and who is woken by what a batch decides."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final

from ledger.facts.case import Decision, Item
from ledger.rules.records import (
    WAITS_FOR_REVIEW,
    WAITS_FOR_UPGRADE,
    entry_awaited,
    read,
    waits_for_entry,
    waits_for_record,
)
from ledger.sheet.source import Asked, Known, Source
from offline_queue.entry import Card, Entry, Kind

NOT_WOKEN_HERE: Final = frozenset({WAITS_FOR_REVIEW, WAITS_FOR_UPGRADE})
"""No record of a batch ends these waits, and there may be many of them."""


class Waiting:
    """Belongs to one sheet."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.changed: dict[int, str | None] = {}
        """Records that wait, with what for; None for one that no longer does."""
        self.announced: dict[str, int] = {}
        """The records of this batch by their names."""
        self.woken: set[int] = set()
        """Records that were decided before, and waited; what their terminal did since takes nothing from them."""
        self.anybody = False
        """Whether anything at all may wait for what is decided here."""
        self._under_way: list[tuple[Mapping[str, int], Asked[list[str]]]] = []
        self._by_reason = Known(self._asked)
        self._unawaited: set[str] = set()
        """Names for which nothing waited when they were announced."""

    def announce(self, named: Mapping[str, int]) -> None:
        """Learns what waits for records that come to stand under these names."""
        self.ask(named)
        self.hear()

    def ask(self, named: Mapping[str, int]) -> None:
        """The same, but for what is told then; hear() before anything else is held, and before any is decided."""
        names = {name: record for name, record in named.items() if name not in self.announced}
        if names:
            self.announced |= names
            self._under_way.append((names, self._source.announce(names)))

    def hear(self) -> None:
        """The answers to what was asked."""
        while self._under_way:
            names, asked = self._under_way.pop()
            awaited = asked()
            self.anybody = self.anybody or bool(awaited)
            self._unawaited |= names.keys() - set(awaited)
            self._by_reason.warm(map(waits_for_entry, awaited))

    def take_back(self, named: Mapping[str, int]) -> None:
        """These records do not stand under these names after all."""
        names = {name: record for name, record in named.items() if self.announced.get(name) == record}
        if names:
            self._source.take_back(names)
        for name in names:
            del self.announced[name]

    def note(self, item: Item, decision: Decision) -> None:
        """What the record waits for from now on."""
        if decision.waits is None:
            return
        self.changed[item.record], self.anybody = decision.waits, True
        if decision.waits not in NOT_WOKEN_HERE:
            self._by_reason.put(decision.waits, [*(self._by_reason.get(decision.waits) or ()), item])

    def awaited(self, entry: str) -> bool:
        """Whether records wait for this entry."""
        return self.anybody and bool(self._by_reason.get(waits_for_entry(entry)))

    def wake(self, reason: str) -> list[Item]:
        """In the order of the records, however they were cut into batches."""
        woken = sorted(self._by_reason.get(reason) or (), key=_record)
        if not woken:
            return []
        self._by_reason.put(reason, [])
        return self._awake(woken)

    def wake_words(self, reason: str) -> list[Item]:
        """A word on an entry is heard as soon as that is in the books, whatever the rules say of it."""
        waiting = self._by_reason.get(reason) or []
        words = sorted((item for item in waiting if _is_word(item)), key=_record)
        if not words:
            return []
        self._by_reason.put(reason, [item for item in waiting if item not in words])
        return self._awake(words)

    def _awake(self, items: Sequence[Item]) -> list[Item]:
        taken = self.take_up(items)
        self.woken |= {item.record for item in taken}
        return taken

    def take_up(self, items: Sequence[Item]) -> list[Item]:
        """Those that nobody else has decided meanwhile; from here on they wait no more."""
        before = [item.record for item in items if item.record not in self.changed]
        free = self._source.take_up(before) if before else set()
        taken = [item for item in items if item.record in free or self.changed.get(item.record) is not None]
        self.changed.update(dict.fromkeys((item.record for item in taken), None))
        return taken

    def lent_to(self, sale: int) -> Card | None:
        """The card of the claim that waits with a sale without one."""
        waiting = [read(item.raw) for item in self._by_reason.get(waits_for_record(sale)) or ()]
        cards = (entry.card for entry in waiting if isinstance(entry, Entry) and entry.kind is Kind.CLAIM)
        return next(cards, None)

    def wanted(self, unposted: Iterable[int], posted: Container[int]) -> dict[str, int]:
        """Where people find what has no posting of its own; with it, an entry is found by that."""
        if self._source.keeps_names:
            return {}
        unposted = set(unposted)
        return {name: n for name, n in self.announced.items() if n in unposted or n not in posted}

    def _asked(self, reasons: Sequence[str]) -> dict[str, list[Item]]:
        asked = [reason for reason in reasons if entry_awaited(reason) not in self._unawaited]
        return self._source.waiting(asked) if asked else {}


def _record(item: Item) -> int:
    return item.record


def _is_word(item: Item) -> bool:
    content = read(item.raw)
    return isinstance(content, Entry) and content.kind is Kind.CORRECTION
