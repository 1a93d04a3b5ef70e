"""What of the till's state somebody should look at, in a line each; nothing when all is well. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from offline_queue.room import Room

Status = Mapping[str, Any]


def attention(status: Status) -> list[str]:
    """In English for technicians, the gravest first; `status` as `GET /v1/status` gives it, of a till that runs."""
    return [*_ledger(status), *_journal(status), *_readers(status)]


def _ledger(status: Status) -> Iterator[str]:
    ledger, queued = status["ledger"], status["queue"]["queued"]
    if not ledger["reachable"]:
        yield f"the ledger is out of reach; {entries(queued)} here and will be sent"
    for order in ledger.get("orders", ()):
        yield f"the ledger has found something about this till: {order['code']}"
    if status["queue"]["conflicts"]:
        yield f"{status['queue']['conflicts']} in conflict: a person has to decide"


def _journal(status: Status) -> Iterator[str]:
    disk, mirror = status.get("disk"), status.get("mirror")
    if disk is not None and disk["room"] != Room.FINE:
        yield f"the disk is getting full ({disk['room']})"
    if mirror is not None and (mirror["behind"] or not mirror["reachable"]):
        yield f"the mirror lacks {mirror['behind']} records"


def _readers(status: Status) -> Iterator[str]:
    for reader in status["readers"]:
        if reader["status"] != "ready":
            yield f"reader {reader['name']} is {reader['status']}"


def entries(count: int) -> str:
    """`3 entries wait`, in numbers that read well."""
    return "1 entry waits" if count == 1 else f"{count} entries wait"
