"""Why a record stands as it does, in words for people; never with a card's whole number in them."""

from ledger.facts import Case, First
from offline_queue.entry import masked

MAX_CHARACTERS = 300
"""Keys and names come from outside and may be long; a page of decisions must not become so."""


def clipped(text: str) -> str:
    """The beginning of a text, with a mark where it was cut."""
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"


def not_enrolled(case: Case, _: int) -> str:
    return (
        f"names terminal {case.entry.terminal}, which is not enrolled; {case.sender} signed for it, nothing is credited"
    )


def of_another(case: Case, _: int) -> str:
    return f"says it is of terminal {case.entry.terminal}, but {case.sender} signed for it; nothing is credited"


def unproven(case: Case, _: int) -> str:
    return f"the claim code proves nothing: {case.doubt}; nothing is credited"


def duplicate(case: Case, first: First) -> str:
    return f"the key {case.entry.key!r} is already in the books as entry {first.entry.id}: {first.code}"


def key_mismatch(case: Case, _: int) -> str:
    first = f" (entry {case.first.entry.id})" if case.first else ""
    return f"the key {case.entry.key!r} was used before for another sale{first}, which stands; look at both receipts"


def card_unknown(case: Case, _: int) -> str:
    card = f"card {masked(case.entry.card.number)}" if case.entry.card else "no card"
    return f"{card}: no account; what was earned is credited when the card is registered"


def original_unknown(case: Case, _: int) -> str:
    return f"waits for entry {case.entry.reverses}, which it reverses"


def reversed_twice(case: Case, _: int) -> str:
    return f"entry {case.entry.reverses} was reversed before; there is nothing more to undo"


def over_reversal(case: Case, effect: int) -> str:
    return f"{abs(effect)} of {case.entry.points} points reversed: the original carries no more"


def exceeded(case: Case, _: int) -> str:
    return f"{case.entry.points} points redeemed on an allowance of {case.right.points if case.right else 0}"


def void(case: Case, _: int) -> str:
    return f"the allowance {case.entry.allowance} is not an open one of this terminal and card"


def overdrawn(case: Case, effect: int) -> str:
    free = max(case.standing.available, 0) if case.standing else 0
    return f"{-effect} points taken where {free} were free; the next earned points repay the difference"
