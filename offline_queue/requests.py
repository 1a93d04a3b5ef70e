"""What a till says to the ledger: each step of the protocol made into a request, from what the journal holds."""

from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from offline_queue.entry import Clock
from offline_queue.ledger_answers import TransientLedgerError
from offline_queue.ledger_client import Ledger
from offline_queue.steps import Answer, FetchChanges, FetchDecisions, ParkRecord, Request, SayHello, SendRecords
from offline_queue.timepiece import Timepiece, rfc3339
from offline_queue.wire import (
    MAX_BATCH_BYTES,
    OLDEST_PROTOCOL,
    PROTOCOL,
    BatchAnswer,
    BatchHeader,
    Hello,
    Park,
    StreamHead,
)

if TYPE_CHECKING:
    from offline_queue.store import JournalReader

DECISIONS_PER_PAGE: Final = 500
CHANGES_PER_PAGE: Final = 500
BATCH_ROOM: Final = MAX_BATCH_BYTES - 4096
"""Bytes of records in a batch: what the ledger takes, less the header and the line feeds."""


class Identity(msgspec.Struct, frozen=True):
    """Who speaks: the enrolled name, the public key (base64) and the version of the software.

    `ledger_key` (base64) is the ledger's where the shop has named it; `protocols` the oldest and newest version spoken.
    """

    terminal: str
    public_key: str
    software: str
    ledger_key: str | None = None
    protocols: tuple[int, int] = (OLDEST_PROTOCOL, PROTOCOL)


class Speaker:
    """Used by the courier's thread alone; `journal` is that thread's own reader."""

    def __init__(self, journal: "JournalReader", ledger: Ledger, timepiece: Timepiece, identity: Identity) -> None:
        self._journal, self._ledger, self._timepiece, self._identity = journal, ledger, timepiece, identity

    def say(
        self, step: Request, request: str, heads: Sequence[StreamHead], rights: Sequence[str], generation: str | None
    ) -> Answer:
        """Waits for the answer to `request`. A hello declares `heads` and `rights`. Raises LedgerError.

        `generation` is the ledger's as it was last heard.
        """
        match step:
            case SayHello():
                return self._ledger.hello(self._hello(request, heads, rights, generation))
            case SendRecords(stream, first, limit):
                return self._send(request, stream, first, limit, generation or "")
            case ParkRecord(stream, seq):
                return self._park(request, stream, seq, generation or "")
            case FetchDecisions(after):
                return self._ledger.decisions(request, after, DECISIONS_PER_PAGE)
            case FetchChanges(after):
                return self._ledger.changes(request, after, CHANGES_PER_PAGE)

    def _hello(self, request: str, heads: Sequence[StreamHead], rights: Sequence[str], generation: str | None) -> Hello:
        return Hello(
            request=request,
            terminal=self._identity.terminal,
            public_key=self._identity.public_key,
            protocol_min=self._identity.protocols[0],
            protocol_max=self._identity.protocols[1],
            software=self._identity.software,
            streams=list(heads),
            time=rfc3339(now := self._timepiece.unix_ms()),
            generation=generation,
            allowances=sorted(rights),
            clock=Clock(self._timepiece.boot_id, self._timepiece.boottime_ms(), rfc3339(now)),
        )

    def _send(self, request: str, stream: str, first: int, limit: int, generation: str) -> BatchAnswer:
        """From `first` on, or from the next that was not given up: the ledger may send us back further than we keep."""
        first = self._journal.kept_from(stream, first)
        records = self._records(stream, first, limit)
        last = first + len(records) - 1
        head = self._journal.hash_at(stream, last).hex()
        return self._ledger.send(BatchHeader(request, stream, first, len(records), head, generation), records)

    def _park(self, request: str, stream: str, seq: int, generation: str) -> BatchAnswer:
        (record,) = self._records(stream, seq, 1)
        return self._ledger.park(Park(request, stream, seq, b64encode(record).decode(), generation))

    def _records(self, stream: str, first: int, limit: int) -> list[bytes]:
        records = self._journal.records(stream, first, limit, BATCH_ROOM)
        if not records:
            raise TransientLedgerError(f"the journal lacks record {first} of stream {stream}; run `tilld queue verify`")
        return records
