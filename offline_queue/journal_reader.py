"""The journal as it can be read beside its one writer: also when the daemon is down."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from offline_queue import journal_audit, journal_entries, journal_export, journal_marks, journal_rights, journal_streams
from offline_queue.entry import State
from offline_queue.finder import SEQ_MASK, find, place_of
from offline_queue.journal import Allowance, AllowanceState, Found, Totals, Verification
from offline_queue.opening import open_to_read
from offline_queue.receipts import Receipt
from offline_queue.seen import Seen, word_of
from offline_queue.wire import StreamHead

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

UNDECIDED: Final = frozenset({State.QUEUED, State.ACCEPTED})
MOST_UNCOVERED: Final = 64
"""Of them at a time in a hello; the next ones have their turn when a backup covers these."""
_RECORDS = "SELECT place, record FROM record WHERE place >= ? AND place <= ? ORDER BY place LIMIT ?"


class JournalReader:
    """A connection that cannot write, for one thread at a time. `seen` spares a new key the look into the file."""

    def __init__(self, connection: sqlite3.Connection, seen: Seen | None = None) -> None:
        self._connection = connection
        self._seen = seen

    @classmethod
    def open(cls, path: Path, seen: Seen | None = None) -> "JournalReader":
        """Raises JournalUnusable."""
        return cls(open_to_read(path), seen)

    def close(self) -> None:
        self._connection.close()

    def streams(self, *, all: bool = False) -> list[StreamHead]:  # noqa: A002 - reads well where it is called
        """Every stream that is open or not wholly accepted, the oldest first; or every one."""
        rows = journal_streams.streams(self._connection)
        wanted = [row for row in rows if all or row.is_open or row.accepted < row.head]
        return [journal_streams.head_of(self._connection, row) for row in wanted]

    def waiting(self) -> list[StreamHead]:
        """Of `streams` what may be sent next: one after the other, and the second where the first does not go.

        A till that was often started without a line has thousands, and this is asked before each batch.
        """
        rows = journal_streams.waiting(self._connection, 2)
        return [journal_streams.head_of(self._connection, row) for row in rows]

    def declared(self) -> list[StreamHead]:
        """What a hello tells of: streams that are open or not wholly accepted, and accepted ones without a backup.

        Of the last kind the newest MOST_UNCOVERED. The ledger's word on them lets old records go, and a ledger that was
        put back shows by them even when it has heard everything that came later.
        """
        rows = journal_streams.streams(self._connection)
        uncovered = journal_streams.uncovered(self._connection, MOST_UNCOVERED)
        wanted = [row for row in rows if row.is_open or row.accepted < row.head or row.no in uncovered]
        return [journal_streams.head_of(self._connection, row) for row in wanted]

    def holds(self, stream: str) -> bool:
        """Whether this journal has ever opened the stream."""
        return journal_streams.numbered(self._connection, stream) is not None

    def end(self, stream: str) -> int:
        """The last record of a stream; 0 for a stream that is not here."""
        return journal_streams.end(self._connection, stream)

    def accepted(self, stream: str) -> int:
        """The last record of a stream that is in the ledger's custody; 0 for a stream that is not here."""
        return journal_streams.accepted(self._connection, stream)

    def records(self, stream: str, first: int, limit: int, max_bytes: int) -> list[bytes]:
        """The bytes of up to `limit` records from `first` on: one, and more up to `max_bytes` in all.

        None where `first` was given up. Raises LookupError for a stream that is not here.
        """
        no, taken, size = journal_streams.number_of(self._connection, stream), list[bytes](), 0
        rows = self._connection.execute(_RECORDS, (place_of(no, first), place_of(no, SEQ_MASK), limit))
        with closing(rows):
            for place, record in rows:
                size += len(record)
                if place != place_of(no, first) + len(taken) or (taken and size > max_bytes):
                    break
                taken.append(record)
        return taken

    def kept_from(self, stream: str, seq: int) -> int:
        """Where the first record from `seq` on lies that was not given up; `seq` where none is left.

        Raises LookupError for a stream that is not here.
        """
        no = journal_streams.number_of(self._connection, stream)
        return journal_streams.kept_from(self._connection, place_of(no, seq)) & SEQ_MASK

    def hash_at(self, stream: str, seq: int) -> bytes:
        """The chain's hash after this record. Raises LookupError."""
        no = journal_streams.number_of(self._connection, stream)
        return journal_streams.hash_at(self._connection, place_of(no, seq))

    def receipt(self, stream: str) -> Receipt | None:
        """The ledger's newest receipt of custody. Raises LookupError for a stream that is not here."""
        return journal_streams.receipt_of(self._connection, journal_streams.number_of(self._connection, stream))

    def find_key(self, key: str) -> Found | None:
        """The entry that was made for an idempotency key."""
        if self._seen is not None and word_of(key) not in self._seen:
            return None
        return journal_entries.find_entry(self._connection, "key", key)

    def find_id(self, id: str) -> Found | None:  # noqa: A002 - the port's word
        """The entry with this id."""
        return journal_entries.find_entry(self._connection, "id", id)

    def reversed_points(self, id: str) -> int:  # noqa: A002 - the port's word
        """How many points of this entry were taken back at this till."""
        return journal_rights.reversed_points(self._connection, id)

    def resolution_of(self, name: str) -> Found | None:
        """The last correction that this till wrote for the entry of this name."""
        identity = journal_rights.resolution_of(self._connection, name)
        return self.find_id(identity) if identity is not None else None

    def allowances(self, *states: AllowanceState) -> list[Allowance]:
        """Rights in any of these states, or all, in the order they were asked for."""
        return journal_rights.allowances(self._connection, states or tuple(AllowanceState))

    def recall(self, name: str) -> str | None:
        """What Store.remember was told last under this name."""
        return journal_marks.recall(self._connection, name)

    def cursor(self) -> int:
        """How far the decision feed of the ledger's present generation has been taken over."""
        return int(self.recall(journal_marks.CURSOR) or 0)

    def list(self, after: str | None, limit: int, states: Collection[State] | None = None) -> "list[Found]":
        """Entries stream by stream, the oldest first, from the one behind the id `after` on."""
        behind = find(self._connection, "id", after) if after is not None else None
        found = journal_entries.entries(self._connection, states or frozenset(State), behind[0] if behind else 0)
        with closing(found):
            return [*islice(found, limit)]

    def disputed(self, after: str | None, limit: int) -> Sequence[Found]:
        """Entries that people must look at, in the same order, from the one behind the id `after` on."""
        behind = find(self._connection, "id", after) if after is not None else None
        found = journal_entries.disputed(self._connection, behind[0] if behind else 0)
        with closing(found):
            return [*islice(found, limit)]

    def undecided(self) -> Iterator[Found]:
        """Entries on which the ledger has said nothing yet."""
        return journal_entries.entries(self._connection, UNDECIDED, 0)

    def totals(self) -> Totals:
        return journal_entries.totals(self._connection)

    def verify(self) -> Verification:
        """Recomputes every chain."""
        return journal_audit.verify(self._connection)

    def export(self, out: BinaryIO, key: "Ed25519PrivateKey | None" = None) -> int:
        """Writes JSON Lines (export_lines.py) and returns the number of records; `key` seals each stream's end."""
        return journal_export.export(self._connection, out, key)
