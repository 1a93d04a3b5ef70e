"""The talk between POS and till: what is asked and what is answered, whatever dialect carries it.

Values only. The REST API shows these shapes as they are; other dialects translate them.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec

from offline_queue import entry
from offline_queue.entry import MAX_POINTS, Happening, Kind, State
from offline_queue.words import Words, in_a_row, untranslated
from terminal.counter.ladder import Step

MAX_TEXT = 64

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
TransactionKind = Literal["earn", "redeem", "reverse"]


class CardNumber(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card by its number, or by a read that the till has made.

    `entry_mode` says how the POS came by the number: keyed, scanned by the POS itself, or found by phone number.
    """

    number: str | None = None
    read_id: str | None = None
    # UNSET, not None: it must not change the digest of requests that were sent before it was known.
    entry_mode: Literal["keyed", "scanned", "phone"] | msgspec.UnsetType = msgspec.UNSET


class Amount(entry.Amount, frozen=True, forbid_unknown_fields=True):
    """Money: `value` in minor units (cents), `currency` after ISO 4217. No other field is taken."""


class Receipt(entry.Receipt, frozen=True, forbid_unknown_fields=True):
    """The POS's receipt; `issued_at` is an RFC 3339 time by the POS's clock. No other field is taken."""


class TransactionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sale, a redemption or the reversal of one.

    Exactly one of `points` and `amount`, neither for a reversal in full.
    `reverses` is the id of the original transaction.
    """

    kind: TransactionKind
    card: CardNumber | None = None
    points: Annotated[int, msgspec.Meta(ge=1, le=MAX_POINTS)] | None = None
    amount: Amount | None = None
    receipt: Receipt | None = None
    operator: Text | None = None
    reverses: str | None = None


class CardView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A card as the POS sees it; `number` only where an authorised POS needs it whole."""

    masked: str
    number: str | None = None


class ExpiringView(msgspec.Struct, frozen=True):
    """`points` whose `last_day` (YYYY-MM-DD) is this one, and the `text` that says so."""

    points: int
    last_day: str
    text: Words


class BalanceView(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the till knows of the points: `points` now, of which `pending` are not yet decided by the ledger.

    `as_of` is the ledger's time of the last certain balance, None when there has been none;
    `estimate` is true unless the ledger has confirmed everything counted here. `inactive` points are earned and may
    not be used yet; `expiring` are the next that end, the soonest first.
    """

    points: int
    as_of: str | None
    pending: int
    estimate: bool
    inactive: int = 0
    expiring: list[ExpiringView] = []


class Promise(StrEnum):
    """By what right a redemption was promised."""

    ONLINE = "online"  # the ledger granted just these points
    HELD = "held"  # a right that this till had asked for ahead of need
    FLOOR = "floor"  # no right: within the shop's floor limits, which bound a loss


class TransactionAnswer(msgspec.Struct, frozen=True):
    """What the POS hears once the entry is durable. `points` as in the entry: never negative.

    `promise` of a redemption: by what right the points may be handed over.
    """

    id: str
    kind: Kind
    state: State
    points: int
    card: CardView | None
    balance: BalanceView | None
    claim: str | None = None
    promise: Promise | None = None


class CardEventAnswer(msgspec.Struct, frozen=True):
    """What the POS hears once an event of a card is durable; `status` is what the card is at this till from now on."""

    id: str
    kind: Kind
    happening: Happening
    state: State
    card: CardView
    status: str
    successor: CardView | None = None


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a transaction: its answer now, the ledger's code and how it got there.

    `claim` is the code that proves the sale, where one transaction is asked for.
    """

    id: str
    kind: Kind
    state: State
    points: int
    idempotency_key: str
    occurred_at: str
    card: CardView | None
    verdict: str | None = None
    detail: str | None = None
    reverses: str | None = None
    history: list[State] = []
    claim: str | None = None


class Rung(msgspec.Struct, frozen=True):
    """A step of the reading ladder and what to say of it."""

    step: Step
    say: Words


class ReadAnswer(msgspec.Struct, frozen=True):
    """A card that was presented; `read_id` stands for it in a transaction. `hints` are words for the cashier.

    `wear`, 0 to 100: how hard the card has become to read here; None where the reader tells nothing.
    """

    read_id: str
    card: CardView
    technology: str
    entry_mode: str
    reader: str
    balance: BalanceView | None
    hints: list[Words]
    wear: int | None = None


class Refusal(Exception):
    """The till says no. `code` is stable, `detail` says what it means for the points and what to do next; a text is for
    programmers, and English.

    `reason` is a second stable word where one code has several causes (`card_refused`: `payment_card`, ...).
    Where a card was not read, `step` is the present rung of the reading ladder and `steps` say what the cashier does.
    """

    def __init__(
        self,
        code: str,
        detail: str | Words,
        reason: str | None = None,
        steps: Sequence[Words] = (),
        step: Step | None = None,
    ) -> None:
        self.detail = untranslated(detail) if isinstance(detail, str) else detail
        super().__init__(self.detail.en)
        self.code = code
        self.reason = reason
        self.steps = tuple(steps)
        self.step = step


_UNMOVED: Final = Words("No points moved.", "Aucun point n'a bougé.")


def invalid(what: str | Words, reason: str | None = None) -> Refusal:
    """The refusal of a request that cannot be; a text is for the programmer of the POS, Words are for the cashier."""
    if isinstance(what, str):
        return Refusal("invalid", f"{what} {_UNMOVED.en}", reason)
    return Refusal("invalid", in_a_row((what, _UNMOVED)), reason)
