"""What a receipt proves of a stream whose old records are gone, and what it does not."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from ledger.books.receipts import Signer
from offline_queue.checkpoints import FORGED, NOT_SIGNED_FOR, UNPROVEN, Checkpoint
from offline_queue.receipts import Receipt

LEDGER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
HEAD, OTHER = bytes(range(32)), bytes(32)
TERMINAL, STREAM = "S001-T01", "s1"


def signed(seq: int, head: bytes = HEAD, stream: str = STREAM) -> Receipt:
    return Receipt(
        LEDGER.custody(TERMINAL, stream, seq, head, "2026-01-01T00:00:00Z"), TERMINAL, LEDGER.public_key, "g"
    )


@pytest.mark.parametrize(
    ("trimmed", "receipt", "doubt"),
    [
        (0, None, None),
        (1, None, None),  # the genesis stays, so nothing is gone
        (2, None, UNPROVEN),
        (7, signed(7), None),
        (7, signed(9), None),
        (7, signed(12), None),
        (7, signed(6), UNPROVEN),  # of those that are gone it proves all but one
        (7, signed(13), UNPROVEN),  # the stream has 12 records: it is of another's history
        (7, signed(7, OTHER), NOT_SIGNED_FOR),
        (7, signed(9, OTHER), None),  # the record there will show it: borne_out
        (1, signed(1, OTHER), NOT_SIGNED_FOR),
        (0, signed(12), None),
        (0, signed(13), NOT_SIGNED_FOR),
        (7, signed(9, stream="s2"), FORGED),
        (7, replace(signed(9), terminal="S001-T02"), FORGED),
        (7, replace(signed(9), key=LEDGER.public_key[::-1]), FORGED),
        (0, signed(5, stream="s2"), FORGED),
    ],
)
def test_what_a_receipt_proves(trimmed: int, receipt: Receipt | None, doubt: str | None) -> None:
    """Everything up to its record, if it is the ledger's, and no longer than the stream is."""
    assert Checkpoint(trimmed, HEAD, receipt).doubt(STREAM, 12) == doubt


def test_the_chain_must_lead_to_what_was_signed() -> None:
    """At the receipt's own record; what it says of no other."""
    checkpoint = Checkpoint(0, b"", signed(5))
    assert [checkpoint.borne_out(seq, OTHER) for seq in (4, 5, 6)] == [True, False, True]
    assert checkpoint.borne_out(5, HEAD)
    assert Checkpoint(0, b"", None).borne_out(5, OTHER)
