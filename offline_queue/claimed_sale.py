"""What a claim code says of a sale, as a CBOR map with numbered labels: short, and only one way to say it. Pure."""

import hashlib
import uuid
from datetime import UTC, datetime
from typing import Final

import msgspec

from offline_queue import plain_cbor
from offline_queue.entry import MAX_POINTS, Entry
from offline_queue.timepiece import rfc3339

CARD_BYTES: Final = 6
"""Of a card's digest: a wrong card passes once in 2^48."""
RECEIPT_BYTES: Final = 20
STORE_BYTES: Final = 8
"""A receipt's number and store are told where they are no longer than this."""
LAST_MOMENT: Final = 253_402_300_799_999
"""The end of the year 9999, in ms since 1970."""

COMMON_RULE: Final = "base@1"
"""The points rule that is not told, because nearly every sale has it."""

_KEY, _ID, _POINTS, _AT, _RECEIPT, _STORE, _CARD, _RULE = range(1, 9)


class Sale(msgspec.Struct, frozen=True):
    """What a code says of its sale: as in the entry. `card` is the digest of the card's number, None without a card.

    `at` in ms since 1970; `receipt` and `store` are left out where they are long. `rule` decides how long the points
    live; empty where the entry names none.
    """

    terminal: str
    key: str
    id: str
    points: int
    at: int
    receipt: str | None = None
    store: str | None = None
    card: bytes | None = None
    rule: str = COMMON_RULE

    @property
    def occurred_at(self) -> str:
        """RFC 3339 in UTC."""
        return rfc3339(self.at)

    def on(self, number: str) -> bool:
        """Whether the sale was made with this card."""
        return self.card is not None and self.card == card_digest(self.id, number)


def sale_of(entry: Entry) -> Sale:
    """What is told of an earned entry. Raises ValueError where that has no id or no time as tills make them."""
    receipt = entry.receipt
    moment = datetime.fromisoformat(entry.occurred_at)
    return Sale(
        terminal=entry.terminal,
        key=entry.key,
        id=entry.id,
        points=entry.points,
        at=round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000),
        receipt=_short(receipt.number, RECEIPT_BYTES) if receipt else None,
        store=_short(receipt.store, STORE_BYTES) if receipt else None,
        card=card_digest(entry.id, entry.card.number) if entry.card else None,
        rule=entry.rule or "",
    )


def card_digest(entry_id: str, number: str) -> bytes:
    """The salt is the entry's id: 74 bits of chance (RFC 9562 section 5.7) that the code holds anyway."""
    return hashlib.sha256(uuid.UUID(entry_id).bytes + number.encode()).digest()[:CARD_BYTES]


def told(sale: Sale) -> plain_cbor.Item:
    """The map; what is not there, and a time that the entry's id tells, takes no room."""
    name = uuid.UUID(sale.id).bytes
    told: dict[int, plain_cbor.Item | None] = {
        _KEY: _packed(sale.key),
        _ID: name,
        _POINTS: sale.points,
        _AT: None if sale.at == _minted_at(name) else sale.at,
        _RECEIPT: sale.receipt,
        _STORE: sale.store,
        _CARD: sale.card,
        _RULE: None if sale.rule == COMMON_RULE else sale.rule,
    }
    return {label: value for label, value in told.items() if value is not None}


def understood(terminal: str, payload: plain_cbor.Item) -> Sale:
    """Only what `told` writes. Raises ValueError."""
    match payload:
        case {1: bytes() | str() as key, 2: bytes(name), 3: int(points), **more} if len(name) == 16:
            pass
        case _:
            raise ValueError("it says too little of a sale")
    match [more.pop(label, None) for label in (_AT, _RECEIPT, _STORE, _CARD, _RULE)]:
        case [
            int() | None as at,
            str() | None as receipt,
            str() | None as store,
            bytes() | None as card,
            str() | None as rule,
        ]:
            pass
        case _:
            raise ValueError("what it says of a sale is of the wrong kind")
    sale = Sale(
        terminal, _unpacked(key), str(uuid.UUID(bytes=name)), points,
        _minted_at(name) if at is None else at, receipt, store, card, COMMON_RULE if rule is None else rule,
    )  # fmt: skip
    check(sale)
    if more or told(sale) != payload:
        raise ValueError("it says a thing in a way that no till does")
    return sale


def check(sale: Sale) -> None:
    """Raises ValueError for values beyond what an entry may hold."""
    if not (1 <= len(sale.key) <= 64 and sale.key.isascii() and sale.key.isprintable()):
        raise ValueError("its idempotency key is none")
    if not 0 < sale.points <= MAX_POINTS or not 0 <= sale.at <= LAST_MOMENT:
        raise ValueError("its points or its time are none")
    if sale.receipt != _short(sale.receipt, RECEIPT_BYTES) or sale.store != _short(sale.store, STORE_BYTES):
        raise ValueError("its receipt is none")
    if not sale.rule.isprintable() or len(sale.rule) > 64:
        raise ValueError("its points rule is none")
    if sale.card is not None and len(sale.card) != CARD_BYTES:
        raise ValueError("its card is none")


def _short(text: str | None, most: int) -> str | None:
    return text if text and text.isprintable() and len(text.encode(errors="replace")) <= most else None


def _packed(key: str) -> bytes | str:
    """A key that is a UUID in its usual form takes 16 bytes instead of 36."""
    try:
        name = uuid.UUID(key)
    except ValueError:
        return key
    return name.bytes if str(name) == key else key


def _unpacked(key: bytes | str) -> str:
    return key if isinstance(key, str) else str(uuid.UUID(bytes=key))


def _minted_at(name: bytes) -> int:
    """The time in a UUIDv7, in ms since 1970 (RFC 9562 section 5.7)."""
    return int.from_bytes(name[:6], "big")
