"""What a claim proves, and which sale it stands for, without I/O.

A claim is judged as the sale that its code tells of: under that one's idempotency key, id and time. So the sale and
all its claims come to one effect, whichever is heard of first. docs/protocol.md has the table of arrivals.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ledger.facts.case import Case
from offline_queue.claim_codes import KEY_PREFIX, Unreadable, read
from offline_queue.claim_codes import Code as ClaimCode
from offline_queue.entry import Entry, Kind, Receipt, State, masked

AWARDS: Final = frozenset({Kind.EARN, Kind.CLAIM})
"""Kinds that give points."""


def doubt(entry: Entry, keys: Sequence[bytes], kin: Callable[[str], Iterable[str]]) -> str | None:
    """Why a claim proves nothing; None when it does.

    `keys` are those of the terminal that the claim names; `kin` tells the other cards of a card's account.
    """
    if entry.claim is None or entry.card is None:
        return "it holds no code, or no card that the points should go to"
    try:
        code = read(entry.claim.code)
    except Unreadable as error:
        return f"its code cannot be read: {error}"
    if _told(entry) != _proved(code):
        return "it says otherwise than its code"
    if not keys:
        return f"terminal {code.sale.terminal} was never enrolled here, or its key was revoked"
    if not code.proven(keys):
        return f"its code was not signed by terminal {code.sale.terminal}"
    if code.sale.card is not None and not _same_card(code, entry.card.number, kin):
        return f"the sale was made with another card than {masked(entry.card.number)}"
    return None


class Told(Struct, frozen=True):
    """A code as the office sees it; `credited` is the card that has its points, masked."""

    terminal: str
    id: str
    idempotency_key: str
    points: int
    occurred_at: str
    receipt: str | None
    store: str | None
    proven: bool
    credited: str | None


def told(code: ClaimCode, keys: Sequence[bytes], card: str | None) -> Told:
    """`keys` are those of the terminal that the code names."""
    sale = code.sale
    return Told(
        sale.terminal,
        sale.id,
        sale.key,
        sale.points,
        sale.occurred_at,
        sale.receipt,
        sale.store,
        code.proven(keys),
        masked(card) if card else None,
    )


def as_sale(entry: Entry) -> Entry:
    """A claim that is proven, under the sale's own key, id and time; any other entry as it is."""
    if entry.kind is not Kind.CLAIM or entry.claim is None:
        return entry
    sale = read(entry.claim.code).sale
    receipt = Receipt(sale.receipt, sale.store) if sale.receipt else None
    return replace(
        entry,
        key=sale.key,
        id=sale.id,
        occurred_at=sale.occurred_at,
        receipt=receipt,
        rule=sale.rule or None,
    )


def as_told(entry: Entry) -> Entry:
    """A claim as the sale that it tells of, proven or not; as it is where its code cannot be read."""
    try:
        return as_sale(entry)
    except Unreadable:
        return entry


def sale_key(entry: Entry) -> str:
    """The idempotency key that the books count an entry by: of a claim its sale's, proven or not."""
    return as_told(entry).key


def same_sale(first: Entry, entry: Entry) -> bool:
    """Whether two entries under one key, at least one of them a claim, tell of the same sale."""
    return first.kind in AWARDS and entry.kind in AWARDS and first.points == entry.points


def lends(case: Case) -> bool:
    """Whether a claim gives its card to a sale that is in the books already and waits without one."""
    first = case.first
    return (
        case.entry.kind is Kind.CLAIM
        and first is not None
        and first.record != case.record
        and first.entry.kind is Kind.EARN
        and first.entry.card is None
        and first.state is State.PARKED
        and same_sale(first.entry, case.entry)
    )


def _told(entry: Entry) -> tuple[object, ...]:
    claim = entry.claim
    return (claim.terminal, claim.id, entry.key, entry.points) if claim else ()


def _proved(code: ClaimCode) -> tuple[object, ...]:
    sale = code.sale
    return (sale.terminal, sale.id, f"{KEY_PREFIX}{sale.key}", sale.points)


def _same_card(code: ClaimCode, number: str, kin: Callable[[str], Iterable[str]]) -> bool:
    """Its own, or the one that this card has replaced."""
    return code.sale.on(number) or any(map(code.sale.on, kin(number)))
