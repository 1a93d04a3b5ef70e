"""The messages of the wire about accounts: rights to redeem, balances, lots, and whose card a phone number is.

Shapes only, as in wire.py.
"""

import msgspec

from offline_queue.wire import Count, Points


class AllowanceRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Asks for the right to redeem `points`; `id` is made by the till and re-sent unchanged until answered.

    `least`: fewer than `points` are welcome too, down to so many (a right that is asked for ahead of its use).
    """

    request: str
    id: str
    card: str
    points: Points
    stream: str
    least: Points | None = None


class Expiry(msgspec.Struct, frozen=True):
    """So many `points` may be used until `at` (RFC 3339, exclusive)."""

    at: str
    points: Points


class Balance(msgspec.Struct, frozen=True, omit_defaults=True):
    """An account as the ledger sees it: `points` that may be used now, `reserved` of them promised to tills.

    `inactive` points are earned and may not be used yet; `expiring` are the next expiries, the soonest first;
    `successor` is the card that stands for this one.
    """

    number: str
    points: Points
    reserved: Count
    as_of: str
    status: str = "active"
    inactive: Count = 0
    expiring: list[Expiry] = []
    successor: str | None = None


class AllowanceAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Granted or refused with a `code` (`insufficient_points`, `card_unknown`, `card_blocked_known`, `recovering`...).

    `points` granted, where they are fewer than asked for.
    """

    request: str
    id: str
    granted: bool
    code: str | None = None
    balance: Balance | None = None
    points: Points | None = None


class Lot(msgspec.Struct, frozen=True, omit_defaults=True):
    """Points of one award that are left."""

    entry: str
    earned_at: str
    points: Points
    remaining: Points
    active_at: str | None = None
    expires_at: str | None = None


class Account(msgspec.Struct, frozen=True):
    """Everything that a till may know of an account."""

    request: str
    generation: str
    balance: Balance
    lots: list[Lot]


class PhoneLookup(msgspec.Struct, frozen=True):
    """Whose cards? `phone` in international form (ITU-T E.164): `+` and 7 to 15 digits."""

    request: str
    phone: str


class PhoneFound(msgspec.Struct, frozen=True):
    """The numbers of the cards that head office has linked to the phone, newest first; none where it knows none."""

    request: str
    generation: str
    cards: list[str]
