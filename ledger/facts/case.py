"""One record, all that bears on it, and what is decided of it."""

import msgspec

from ledger.facts.cards import CardFacts
from ledger.facts.codes import Code
from ledger.facts.policy import Policy
from ledger.facts.rights import Right, RightState
from ledger.points.standing import Standing
from offline_queue.entry import Entry, Kind, State


class Enrolled(msgspec.Struct, frozen=True, gc=False):
    """A terminal that may speak, unless its key was `revoked`; `more` of its `breaches` were found in this batch."""

    revoked: bool = False
    breaches: int = 0
    more: int = 0


class Original(msgspec.Struct, frozen=True, gc=False):
    """A posted entry that a reversal names: `points` its effect with sign, `reversed` what reversals took of it.

    `points` is what it has in all, by its own posting and by `corrections` of it, which are records.
    """

    record: int
    kind: Kind
    account: int
    points: int
    reversed: int = 0
    corrections: tuple[int, ...] = ()

    @property
    def is_final(self) -> bool:
        """A reversal cannot be reversed, nor can a correction: it is corrected."""
        return self.kind in (Kind.REVERSE, Kind.CORRECTION)

    @property
    def left(self) -> int:
        """Points that can still be reversed."""
        if self.is_final:
            return 0
        has = -self.points if self.kind is Kind.REDEEM else self.points
        return max(0, has - self.reversed)


class Item(msgspec.Struct, frozen=True, gc=False):
    """A record in custody: `record` is its number in the books, `sender` the terminal that signed for it.

    `branch` is FORK or RESTORED where its stream is one of two futures of the same past.
    """

    record: int
    stream: str
    seq: int
    sender: str
    raw: bytes
    branch: Code | None = None


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What a record does to the books.

    `code` is the strongest reason, `also` the weaker ones that apply too, in order of precedence. `stands`: the entry
    is in the books with its `effect`, in points with sign on the account; `asked` is the effect it asked for. `waits`
    names what would have it judged again; `right` the state that its allowance takes, None when that stays.
    """

    state: State
    code: Code
    effect: int = 0
    asked: int = 0
    waits: str | None = None
    right: RightState | None = None
    detail: str | None = None
    also: tuple[Code, ...] = ()
    stands: bool = False

    @property
    def codes(self) -> tuple[Code, ...]:
        """All that apply, the strongest first."""
        return (self.code, *self.also)

    @property
    def ground(self) -> Code:
        """The weakest that applies: where something ends the looking, it is this."""
        return self.also[-1] if self.also else self.code

    @property
    def plain(self) -> bool:
        """Done as asked; at most there is a remark to tell."""
        return self.state is State.POSTED and self.effect == self.asked


class First(msgspec.Struct, frozen=True, gc=False):
    """The record that used an idempotency key before, and its decision."""

    record: int
    entry: Entry
    state: State
    code: Code


class Word(msgspec.Struct, frozen=True, gc=False):
    """What a person's word on an entry comes to (ledger/rules/corrections.py tells how).

    The entry `shall` have had so many points in all, it `had` others by the last word before; `effect` is the
    difference to post. `entitled`: whoever speaks may. `card` is the one whose account is missing for it.
    """

    entitled: bool
    had: int
    shall: int
    effect: int
    card: str | None = None


class Shown(msgspec.Struct, frozen=True, gc=False):
    """A presentation of a card that proves itself: its count, where, and when (ms since 1970)."""

    counter: int
    terminal: str
    at: int


class Case(msgspec.Struct, frozen=True, gc=False):
    """One record and everything in the books that bears on it.

    `sender` is the terminal whose key signed for it, `revoked` whether that key had been revoked by then; `enrolled`
    whether the terminal that it names is known; `branch` is FORK or RESTORED where its stream is one of two futures of
    the same past; `receipt` the record that earned on the same receipt before; `shown` the furthest presentation of its
    card that the books know. `believed`: nobody but the sender can hold its right, or the office gives it back, which
    has looked; `over` is the stream without a seal whose end is believed for that. `at` is when the sale was, in ms
    since 1970, and `clock_off_ms` how far the till's clock was from that. `redeemed` is what the account's cards had
    redeemed without an allowance on that business day. `doubt`: why a claim proves nothing. `objection` is why a card's
    event cannot be.
    """

    record: int
    entry: Entry
    sender: str
    enrolled: bool = True
    first: First | None = None
    standing: Standing | None = None
    original: Original | None = None
    right: Right | None = None
    believed: bool = True
    over: str | None = None
    card: CardFacts | None = None
    objection: str | None = None
    branch: Code | None = None
    doubt: str | None = None
    revoked: bool = False
    receipt: int | None = None
    shown: Shown | None = None
    at: int = 0
    clock_off_ms: int = 0
    redeemed: int = 0
    policy: Policy = Policy()
    word: Word | None = None
