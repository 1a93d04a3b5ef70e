"""What the rules know and say: values only, no rule and no I/O."""

from enum import StrEnum
from typing import Final

import msgspec

from ledger.points_rules import Programme
from offline_queue.entry import Entry, Happening, Kind, State


class Code(StrEnum):
    """Why a record stands as it does, in order of precedence; those after `posted` only refuse an allowance."""

    UNDECODABLE = "undecodable"
    VERSION_UNKNOWN = "version_unknown"
    TERMINAL_UNKNOWN = "terminal_unknown"
    KEY_REVOKED = "key_revoked"
    SIGNATURE_BAD = "signature_bad"
    CLAIM_UNPROVEN = "claim_unproven"
    FORK = "fork"
    RESTORED = "restored"
    DUPLICATE = "duplicate"
    KEY_MISMATCH = "key_mismatch"
    RESOLUTION_REFUSED = "resolution_refused"
    CARD_EVENT_REFUSED = "card_event_refused"
    RECEIPT_DUPLICATE = "receipt_duplicate"
    CARD_COPIED = "card_copied"
    CARD_UNKNOWN = "card_unknown"
    CARD_REPLACED = "card_replaced"
    ACCOUNT_MERGED = "account_merged"
    CARD_BLOCKED_KNOWN = "card_blocked_known"
    CARD_BLOCKED_UNKNOWN = "card_blocked_unknown"
    ORIGINAL_UNKNOWN = "original_unknown"
    REVERSED_TWICE = "reversed_twice"
    OVER_REVERSAL = "over_reversal"
    CLOCK_IMPLAUSIBLE = "clock_implausible"
    LOT_EXPIRED = "lot_expired"
    POINTS_DIFFER = "points_differ"
    RULE_UNKNOWN = "rule_unknown"
    LIMIT_BREACH = "limit_breach"
    ALLOWANCE_EXCEEDED = "allowance_exceeded"
    ALLOWANCE_VOID = "allowance_void"
    OVERDRAWN = "overdrawn"
    POSTED = "posted"
    INSUFFICIENT_POINTS = "insufficient_points"
    RECOVERING = "recovering"


class UnknownCards(StrEnum):
    """What becomes of points on a card that the books have never seen."""

    PARK = "park"
    REGISTER = "register"


class Stance(StrEnum):
    """What the retailer wants in a case of disagreement; the entry is in custody in any case.

    `honour`: it takes effect as the till promised, and is flagged. `refuse`: no effect, unless a person resolves it
    otherwise. `review`: no effect until a person has looked at it, or what it waits for has come.
    """

    HONOUR = "honour"
    REFUSE = "refuse"
    REVIEW = "review"


class Limits(msgspec.Struct, frozen=True):
    """Points that may be redeemed without an allowance; None: as many as the till says."""

    per_transaction: int | None = None
    per_card_and_day: int | None = None


class Policy(msgspec.Struct, frozen=True):
    """What the retailer has chosen (ledger/config.py): `stances` where they differ from ledger/policies.py.

    `clock_tolerance_ms`: so much may a till's clock be off before it is noted. `breaches`: after so many redemptions
    beyond their allowance a terminal's key is revoked; 0: never. `unsealed_cap`: points of rights that a till may take
    along over the end of a stream without a seal. `events_from_tills`: what tills may say has happened to a card.
    `till_resolutions`: whether a till may settle what it recorded, or head office alone. `stable_on_commit`: what is
    committed is on a replica too, so tills need not wait for a backup.
    """

    unknown_cards: UnknownCards = UnknownCards.PARK
    stances: dict[Code, Stance] = {}
    limits: Limits = Limits()
    clock_tolerance_ms: int = 600_000
    breaches: int = 3
    unsealed_cap: int = 0
    programme: Programme = Programme()
    events_from_tills: frozenset[Happening] = frozenset(Happening) - {Happening.MERGE}
    till_resolutions: Stance = Stance.HONOUR
    stable_on_commit: bool = False


class RightState(StrEnum):
    """An allowance's life: `open` becomes `consumed` or `released` by a record of its holder or of the office.

    `locked`: its holder has given it up, but a copy of that till may still use it, so its points stay held back.
    """

    OPEN = "open"
    LOCKED = "locked"
    CONSUMED = "consumed"
    RELEASED = "released"
    REFUSED = "refused"


class Right(msgspec.Struct, frozen=True, gc=False):
    """An allowance as the books hold it. `account` is None where the card was unknown.

    `asked` points where fewer were granted; `bound` is the later stream of its holder that it was confirmed for,
    `trusted` the one without a seal whose end was believed for that; `granted_at` in ms since 1970.
    """

    id: str
    terminal: str
    stream: str
    card: str
    points: int
    account: int | None
    state: RightState
    code: str | None = None
    asked: int | None = None
    bound: str | None = None
    trusted: str | None = None
    granted_at: int | None = None

    @property
    def holds_back(self) -> int:
        """Points that nobody else may be promised."""
        return self.points if self.state in (RightState.OPEN, RightState.LOCKED) else 0


class Enrolled(msgspec.Struct, frozen=True, gc=False):
    """A terminal that may speak, unless its key was `revoked`; `more` of its `breaches` were found in this batch."""

    revoked: bool = False
    breaches: int = 0
    more: int = 0


class CardStatus(StrEnum):
    """What a card is; one without an account is `inactive`. `replaced` and `merged` ones have a successor."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    BLOCKED = "blocked"
    REPLACED = "replaced"
    MERGED = "merged"


UNNUMBERED: Final = 2**53
"""Stands for the number of a change that is made in this very batch: no till can know of it yet."""


class Listing(msgspec.Struct, frozen=True, gc=False):
    """A card as the books list it: `marked` blocked, replaced or merged (None: neither), and by which card.

    `told` is the number of the last change that tills were told of it.
    """

    account: int | None = None
    marked: CardStatus | None = None
    successor: str | None = None
    told: int | None = None

    @property
    def status(self) -> CardStatus:
        return self.marked or (CardStatus.INACTIVE if self.account is None else CardStatus.ACTIVE)


class CardFacts(msgspec.Struct, frozen=True, gc=False):
    """The card that an entry names: its `status`, and the `number` that stands for it, its own or its last successor's.

    `blocked` is the number of the change that blocked that one, None where it is not blocked. A till whose entry has a
    `hotlist` of at least so much knew of it.
    """

    number: str
    status: CardStatus
    blocked: int | None = None


class Standing(msgspec.Struct, frozen=True, gc=False):
    """An account: `balance` in the books, `reserved` of it promised to tills by open allowances.

    From `usable_from` until `usable_until` (ms since 1970, None: for ever) none of its points waits for its
    activation or is expired. An account that was `merged_into` another one is empty, and whoever means it means that
    one. The others tell of the moment that is being judged: `idle` points may not be used then, `expired` among them;
    `revivable` ones might have been, and were written off since.
    """

    account: int
    balance: int = 0
    reserved: int = 0
    usable_from: int = 0
    usable_until: int | None = None
    merged_into: int | None = None
    idle: int = 0
    expired: int = 0
    revivable: int = 0

    @property
    def available(self) -> int:
        """What may still be promised; negative when the account is overdrawn."""
        return self.balance + self.revivable - self.idle - self.reserved


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
    """What a person's word on an entry comes to (ledger/corrections.py tells how).

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
    card that the books know. `believed`: nobody but the sender can
    hold its right; `over` is the stream without a seal whose end is believed for that. `at` is when the sale was, in ms
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
