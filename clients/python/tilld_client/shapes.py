"""What the till takes and answers: JSON as it is, typed. A test holds these to the till's OpenAPI document.

Times are RFC 3339 texts; points are never negative. A newer till may send more fields than are named here.
"""

from typing import Any, Literal, NotRequired, TypedDict


class CardWish(TypedDict, total=False):
    """A card by its `number`, or by the `read_id` of a read; `entry_mode` says how the POS came by a number."""

    number: str
    read_id: str
    entry_mode: Literal["keyed", "scanned", "phone"]


class Amount(TypedDict):
    """Money: `value` in minor units (2490 is 24.90), `currency` after ISO 4217."""

    value: int
    currency: str


class Receipt(TypedDict):
    """The POS's receipt."""

    number: str
    issued_at: NotRequired[str]
    store: NotRequired[str]


class Request(TypedDict):
    """A sale, a redemption, or the reversal of the transaction with the id `reverses`."""

    kind: Literal["earn", "redeem", "reverse"]
    card: NotRequired[CardWish]
    points: NotRequired[int]
    amount: NotRequired[Amount]
    receipt: NotRequired[Receipt]
    operator: NotRequired[str]
    reverses: NotRequired[str]


class Card(TypedDict):
    """A card as a POS sees it."""

    masked: str
    number: NotRequired[str | None]


class Expiring(TypedDict):
    """`points` that end after `last_day` (YYYY-MM-DD)."""

    points: int
    last_day: str
    text: str


class Balance(TypedDict):
    """`points` now, of which `pending` are not decided by the ledger; `estimate` unless it confirmed all of them."""

    points: int
    as_of: str | None
    pending: int
    estimate: bool
    inactive: NotRequired[int]
    expiring: NotRequired[list[Expiring]]


class Read(TypedDict):
    """A card that was presented; `hints` are for the cashier, `wear` (0 to 100) how worn it is."""

    read_id: str
    card: Card
    technology: str
    entry_mode: str
    reader: str
    balance: Balance | None
    hints: list[str]
    wear: NotRequired[int | None]


State = Literal["queued", "accepted", "posted", "parked", "conflict", "resolved"]


class Answer(TypedDict):
    """The till's yes: the entry is on the disk. `claim` is the code for the receipt, `promise` a redemption's right."""

    id: str
    kind: str
    state: State
    points: int
    card: Card | None
    balance: Balance | None
    claim: NotRequired[str | None]
    promise: NotRequired[Literal["online", "held", "floor"] | None]


class Outcome(TypedDict):
    """What became of a transaction."""

    id: str
    kind: str
    state: State
    points: int
    idempotency_key: str
    occurred_at: str
    card: Card | None
    verdict: NotRequired[str | None]
    detail: NotRequired[str | None]
    reverses: NotRequired[str | None]
    history: NotRequired[list[State]]
    claim: NotRequired[str | None]


class Event(TypedDict):
    """One event of the till's stream; `reset` means that events are missing here."""

    id: str
    kind: str
    data: Any
