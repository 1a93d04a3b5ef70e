"""What of the till's state somebody should look at, in a line each; nothing when all is well. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from offline_queue.counted import counted
from offline_queue.room import MIB, Room

Status = Mapping[str, Any]


def attention(status: Status) -> list[str]:
    """In English for technicians, the gravest first; `status` as `GET /v1/status` gives it, of a till that runs."""
    return [*_ledger(status), *_journal(status), *_readers(status)]


def _ledger(status: Status) -> Iterator[str]:
    ledger, queued = status["ledger"], status["queue"]["queued"]
    if not ledger["reachable"]:
        yield f"nothing reaches the ledger; {entries(queued)} here{' and will be sent' if queued else ''}"
    for order in ledger.get("orders", ()):
        yield f"the ledger has found something about this till: {order['code']}"
    if status["queue"]["conflicts"]:
        yield f"{status['queue']['conflicts']} in conflict: a person has to decide"


def _journal(status: Status) -> Iterator[str]:
    disk, mirror = status.get("disk"), status.get("mirror")
    if disk is not None and disk["room"] != Room.FINE:
        yield disk_words(disk["room"], disk["free_bytes"])
    if mirror is not None and (mirror["behind"] or not mirror["reachable"]):
        away = "" if mirror["reachable"] else "is out of reach and "
        yield f"the mirror {away}lacks {counted(mirror['behind'], 'record')}"
    if mirror is not None and mirror["strays"]:
        yield "the mirror has records that the journal lacks: bring them with `tilld mirror deliver`"


def _readers(status: Status) -> Iterator[str]:
    for reader in status["readers"]:
        if reader["status"] != "ready":
            yield f"reader {reader['name']} is {reader['status']}"


def disk_words(room: str, free_bytes: int) -> str:
    """What the room on the disk means for sales; without any the journal goes on only while its log has room in it."""
    if room == Room.LOW:
        return "the disk is getting full"
    if free_bytes >= MIB:
        return "the disk is nearly full: points are earned but not redeemed"
    return "the disk is full: no points are redeemed, and sales are refused now or soon"


def entries(count: int) -> str:
    """`3 entries wait`, in numbers that read well."""
    return "1 entry waits" if count == 1 else f"{count or 'no'} entries wait"
