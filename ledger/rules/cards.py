"""What may happen to a card, without I/O: from an event and the cards as they are listed to what becomes of them.

A card without a successor stands for itself; one that was replaced or merged is forwarded to its successor for ever, so
what is queued elsewhere under the old number finds its way. Each account has one card that stands for it.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final

import msgspec

from ledger.facts.cards import CardStatus, Listing
from ledger.rules.own_entries import OFFICE
from ledger.rules.records import plausible
from offline_queue.entry import CardEvent, Entry, Happening, Kind, masked

Find = Callable[[str], Listing]
FORWARDED: Final = frozenset({CardStatus.REPLACED, CardStatus.MERGED})
WITH_SUCCESSOR: Final = frozenset({Happening.REPLACE, Happening.MERGE})
MERGERS: Final = "merge:"
"""The keys of the pairs of entries that explain a merger begin so."""
_replace = msgspec.structs.replace


class Plan(msgspec.Struct, frozen=True):
    """What an event does: new `listings`; the card that gets an account; the account that is emptied into another.

    What waits for the cards in `wakes` is looked at again.
    """

    listings: Mapping[str, Listing] = {}
    opens: str | None = None
    merges: tuple[int, int] | None = None
    wakes: tuple[str, ...] = ()


NOTHING: Final = Plan()
"""It is so already: an event that comes twice is one."""


def is_merger(entry: Entry) -> bool:
    """Whether the office moves points from one account to another by this entry and its twin."""
    return entry.kind is Kind.CORRECTION and entry.terminal == OFFICE and entry.key.startswith(MERGERS)


def chain(number: str, find: Find) -> list[str]:
    """The card and all that stand for it, the last of them last. It ends, whatever is listed."""
    seen = [number]
    while (successor := find(seen[-1]).successor) and successor not in seen:
        seen.append(successor)
    return seen


def account_of(number: str, find: Find) -> int | None:
    """The card's own account, or else that of the card that stands for it."""
    accounts = (find(card).account for card in chain(number, find))
    return next((account for account in accounts if account is not None), None)


def objection(entry: Entry, find: Find, allowed: Collection[Happening]) -> str | None:
    """Why this event cannot be, in words for the office; None where it can."""
    number, event = entry.card.number if entry.card else "", entry.event
    if event is None or not plausible(number):
        return "names no card, or nothing that happened to it"
    if event.happening not in allowed:
        return f"tills may not {event.happening} cards here ([cards] events_from_tills); the office can"
    if event.happening in WITH_SUCCESSOR:
        return _of_two(number, event, find)
    if event.happening is Happening.ACTIVATE and _stands(number, find).marked is CardStatus.BLOCKED:
        return f"card {masked(number)} is blocked: unblock it, then it is active"
    return None


def plan(number: str, event: CardEvent, find: Find) -> Plan:
    """What an event does to which there is no objection."""
    match event.happening:
        case Happening.ACTIVATE:
            return _activated(number, find)
        case Happening.BLOCK:
            return _marked(number, find(number), CardStatus.BLOCKED)
        case Happening.UNBLOCK:
            return _marked(number, find(number), None)
        case Happening.REPLACE:
            return _replaced(number, event.successor or "", find)
        case Happening.MERGE:
            return _merged(number, event.successor or "", find)


def _stands(number: str, find: Find) -> Listing:
    return find(chain(number, find)[-1])


def _of_two(number: str, event: CardEvent, find: Find) -> str | None:
    other = event.successor or ""
    if not plausible(other) or other == number:
        return "names no other card"
    if event.happening is Happening.MERGE:
        return _no_merger(number, other, find)
    earlier = find(number).successor
    if earlier is not None and other not in chain(number, find):
        return f"card {masked(number)} was {find(number).status} by {masked(earlier)} before; change that one instead"
    if number in chain(other, find):
        return f"card {masked(number)} stands for {masked(other)}: each would stand for the other"
    if _stands(other, find).marked is CardStatus.BLOCKED:
        return f"card {masked(other)} is blocked and cannot stand for another"
    return None


def _no_merger(number: str, other: str, find: Find) -> str | None:
    for card in (number, other):
        if account_of(card, find) is None:
            return f"card {masked(card)} has no account: activate it first"
        if _stands(card, find).marked is CardStatus.BLOCKED:
            return f"card {masked(card)} is blocked: unblock it first"
    return None


def _activated(number: str, find: Find) -> Plan:
    if account_of(number, find) is not None:
        return NOTHING
    final = chain(number, find)[-1]
    return Plan(opens=final, wakes=(final,))


def _marked(number: str, listing: Listing, mark: CardStatus | None) -> Plan:
    """A card that another one stands for is not used any more, so it is neither blocked nor unblocked."""
    if listing.marked is mark or listing.marked in FORWARDED:
        return NOTHING
    return Plan({number: _replace(listing, marked=mark)}, wakes=() if mark else (number,))


def _replaced(number: str, other: str, find: Find) -> Plan:
    """The account stays and the new card gets it; points that are on the new card already join it."""
    if find(number).successor is not None:
        return NOTHING
    final = chain(other, find)[-1]
    own, theirs = account_of(number, find), account_of(other, find)
    account = own if own is not None else theirs
    listings = {number: _replace(find(number), account=account, marked=CardStatus.REPLACED, successor=other)}
    if theirs is None and own is not None:
        listings[final] = _replace(find(final), account=own)
    merges = None if own is None or theirs in (None, own) else (theirs, own)
    return Plan(listings, merges=merges, wakes=(number, final))


def _merged(number: str, other: str, find: Find) -> Plan:
    giver, taker = chain(number, find)[-1], chain(other, find)[-1]
    own, theirs = account_of(giver, find), account_of(taker, find)
    if own is None or theirs is None or own == theirs:
        return NOTHING
    listings = {giver: _replace(find(giver), marked=CardStatus.MERGED, successor=taker)}
    return Plan(listings, merges=(own, theirs), wakes=(giver,))
