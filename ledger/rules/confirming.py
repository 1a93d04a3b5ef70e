"""Whether a right still holds after its till has started anew, without I/O.

A right is bound to the stream it was granted in. The next stream of that till may take it along only where nothing
can have used it in between that the books have not heard of: the old stream ended by a seal, all of it is here, and
nobody else goes on from there. An end without a seal (a crash, a power cut, a copied disk) proves nothing.
"""

from collections.abc import Sequence
from enum import IntEnum
from itertools import pairwise
from typing import Final

import msgspec

from ledger.facts.rights import Right, RightState
from offline_queue.entry import Lane, Parent
from offline_queue.wire import StreamHead

MAX_STARTS: Final = 64
"""Starts of a till without a word to the ledger, over which a right may be taken along."""


class Link(msgspec.Struct, frozen=True):
    """A stream on the way back from a till's present one: what the books hold of its end and of its beginning.

    `head` is the hash of its last record at `mark` in hex, `children` how many streams say that they follow it,
    `flagged` where it has two futures.
    """

    uid: str
    mark: int
    head: str
    sealed: bool = False
    flagged: bool = False
    children: int = 0
    machine: str | None = None
    parent: Parent | None = None


class Way(IntEnum):
    """What is known of the way from a right's stream to the one that declares it, the worst last."""

    SEALED = 0  # nothing can have happened unseen
    UNSEALED = 1  # the same machine goes on, but what it wrote last may never have come
    UNKNOWN = 2  # not all of it is here yet
    BROKEN = 3  # the till was copied or put back, or this is another one


class Word(msgspec.Struct, frozen=True):
    """What becomes of a right that is declared: `holds` in this start, None while it cannot be told."""

    right: Right
    holds: bool | None


def home(right: Right) -> str:
    """The stream that the right is bound to now."""
    return right.bound or right.stream


def present(streams: Sequence[StreamHead]) -> str | None:
    """The stream to which a till writes redemptions now: the one that is open and that nothing follows."""
    followed = {told.parent.stream for told in streams if told.parent}
    now = [told for told in streams if told.lane is Lane.URGENT and not told.sealed and told.stream not in followed]
    return now[0].stream if len(now) == 1 else None


def way(links: Sequence[Link], end: str) -> Way:
    """`links` lead from the present stream back towards `end`, as far as the books know them."""
    if not links or any(link.flagged for link in links):
        return Way.UNKNOWN if not links else Way.BROKEN
    found = max((_step(child, parent) for child, parent in pairwise(links)), default=Way.SEALED)
    if links[-1].uid == end:
        return found
    return max(found, Way.UNKNOWN if links[-1].parent else Way.BROKEN)


def unsealed(links: Sequence[Link]) -> str | None:
    """The oldest stream on the way whose end has to be believed; None where there is none."""
    return next((link.uid for link in reversed(links[1:]) if not link.sealed), None)


def believed(found: Way, right: Right, spent: int, cap: int) -> bool:
    """Whether the holder is heard; `spent` points were believed over the same end already, up to `cap`."""
    return found is Way.SEALED or (found is Way.UNSEALED and spent + right.points <= cap)


def confirm(right: Right, links: Sequence[Link], spent: int, cap: int) -> Word:
    """The right as it is from now on: bound to the present stream where it holds."""
    if right.state is not RightState.OPEN:
        return Word(right, holds=False)
    found = way(links, home(right))
    if found is Way.UNKNOWN:
        return Word(right, holds=None)
    if not believed(found, right, spent, cap):
        return Word(right, holds=False)
    if len(links) == 1:
        return Word(right, holds=True)
    trusted = unsealed(links) if found is Way.UNSEALED else right.trusted
    return Word(msgspec.structs.replace(right, bound=links[0].uid, trusted=trusted), holds=True)


def _step(child: Link, parent: Link) -> Way:
    told = child.parent
    if told is None or parent.children > 1:
        return Way.BROKEN
    if parent.mark < told.seq:
        return Way.UNKNOWN
    if (parent.mark, parent.head) != (told.seq, told.hash):
        return Way.BROKEN
    if parent.sealed:
        return Way.SEALED
    if child.machine is None:
        return Way.UNKNOWN  # its genesis has not come yet, only its name
    return Way.UNSEALED if parent.machine and parent.machine == child.machine else Way.BROKEN
