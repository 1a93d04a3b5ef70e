"""Whose child a stream is, without I/O: which beginnings and growths prove that one past has two futures.

Every start of a till opens new streams that name the record they follow, so the streams of a lane form a tree. A till
whose disk was put back or copied opens another branch of it, and that shows as soon as the stream is heard of.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from ledger.facts.codes import Code
from offline_queue.entry import Entry, Kind, Lane, Parent, Undecodable, decode
from offline_queue.wire import StreamHead

MAX_SEQ: Final = 2**40


class Opening(msgspec.Struct, frozen=True):
    """What is said of a stream's beginning. `machine`, `boot` and `opened_at` (RFC 3339) only by its genesis."""

    stream: str
    lane: Lane
    parent: Parent | None = None
    machine: str | None = None
    boot: str | None = None
    opened_at: str | None = None


class Past(msgspec.Struct, frozen=True):
    """The parent as the books hold it: up to `mark`; `agrees` where the record that the child follows is the same.

    `others` are the machines of its other children, None for one that is not known yet; `overtaken` where another
    branch was seen after it.
    """

    mark: int
    agrees: bool
    others: Sequence[str | None] = ()
    overtaken: bool = False


def declared(head: StreamHead) -> Opening:
    """The early warning: a till's own word on its streams comes before their records."""
    return Opening(head.stream, head.lane, head.parent)


def is_place(parent: Parent | None) -> bool:
    """Whether there can be such a record: a seq has 40 bits, and no database holds numbers of any size."""
    return parent is None or 0 <= parent.seq < MAX_SEQ


def opened(stream: str, record: bytes) -> Opening | None:
    """What the first record of a stream says, None where it is not this stream's genesis."""
    entry = _control(record, Kind.GENESIS)
    told = entry.genesis if entry else None
    if entry is None or told is None or told.stream != stream or not is_place(told.parent):
        return None
    return Opening(stream, told.lane, told.parent, told.machine_id, entry.clock.boot_id, entry.occurred_at)


def sealed(record: bytes) -> bool:
    """Whether this record ends its stream in order."""
    return _control(record, Kind.SEAL) is not None


def judged(opening: Opening, past: Past | None) -> Code | None:
    """FORK or RESTORED where the stream's beginning contradicts what is held of its parent.

    A second child on the machine of the first is a disk that was put back; on another machine it is a copy.
    """
    if opening.parent is None or past is None:
        return None
    if past.overtaken or (past.mark >= opening.parent.seq and not past.agrees):
        return Code.FORK
    if past.mark > opening.parent.seq:
        return Code.RESTORED
    if not past.others:
        return None
    known = opening.machine is None or opening.machine in past.others or None in past.others
    return Code.RESTORED if known else Code.FORK


def stronger(one: Code | None, other: Code | None) -> Code | None:
    """A fork is a fork, whatever else was found."""
    return Code.FORK if Code.FORK in (one, other) else one or other


def _control(record: bytes, kind: Kind) -> Entry | None:
    """The entry of a record that opens or closes a stream; few records are, so most are not decoded for this."""
    if b'"kind":"' + kind.value.encode() + b'"' not in record:
        return None
    try:
        entry = decode(record)
    except Undecodable:
        return None
    return entry if entry.kind is kind else None
