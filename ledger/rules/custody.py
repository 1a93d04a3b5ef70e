"""Taking records into custody, without I/O: does this batch follow, overlap or contradict what is held?

A stream that two tills continue (a clone, a restored disk) becomes branches that share their first records. The head
that a batch declares tells which branch it continues, because only its own chain leads there.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Final, Protocol, TypeVar

import msgspec

from offline_queue.entry import GENESIS_HASH, chain
from offline_queue.wire import StreamHead

STEP_BACK: Final = 1000
"""Records that a till rewinds to look for common ground when its chain is not ours."""


class Branch(msgspec.Struct, frozen=True):
    """A stream as held: records up to `mark`, whose hash is `head`; its own begin after `base` of `grown_from`.

    `followed` is the least seq of it after which another stream was opened: nothing of it should come after that.
    `flag` is FORK or RESTORED where that was found and nobody has looked at it yet.
    """

    no: int
    mark: int = 0
    head: bytes = GENESIS_HASH
    grown_from: int | None = None
    base: int = 0
    followed: int | None = None
    flag: str | None = None


class Reaching(Protocol):
    """A branch that is held up to its `mark`."""

    @property
    def mark(self) -> int: ...


B = TypeVar("B", bound=Reaching)


class Held(msgspec.Struct, frozen=True):
    """The batch lies on `branch` and ends at seq `last`; of its `hashes` the first `known` are in the books already."""

    branch: Branch
    last: int
    hashes: list[bytes]
    known: int


class Fork(msgspec.Struct, frozen=True):
    """The batch leaves `branch` after its first `known` records: a second future of the same past."""

    branch: Branch
    last: int
    hashes: list[bytes]
    known: int


class Gap(msgspec.Struct, frozen=True):
    """Send from `expected` on."""

    expected: int


class HeadMismatch(msgspec.Struct, frozen=True):
    """From the stream's very beginning the records do not lead to the declared head: the batch is not well formed."""


Admission = Held | Fork | Gap | HeadMismatch
Hashes = Callable[[Branch, int, int], list[bytes]]
"""The hashes held of a branch and its past, from one seq to another or to the mark; seq 0 has GENESIS_HASH."""


def admit(
    branches: Sequence[Branch], first: int, head: bytes | None, records: Sequence[bytes], hashes: Hashes
) -> Admission:
    """Where a batch belongs. `head` is None for a record that is delivered without its chain."""
    reached = [branch for branch in branches if branch.mark >= first - 1]
    if not reached:
        return Gap(max((branch.mark for branch in branches), default=0) + 1)
    found = [place for branch in reached if (place := _on(branch, first, head, records, hashes))]
    if not found:
        return HeadMismatch() if first == 1 else Gap(max(1, first - STEP_BACK))
    return max(found, key=lambda place: (isinstance(place, Held), place.known))


def _on(branch: Branch, first: int, head: bytes | None, records: Sequence[bytes], hashes: Hashes) -> Held | Fork | None:
    """The batch's place on this branch, None when it does not follow from it."""
    last = first + len(records) - 1
    past = hashes(branch, first - 1, last)
    chained = list(accumulate(records, chain, initial=past[0]))[1:]
    if head is not None and chained[-1] != head:
        return None
    known = _alike(past[1:], chained)
    if known == len(records):
        # What is held behind them may be another future of the same past: this till has shown no more than these.
        return Held(msgspec.structs.replace(branch, mark=last, head=chained[-1]), last, chained, known)
    return (Held if known == len(past) - 1 else Fork)(branch, last, chained, known)


def _alike(held: Iterable[bytes], sent: Iterable[bytes]) -> int:
    """How many hashes agree from the start."""
    count = 0
    for ours, theirs in zip(held, sent, strict=False):
        if ours != theirs:
            break
        count += 1
    return count


def marks_for(
    branches: Sequence[B], seq: int, head: bytes, accepted: int, hash_at: Callable[[B, int], bytes | None]
) -> int:
    """How far the ledger holds the stream of a till whose last record is `seq` with hash `head`.

    With one branch that is its mark; should that be another future's, the next batch does not follow and is sent from
    further back. With more, or where the till's last record is not the one we hold at that place, that record is not
    here, and only what the till was told before is sure to be its own; it sends the rest again and nothing is lost.
    """
    if any(branch.mark >= seq and hash_at(branch, seq) == head for branch in branches):
        return seq
    if len(branches) == 1 and branches[0].mark < seq:
        return branches[0].mark
    return min((accepted, seq - 1, *(branch.mark for branch in branches)) if branches else (0,))


def went_back(streams: Sequence[StreamHead], held: Callable[[str], int]) -> bool:
    """Whether a till was told of more custody than there is: then these books are a copy of an earlier day.

    `held` gives the mark of any stream. What a till does not declare any more it believes wholly accepted.
    """
    declared = {told.stream for told in streams}
    believed = [(told.stream, told.accepted) for told in streams]
    believed += [(p.stream, p.seq) for told in streams if (p := told.parent) and p.stream not in declared]
    return any(accepted > held(stream) for stream, accepted in believed)
