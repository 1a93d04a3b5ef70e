"""What the ledger has signed for, held against the chain of a stream: proof also of records that were given up."""

import sqlite3
from typing import Final

import msgspec

from offline_queue.receipts import Receipt, genuine

NOT_SIGNED_FOR: Final = "the ledger's receipt is for another record here: one of the two histories is not the true one"
FORGED: Final = "the ledger's receipt is not signed by the key that this till knew: it proves nothing"
UNPROVEN: Final = "old records were given up here and no receipt proves what they were"


class Checkpoint(msgspec.Struct, frozen=True):
    """Records from 2 to `trimmed` were given up, `head` is the chain's hash after them; `receipt` the newest one."""

    trimmed: int
    head: bytes
    receipt: Receipt | None

    def borne_out(self, seq: int, digest: bytes) -> bool:
        """Whether the chain, at this seq, is the one that was signed for."""
        signed = self.receipt.custody if self.receipt else None
        return signed is None or signed.seq != seq or signed.head == digest.hex()

    def doubt(self, stream: str, last: int) -> str | None:
        """What is wrong with the receipt itself, None where it proves what it should; `last` is the stream's end."""
        if self.receipt is None:
            return UNPROVEN if self.trimmed > 1 else None
        custody, receipt = self.receipt.custody, self.receipt
        if not genuine(custody, receipt.terminal, stream, receipt.key):
            return FORGED
        if custody.seq < self.trimmed or custody.seq > last:
            return UNPROVEN if self.trimmed > 1 else NOT_SIGNED_FOR
        if custody.seq == self.trimmed and custody.head != self.head.hex():
            return NOT_SIGNED_FOR
        return None


def checkpoint_of(connection: sqlite3.Connection, no: int) -> Checkpoint:
    """Of the stream with this number. Raises sqlite3.Error, TypeError for what no journal of ours holds."""
    query = "SELECT trimmed, trimmed_hash, receipt FROM stream WHERE no = ?"
    trimmed, head, receipt = connection.execute(query, (no,)).fetchone()
    return Checkpoint(trimmed, head or b"", msgspec.json.decode(receipt, type=Receipt) if receipt else None)
