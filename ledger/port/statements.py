"""An account as the office is told of it."""

import msgspec

from offline_queue.wire_accounts import Lot


class Line(msgspec.Struct, frozen=True):
    """An entry that explains an account: `points` is its effect with sign, `asked` what the entry itself says.

    A correction `corrects` another entry for a `reason`.
    """

    id: str
    kind: str
    points: int
    asked: int
    code: str
    terminal: str
    occurred_at: str
    posted_at: str | None
    receipt: str | None = None
    reverses: str | None = None
    corrects: str | None = None
    reason: str | None = None


class CardWear(msgspec.Struct, frozen=True):
    """How hard a card was to read by a technology (0 to 100) when `terminal` last told."""

    number: str
    technology: str
    wear: int
    terminal: str
    occurred_at: str


class Statement(msgspec.Struct, frozen=True):
    """An account with all that explains it; a lot below zero is an overdraft that later awards repay.

    `points` is the sum of its lots and of its entries: those `usable` now, less any overdraft, the `inactive` ones that
    may be used later, and the `expired` ones that have not been written off.
    """

    number: str
    points: int
    reserved: int
    as_of: str
    lots: list[Lot]
    entries: list[Line]
    waiting: list[Line]
    usable: int = 0
    inactive: int = 0
    expired: int = 0
    wear: list[CardWear] = []
