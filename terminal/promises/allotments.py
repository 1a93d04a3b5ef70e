"""Which rights to hold ahead of need, so that customers can redeem while the ledger cannot be reached. Pure.

A right is for one card and one redemption. The till asks for one when it has seen a card, within its budget; where that
is short, the cards that were not seen for the longest time make room.
"""

from collections.abc import Sequence

import msgspec


class Budget(msgspec.Struct, frozen=True):
    """What a till may hold: points `per_card`, points in `total`, and for how many `cards`."""

    per_card: int
    total: int
    cards: int


class Held(msgspec.Struct, frozen=True):
    """A right that is held, or asked for, ahead of need. `idle`: it may be given back now."""

    id: str
    card: str
    points: int
    seen_ms: int
    idle: bool


class Plan(msgspec.Struct, frozen=True):
    """Rights to give back, by id, and the points to ask for then; 0: nothing is asked."""

    give_back: tuple[str, ...] = ()
    ask: int = 0


def plan(stock: Sequence[Held], card: str, free: int, budget: Budget) -> Plan:
    """After `card` was seen and `free` points of it could be promised. One right for each card is enough."""
    want = min(budget.per_card, budget.total, free)
    if any(held.card == card for held in stock):
        return Plan()
    points, cards, gone = sum(held.points for held in stock), len(stock), list[str]()
    for held in sorted((held for held in stock if held.idle), key=lambda held: held.seen_ms):
        if points + want <= budget.total and cards < budget.cards:
            break
        points, cards = points - held.points, cards - 1
        gone.append(held.id)
    room = min(want, budget.total - points)
    return Plan(tuple(gone), room) if room > 0 and cards < budget.cards else Plan()
