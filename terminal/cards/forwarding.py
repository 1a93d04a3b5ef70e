"""Which card stands for the one that was presented. Pure: what is known of cards is an argument."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from offline_queue.entry import CardEvent, Happening

ACTIVE, BLOCKED, REPLACED, MERGED = "active", "blocked", "replaced", "merged"
UNKNOWN: Final = "unknown"
"""Shown for a card that nothing is known of; it is used like an active one."""
AFTER: Final = {
    Happening.ACTIVATE: ACTIVE,
    Happening.BLOCK: BLOCKED,
    Happening.UNBLOCK: ACTIVE,
    Happening.REPLACE: REPLACED,
    Happening.MERGE: MERGED,
}
"""What a card is after an event, as far as the till can tell."""


@dataclass(frozen=True)
class Listed:
    """What is known of a card: its status as the ledger calls it, and the card that stands for it."""

    status: str
    successor: str | None = None


@dataclass(frozen=True)
class Stands:
    """`number` is used for the card that was named, with its `status`; `was` what the named one is, if another."""

    number: str
    status: str = ACTIVE
    was: str | None = None


def stands_for(number: str, find: Callable[[str], Listed | None]) -> Stands:
    """Follows successors to the last. It ends, whatever is listed; a card that nothing is known of is active."""
    seen, first = [number], find(number)
    listed = first
    while listed is not None and listed.successor and listed.successor not in seen:
        seen.append(listed.successor)
        listed = find(seen[-1])
    status = ACTIVE if listed is None else listed.status
    if first is None or len(seen) == 1:
        return Stands(number, status)
    return Stands(seen[-1], status, first.status)


def listed_after(event: CardEvent) -> Listed:
    """The card as it is at this till from its own event on."""
    return Listed(AFTER[event.happening], event.successor)
