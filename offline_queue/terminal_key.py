"""An Ed25519 key (RFC 8032) in a file: what a ledger knows this till by, or its tills know a ledger by.

A PEM file after PKCS 8 (RFC 5208), mode 0600; it never leaves the machine.
"""

import os
import secrets
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Final

from offline_queue.disk_sync import sync_to_disk

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class KeyUnusable(Exception):
    """The key file cannot be used; nothing was changed."""


TERMINAL_MEANING: Final = (
    "{path} holds no key of this terminal ({why}). Sales can be journalled, but the ledger would not know who sent"
    " them: put the right file back, or move this one away and have the terminal enrolled again."
)


def load_or_create_key(path: Path, meaning: str = TERMINAL_MEANING) -> "Ed25519PrivateKey":
    """The key in `path`, made at the first start. Raises KeyUnusable with what it means, OSError."""
    try:
        pem = path.read_bytes()
    except FileNotFoundError:
        _create(path)
        pem = path.read_bytes()
    path.chmod(0o600)
    return _parsed(path, pem, meaning)


def load_key(path: Path, meaning: str = TERMINAL_MEANING) -> "Ed25519PrivateKey":
    """The key in `path`, which stays as it is. Raises KeyUnusable, OSError."""
    return _parsed(path, path.read_bytes(), meaning)


def public_key(key: "Ed25519PrivateKey") -> str:
    """The 32 bytes of the public key, base64."""
    return b64encode(key.public_key().public_bytes_raw()).decode()


def sign(key: "Ed25519PrivateKey", message: bytes) -> str:
    """A signature, base64."""
    return b64encode(key.sign(message)).decode()


def _parsed(path: Path, pem: bytes, meaning: str) -> "Ed25519PrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(meaning.format(path=path, why=error)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(meaning.format(path=path, why="it is of another kind than Ed25519"))
    return key


def _create(path: Path) -> None:
    """Whole or not at all, and never over another's file: written aside, synced, then linked into place."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        _link(aside, path)
    finally:
        aside.unlink()


def _link(aside: Path, path: Path) -> None:
    try:
        path.hardlink_to(aside)
    except FileExistsError:
        return  # Another start was quicker; its key is the terminal's.
    sync_to_disk(path.parent)
