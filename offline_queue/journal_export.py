"""The whole journal in one file that proves itself to a stranger (offline_queue/export_lines.py tells its lines)."""

import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Final

from offline_queue.checkpoints import Checkpoint, checkpoint_of
from offline_queue.entry import decode
from offline_queue.export_lines import FORMAT, Begin, End, Gone, Proof, Record
from offline_queue.exporting import Exporting
from offline_queue.finder import SEQ_MASK, place_of
from offline_queue.journal_marks import LEDGER_KEY, recall
from offline_queue.signing import seal_input
from offline_queue.terminal_key import public_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PAGE: Final = 1000
"""Records read at once: half a megabyte."""
_PAGE: Final = "SELECT place, record, hash FROM record WHERE place >= ? AND place <= ? ORDER BY place LIMIT ?"
_FIRST: Final = "SELECT record FROM record ORDER BY place LIMIT 1"

Seal = str | None


def records_of(connection: sqlite3.Connection, no: int) -> Iterator[tuple[int, bytes, bytes]]:
    """Places, records and hashes, page by page: a reader that stands still, in a pipe say, would keep the writer from
    using its log again."""
    at, end = place_of(no, 0), place_of(no, SEQ_MASK)
    while rows := connection.execute(_PAGE, (at, end, PAGE)).fetchall():
        yield from rows
        at = rows[-1][0] + 1


def export(connection: sqlite3.Connection, out: BinaryIO, key: "Ed25519PrivateKey | None" = None) -> int:
    """Every record, stream by stream, with the ledger's receipts; the number of records.

    The terminal's own `key` seals the end of each stream: without it nobody but the ledger vouches for the file.
    """
    terminal, exporting = _terminal(connection), Exporting(out)
    ours = public_key(key) if key else None
    exporting.write(Begin(FORMAT, terminal, ours, recall(connection, LEDGER_KEY)))
    for no, uid in connection.execute("SELECT no, uid FROM stream ORDER BY no").fetchall():
        _stream(connection, exporting, no, uid, terminal, key)
    return exporting.finish()


def _stream(
    connection: sqlite3.Connection,
    exporting: Exporting,
    no: int,
    uid: str,
    terminal: str,
    key: "Ed25519PrivateKey | None",
) -> None:
    checkpoint, seq, head = checkpoint_of(connection, no), 0, b""
    for place, record, digest in records_of(connection, no):
        found = place & SEQ_MASK
        if found != seq + 1:
            checkpoint = checkpoint_of(connection, no)
            exporting.write(Gone(uid, checkpoint.trimmed, checkpoint.head.hex()))
            _prove(exporting, uid, checkpoint, checkpoint.trimmed)
        seq, head = found, digest
        exporting.write(Record(uid, seq, head.hex(), record.decode()))
        _prove(exporting, uid, checkpoint, seq)
    exporting.write(End(uid, seq, head.hex(), _seal(key, terminal, uid, seq, head)))


def _prove(exporting: Exporting, uid: str, checkpoint: Checkpoint, seq: int) -> None:
    if checkpoint.receipt is not None and checkpoint.receipt.custody.seq == seq:
        exporting.write(Proof(uid, checkpoint.receipt))


def _seal(key: "Ed25519PrivateKey | None", terminal: str, uid: str, seq: int, head: bytes) -> Seal:
    return b64encode(key.sign(seal_input(terminal, uid, seq, head.hex()))).decode() if key else None


def _terminal(connection: sqlite3.Connection) -> str:
    """Whose journal this is, by its first genesis record. Raises Undecodable, TypeError where that is damaged."""
    (record,) = connection.execute(_FIRST).fetchone()
    return decode(record).terminal
