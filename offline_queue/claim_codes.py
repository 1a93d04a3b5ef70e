"""Claim codes: a sale, signed by its till, small enough for a receipt. Whoever holds the till's key can check it.

A CBOR map in a COSE_Sign1 (RFC 9052 section 4.2, EdDSA after RFC 9053 section 2.2), written for a QR code as
`TILLD1:` and base45, or as lines that a person can type. docs/protocol.md has the format byte by byte. Pure.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from offline_queue import base45, plain_cbor, typed_lines
from offline_queue.claimed_sale import Sale, check, told, understood

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PREFIX: Final = "TILLD1:"
KEY_PREFIX: Final = "claim:"
"""Before the sale's idempotency key it is the claim's own: a till takes one claim of a sale."""
MAX_CHARACTERS: Final = 2048
"""Far more than any code has, typed with all its spaces."""
MAX_BYTES: Final = 512

_COSE_SIGN1: Final = b"\xd2"
_ALGORITHM, _KID, _EDDSA = 1, 4, -8
_SIGNATURE_BYTES: Final = 64
_CONTEXT: Final = b"tilld-claim-1"
"""The externally supplied data of the signature: it is for a claim of version 1 and for nothing else."""
_TERMINAL: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_VERSIONED: Final = re.compile(r"\s*TILLD([0-9]{1,4}):", re.IGNORECASE)


class Fault(StrEnum):
    """What is wrong with a code that cannot be read."""

    FOREIGN = "foreign"  # no claim code at all
    NEWER = "newer"  # of a version that this tilld does not know
    DAMAGED = "damaged"  # part of it is missing or wrong, nobody knows where
    MISTYPED = "mistyped"  # `line` does not fit its check
    CUT_SHORT = "cut_short"  # typed as far as `line`, where it does not end


class Unreadable(ValueError):
    """This is no claim code. `line`, from 1, is the line of the typed form that is meant; 0 where there is none."""

    def __init__(self, what: str, fault: Fault, line: int = 0) -> None:
        super().__init__(what)
        self.fault = fault
        self.line = line


class Code(msgspec.Struct, frozen=True):
    """A code that was read and is not proven yet: `signed` bytes and their `signature`; `raw` is all of it."""

    sale: Sale
    signed: bytes
    signature: bytes
    raw: bytes

    @property
    def text(self) -> str:
        """For a QR code (alphanumeric mode) and for other programs."""
        return PREFIX + base45.encode(self.raw)

    @property
    def lines(self) -> list[str]:
        """For people."""
        return typed_lines.encode(self.raw)

    def proven(self, keys: Iterable[bytes]) -> bool:
        """Whether one of these public keys (32 bytes each) signed it."""
        return any(_signed_by(key, self.signature, self.signed) for key in keys)


def issue(sale: Sale, key: "Ed25519PrivateKey") -> Code:
    """Raises ValueError for a sale that no till of ours makes."""
    check(sale)
    protected = plain_cbor.encode({_ALGORITHM: _EDDSA, _KID: sale.terminal.encode()})
    payload = plain_cbor.encode(told(sale))
    signed = _to_sign(protected, payload)
    signature = key.sign(signed)
    return Code(sale, signed, signature, _COSE_SIGN1 + plain_cbor.encode([protected, {}, payload, signature]))


def read(text: str) -> Code:
    """Either form. Raises Unreadable, and nothing else whatever the text; nothing is proven yet."""
    if len(text) > MAX_CHARACTERS:
        raise Unreadable(f"it has {len(text)} characters; no claim code has more than {MAX_CHARACTERS}", Fault.FOREIGN)
    found = _VERSIONED.match(text)
    if found and found[0].lstrip().upper() != PREFIX:
        raise Unreadable(f"it is of version {found[1]}, which this tilld does not know yet: update it", Fault.NEWER)
    return _scanned(text[found.end() :]) if found else _typed(text)


def _scanned(text: str) -> Code:
    try:
        raw = base45.decode(text.strip().upper())
    except ValueError as error:
        raise Unreadable(f"it is damaged: {error}", Fault.DAMAGED) from error
    return read_bytes(raw)


def _typed(text: str) -> Code:
    """Each line has a check of its own: where all of them fit and make no code, lines are missing."""
    try:
        raw = typed_lines.decode(text)
        return _code(raw)
    except typed_lines.CutShort as error:
        raise Unreadable(str(error), Fault.CUT_SHORT, error.line) from error
    except typed_lines.Mistyped as error:
        raise Unreadable(str(error), Fault.MISTYPED if _has_lines(text) else Fault.FOREIGN, error.line) from error
    except ValueError as error:
        last = len(typed_lines.encode(raw))
        raise Unreadable(f"line {last} is not the last of a code: {error}", Fault.CUT_SHORT, last) from error


def _has_lines(text: str) -> bool:
    """A line alone may be anything: the number of an article, for one."""
    return len(text.split()) > 1 or len(text.strip()) > typed_lines.LINE


def read_bytes(raw: bytes) -> Code:
    """Raises Unreadable."""
    try:
        return _code(raw)
    except ValueError as error:  # UnicodeDecodeError among them
        raise Unreadable(f"it is damaged: {error}", Fault.DAMAGED) from error


def _code(raw: bytes) -> Code:
    if len(raw) > MAX_BYTES or not raw.startswith(_COSE_SIGN1):
        raise ValueError("it is not a signature of one signer (COSE_Sign1)")
    match plain_cbor.decode(raw.removeprefix(_COSE_SIGN1)):
        case [bytes(protected), {**unprotected}, bytes(payload), bytes(signature)] if not unprotected:
            pass
        case _:
            raise ValueError("its four parts are not there")
    if len(signature) != _SIGNATURE_BYTES:
        raise ValueError("its signature is not of 64 bytes")
    sale = understood(_kid(protected), plain_cbor.decode(payload))
    return Code(sale, _to_sign(protected, payload), signature, raw)


def _kid(protected: bytes) -> str:
    match plain_cbor.decode(protected):
        case {1: -8, 4: bytes(kid), **more} if not more and _TERMINAL.fullmatch(terminal := kid.decode()):
            return terminal
    raise ValueError("its header names no terminal and EdDSA")


def _to_sign(protected: bytes, payload: bytes) -> bytes:
    """RFC 9052 section 4.4."""
    return plain_cbor.encode(["Signature1", protected, _CONTEXT, payload])


def _signed_by(key: bytes, signature: bytes, signed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        _loaded(key).verify(signature, signed)
    except (InvalidSignature, ValueError):  # ValueError: these bytes are no key
        return False
    return True


@lru_cache(maxsize=256)
def _loaded(key: bytes) -> "Ed25519PublicKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(key)
