"""The furthest presentation of each card that a batch meets; only the greatest count of each is kept."""

from collections.abc import Iterable

from ledger.facts.case import Shown
from ledger.rules.proofs import proof_of
from ledger.sheet.source import Known, Source
from offline_queue.entry import Entry


class CardCounts:
    """Belongs to one sheet. Asked when the cards' accounts are held."""

    def __init__(self, source: Source) -> None:
        self._greatest = Known(source.shown)

    @property
    def changed(self) -> dict[str, Shown]:
        return self._greatest.changed

    def expect(self, entries: Iterable[Entry]) -> None:
        shown = [entry for entry in entries if entry.card is not None and entry.card.proof is not None]
        self._greatest.warm(proof.subject for entry in shown if (proof := proof_of(entry)))

    def greatest(self, entry: Entry) -> Shown | None:
        """The furthest presentation of this entry's chip or code; it may be its own."""
        proof = proof_of(entry)
        return None if proof is None else self._greatest.get(proof.subject)

    def note(self, entry: Entry, at: int) -> None:
        """Whatever becomes of the entry: its card was shown."""
        proof, greatest = proof_of(entry), self.greatest(entry)
        if proof is not None and (greatest is None or proof.counter > greatest.counter):
            self._greatest.put(proof.subject, Shown(proof.counter, entry.terminal, at))
