"""The ledger's own key: what it holds in custody it signs for, so that it can never deny it."""

from pathlib import Path
from typing import TYPE_CHECKING

from offline_queue.signing import custody_input
from offline_queue.terminal_key import load_or_create_key, public_key, sign
from offline_queue.wire import Custody

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MEANING = (
    "{path} holds no key of a ledger ({why}). Tills that know its old key would take no answer without it, and keep"
    " their records: put the right file back, from where you keep the books' backups."
)


class Signer:
    """Signs receipts of custody with an Ed25519 key (RFC 8032). May be used from any thread."""

    def __init__(self, key: "Ed25519PrivateKey") -> None:
        self._key = key
        self.public_key = public_key(key)
        """Base64, as tills are told."""

    @classmethod
    def kept_in(cls, path: Path) -> "Signer":
        """The key in a file, made where there is none. Raises KeyUnusable, OSError."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(load_or_create_key(path, MEANING))

    def custody(self, terminal: str, stream: str, seq: int, head: bytes, at: str) -> Custody:
        """The receipt for a stream up to `seq`, whose chain has the hash `head`; `at` is RFC 3339."""
        digest = head.hex()
        return Custody(seq, digest, at, sign(self._key, custody_input(terminal, stream, seq, digest, at)))
