"""The encrypted form of a message (`NexoBlob`): AES-256-CBC for secrecy, HMAC-SHA256 for authenticity.

As the library of the protocol's largest user does it: keys by PBKDF2-HMAC-SHA1 (RFC 8018 section 5.2) from a
passphrase, the HMAC over the plain text. Which of the checks has failed is never told: an answer that tells bad
padding from a bad HMAC opens messages without the key.
"""

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass, field
from typing import Annotated, Final

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from terminal.api.nexo.names import Shape

SALT: Final = b"AdyenNexoV1Salt"
ROUNDS: Final = 4000
BLOCK: Final = 16
CRYPTO_VERSION: Final = 1


class Unopened(Exception):
    """An encrypted message that this key does not open, or that somebody has changed on its way."""


class Trailer(Shape, frozen=True):
    """Which key has encrypted a message, and what is needed beside it to open it; byte strings in base64."""

    adyen_crypto_version: int
    key_identifier: str
    key_version: int
    nonce: Annotated[str, msgspec.Meta(max_length=64)]
    hmac: Annotated[str, msgspec.Meta(max_length=128)]


@dataclass(frozen=True)
class Material:
    """The three secrets that come of a passphrase; they show as nothing in logs."""

    hmac_key: bytes = field(repr=False)
    cipher_key: bytes = field(repr=False)
    iv: bytes = field(repr=False)


def derive(passphrase: str) -> Material:
    """Takes some milliseconds: once for each key, not for each message. The passphrase is Latin-1."""
    bits = hashlib.pbkdf2_hmac("sha1", passphrase.encode("latin-1"), SALT, ROUNDS, 80)
    return Material(bits[:32], bits[32:64], bits[64:])


def encrypt(plain: bytes, material: Material, nonce: bytes | None = None) -> tuple[str, str, str]:
    """Blob, nonce and HMAC, each in base64."""
    nonce = nonce or os.urandom(BLOCK)
    padder = PKCS7(BLOCK * 8).padder()
    encryptor = _cipher(material, nonce).encryptor()
    blob = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    mac = hmac.digest(material.hmac_key, plain, "sha256")
    return _text(blob), _text(nonce), _text(mac)


def decrypt(blob: str, nonce: str, mac: str, material: Material) -> bytes:
    """The plain text. Raises Unopened."""
    try:
        encrypted, chance, sent = _bytes(blob), _bytes(nonce), _bytes(mac)
        decryptor = _cipher(material, chance).decryptor()
        unpadder = PKCS7(BLOCK * 8).unpadder()
        plain = unpadder.update(decryptor.update(encrypted) + decryptor.finalize()) + unpadder.finalize()
    except ValueError:
        raise Unopened from None
    if not hmac.compare_digest(hmac.digest(material.hmac_key, plain, "sha256"), sent):
        raise Unopened
    return plain


def _cipher(material: Material, nonce: bytes) -> "Cipher[modes.CBC]":
    """Raises ValueError for a nonce that is not as long as a block."""
    iv = bytes(one ^ other for one, other in zip(material.iv, nonce, strict=True))
    return Cipher(algorithms.AES256(material.cipher_key), modes.CBC(iv))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    """Base64 may be broken into lines (RFC 2045); nothing else may stand in it. Raises ValueError."""
    return base64.b64decode("".join(text.split()), validate=True)
