"""What the rules know and say: values only, no rule and no I/O."""

from enum import StrEnum

import msgspec

from offline_queue.entry import Entry, Kind, State


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
    RECEIPT_DUPLICATE = "receipt_duplicate"
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
    beyond their allowance a terminal's key is revoked; 0: never.
    """

    unknown_cards: UnknownCards = UnknownCards.PARK
    stances: dict[Code, Stance] = {}
    limits: Limits = Limits()
    clock_tolerance_ms: int = 600_000
    breaches: int = 3


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


class Standing(msgspec.Struct, frozen=True, gc=False):
    """An account: `balance` in the books, `reserved` of it promised to tills by open allowances.

    From `usable_from` until `usable_until` (ms since 1970, None: for ever) none of its points waits for its
    activation or is expired. `idle` are those that may not be used at the moment which is being judged.
    """

    account: int
    balance: int = 0
    reserved: int = 0
    usable_from: int = 0
    usable_until: int | None = None
    idle: int = 0

    @property
    def available(self) -> int:
        """What may still be promised; negative when the account is overdrawn."""
        return self.balance - self.idle - self.reserved


class Original(msgspec.Struct, frozen=True, gc=False):
    """A posted entry that a reversal names: `points` its effect with sign, `reversed` what reversals took of it."""

    record: int
    kind: Kind
    account: int
    points: int
    reversed: int = 0

    @property
    def left(self) -> int:
        """Points that can still be reversed; a reversal itself cannot be."""
        return 0 if self.kind is Kind.REVERSE else abs(self.points) - self.reversed


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


class CardFact(msgspec.Struct, frozen=True, gc=False):
    """What has happened to the card that an entry names, or to the one that stands for it.

    `successor` is the card that replaced it, `merged_into` the one whose account took its own in. `blocked_since` is
    the change that blocked it, None while it may be used; a till that had taken over that change could know.
    """

    successor: str | None = None
    merged_into: str | None = None
    blocked_since: int | None = None


class Case(msgspec.Struct, frozen=True, gc=False):
    """One record and everything in the books that bears on it.

    `sender` is the terminal whose key signed for it, `revoked` whether that key had been revoked by then; `enrolled`
    whether the terminal that it names is known; `branch` is FORK or RESTORED where its stream is one of two futures of
    the same past; `receipt` the record that earned on the same receipt before. `at` is when the sale was, in ms since
    1970, and `clock_off_ms` how far the till's clock was from that. `expected` are the points by the ledger's own rule
    (None: nothing to compare), `rule_known` whether it has the till's; `expired` those points of a redemption that had
    expired at its time; `redeemed` what the account's cards had redeemed without an allowance on that business day.
    """

    record: int
    entry: Entry
    sender: str
    enrolled: bool = True
    first: First | None = None
    standing: Standing | None = None
    original: Original | None = None
    right: Right | None = None
    branch: Code | None = None
    revoked: bool = False
    receipt: int | None = None
    card: CardFact | None = None
    at: int = 0
    clock_off_ms: int = 0
    expected: int | None = None
    rule_known: bool = True
    expired: int = 0
    redeemed: int = 0
    policy: Policy = Policy()
