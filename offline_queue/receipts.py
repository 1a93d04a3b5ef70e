"""Receipts of custody at the till: a signature that the ledger can never deny. Pure.

A receipt proves the whole chain up to its head, and so every record before it, also those given up since.
"""

from base64 import b64decode
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from offline_queue.signing import custody_input
from offline_queue.wire import BatchAnswer, Custody

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Receipt(msgspec.Struct, frozen=True):
    """As the journal keeps it: for which `terminal`, by which ledger `key` (base64), in which `generation` of books."""

    custody: Custody
    terminal: str
    key: str
    generation: str


def proves(answer: BatchAnswer, terminal: str, key: str | None) -> bool:
    """Whether an answer is custody: always without a known key, else only what the key has signed for."""
    if key is None:
        return True
    custody = answer.custody
    return custody is not None and custody.seq == answer.accepted and genuine(custody, terminal, answer.stream, key)


def genuine(custody: Custody, terminal: str, stream: str, key: str) -> bool:
    """Whether the key (base64, Ed25519) has signed this for the terminal's stream."""
    return signed_by(key, custody.signature, custody_input(terminal, stream, custody.seq, custody.head, custody.at))


def signed_by(key: str, signature: str, message: bytes) -> bool:
    """Whether this is the key's Ed25519 signature; key and signature in base64."""
    from cryptography.exceptions import InvalidSignature

    try:
        _loaded(key).verify(b64decode(signature, validate=True), message)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=8)
def _loaded(key: str) -> "Ed25519PublicKey":
    """Raises ValueError for what is no key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(b64decode(key, validate=True))
