"""What a person's word on an entry does to the books, without I/O.

A correction never edits: it names an entry and says what that shall have had in all; the difference to what it has now
is posted under the correction. Who speaks later is right.
"""

from collections.abc import Sequence

import msgspec

from ledger.facts.case import Decision, Item, Original, Word
from ledger.facts.codes import Code
from ledger.rules.cards import is_merger
from ledger.rules.claims import AWARDS, as_told
from ledger.rules.records import KEYLESS, NO_CLAIM
from ledger.rules.sentences import clipped
from ledger.rules.write_offs import is_write_off
from offline_queue.entry import Correction, Entry, Kind, Resolution, State


class Spoken(msgspec.Struct, frozen=True, gc=False):
    """The `n`-th word on an entry, by the correction in `record`: it `had` so many points, `shall` have had others.

    The difference, `points`, was posted.
    """

    n: int
    record: int
    had: int
    shall: int
    points: int


class Dispute(msgspec.Struct, frozen=True, gc=False):
    """An entry that somebody has a word on, as the books have it; `entry` is None where it cannot be read.

    `posted` is the effect of its own posting on `account`, None without one; `original` the record that it reverses;
    `undone` the effect of what reversed it.
    """

    item: Item
    entry: Entry | None
    state: State
    code: Code
    account: int | None = None
    posted: int | None = None
    original: int | None = None
    undone: int = 0
    words: tuple[Spoken, ...] = ()

    @property
    def has(self) -> int:
        """Its effect in all, by its own posting and by what corrected it."""
        return (self.posted or 0) + sum(word.points for word in self.words)

    @property
    def name(self) -> str:
        """What people call it: its id, or its place where it cannot be read, or its id is nobody's word."""
        return place_name(self.item) if self.entry is None or self.code in KEYLESS else self.entry.id


class Target(msgspec.Struct, frozen=True):
    """What a correction is about: the entry that it `named`, and the one whose effect changes with that (`root`).

    They differ where a correction is corrected. The root shall have had `honoured` or `refused` points; points that
    are said otherwise count from `zero`.
    """

    named: Dispute
    root: Dispute
    honoured: int
    refused: int
    zero: int = 0

    def shall(self, correction: Correction) -> int:
        """Points with sign that the root shall have had in all."""
        if correction.points is not None:
            return self.zero + correction.points
        return self.honoured if correction.resolution is Resolution.HONOUR else self.refused

    @property
    def is_the_books_own(self) -> bool:
        """Points that expired or came back, or went to another account: each is half of something, and no claim of
        anybody's. Undone alone it would leave the other half, and the same points twice."""
        entry = self.root.entry
        return entry is not None and (is_write_off(entry) or is_merger(entry))

    def word(self, correction: Correction, *, entitled: bool, card: str | None) -> Word:
        """`card` is the one whose account is missing. Nobody is entitled to settle what is the books' own."""
        shall = self.shall(correction)
        return Word(entitled and not self.is_the_books_own, self.root.has, shall, shall - self.root.has, card)


def as_counted(entry: Entry, state: State, code: Code, *, posted: bool) -> Entry:
    """What an entry counts as: a claim that has its sale's key is that sale, one that lent its card or repeats is not.

    A claim that proves nothing has the key when a person has let it count.
    """
    return as_told(entry) if posted or (code not in NO_CLAIM and state is not State.POSTED) else entry


def place_name(item: Item) -> str:
    """What stands for the id of a record that cannot be read, or is not of whom it says."""
    return f"{item.stream}:{item.seq}"


def plain_target(dispute: Dispute, original: Original | None) -> Target:
    """The entry itself is corrected. What was reversed of it before is not taken back twice."""
    return Target(dispute, dispute, asked_of(dispute, original), -dispute.undone)


def target_of_applied(correction: Dispute, spoken: Spoken, root: Dispute) -> Target:
    """A word that counted is corrected: as if it had not been spoken, as it was, or otherwise."""
    return Target(correction, root, spoken.shall, spoken.had, spoken.had)


def target_of_unapplied(correction: Dispute, word: Correction, inner: Target, settled: Spoken | None) -> Target:
    """A word that did not count is corrected: it counts now, or it stays without effect.

    Once `settled` by another word it is as if it had been spoken then: so the same word again changes nothing.
    """
    had = settled.had if settled else inner.root.has
    return Target(correction, inner.root, inner.shall(word), had, had)


def asked_of(dispute: Dispute, original: Original | None) -> int:
    """The effect that an entry asked for; a reversal of 0 points asked for all that its original had left then."""
    entry = dispute.entry
    if entry is None:
        return 0
    if entry.kind in AWARDS:
        return entry.points
    match entry.kind:
        case Kind.REDEEM:
            return -entry.points
        case Kind.REVERSE:
            return _asked_back(dispute, entry, original)
        case _:
            return dispute.posted or 0


def _asked_back(dispute: Dispute, reversal: Entry, original: Original | None) -> int:
    if not reversal.points:
        return dispute.posted or 0
    if original is None:
        return 0
    return reversal.points if original.kind is Kind.REDEEM else -reversal.points


def original(record: int, kind: Kind, account: int, posted: int, undone: int, words: Sequence[Spoken] = ()) -> Original:
    """What a reversal may still take back of an entry, with what people said of it; `undone` by earlier reversals."""
    has = posted + sum(word.points for word in words)
    return Original(
        record,
        kind,
        account,
        has,
        undone if kind is Kind.REDEEM else -undone,
        tuple(word.record for word in words),
    )


def resolved(correction: Correction, dispute: Dispute, effect: int, asked: int) -> Decision:
    """The new verdict on an entry: why it stood out stays, with who settled it."""
    told = clipped(f"by {correction.author}: {correction.reason}")
    return Decision(State.RESOLVED, dispute.code, effect, asked, detail=told)
