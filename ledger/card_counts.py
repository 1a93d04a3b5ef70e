"""How far the chips and codes that prove themselves have counted: each presentation counts one on, a copy does not.

Tills offline know nothing of each other, so a message that was copied off a card may be taken by each of them once.
Here they meet. Only the greatest count of each is kept.
"""

from collections.abc import Iterable

from ledger.facts import Case, Shown
from ledger.source import Known, Source
from offline_queue.entry import CardProof, Entry, Kind

SHOWING = frozenset({Kind.EARN, Kind.REDEEM})


def proof_of(entry: Entry) -> CardProof | None:
    return entry.card.proof if entry.card is not None and entry.kind in SHOWING else None


class CardCounts:
    """Belongs to one sheet. Asked when the cards' accounts are held."""

    def __init__(self, source: Source) -> None:
        self._greatest = Known(source.shown)

    @property
    def changed(self) -> dict[str, Shown]:
        return self._greatest.changed

    def expect(self, entries: Iterable[Entry]) -> None:
        self._greatest.warm(proof.subject for entry in entries if (proof := proof_of(entry)))

    def greatest(self, entry: Entry) -> Shown | None:
        """The furthest presentation of this entry's chip or code; it may be its own."""
        proof = proof_of(entry)
        return None if proof is None else self._greatest.get(proof.subject)

    def note(self, entry: Entry, at: int) -> None:
        """Whatever becomes of the entry: its card was shown."""
        proof, greatest = proof_of(entry), self.greatest(entry)
        if proof is not None and (greatest is None or proof.counter > greatest.counter):
            self._greatest.put(proof.subject, Shown(proof.counter, entry.terminal, at))


def copied(case: Case) -> bool:
    """Whether what was shown had been shown before: at another till, or long after a later count.

    A sale that only comes late has a lower count and an earlier time, and is none. One till knows by itself what it has
    taken, and makes several entries of one presentation.
    """
    proof, greatest = proof_of(case.entry), case.shown
    if proof is None or greatest is None:
        return False
    if proof.counter == greatest.counter:
        return case.entry.terminal != greatest.terminal
    return proof.counter < greatest.counter and case.at > greatest.at + case.policy.clock_tolerance_ms
