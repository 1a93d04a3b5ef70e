"""The sheet that says whether a reader works: signed by its till, so that it cannot be bettered afterwards.

Ed25519 (RFC 8032) over PURPOSE and the sheet's canonical JSON (RFC 8785). A sheet holds no fractions, so the canonical
form is JSON with sorted keys, no blanks, and nothing escaped that need not be. The key is the terminal's own, which
`tilld enroll` shows and the ledger knows.
"""

import json
from typing import TYPE_CHECKING, Any, Final

import msgspec

from offline_queue.receipts import signed_by
from offline_queue.terminal_key import public_key, sign
from terminal.trial.talk import TrialView

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FORMAT: Final = "tilld-test-card-1"
PURPOSE: Final = FORMAT.encode() + b"\n"
"""Before what is signed: no other signature of this key can stand for a sheet's."""


class Sheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`trial` has ended; `version` is tilld's."""

    terminal: str
    store: str
    version: str
    trial: TrialView
    format: str = FORMAT


class SignedSheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`key` (the terminal's public key) and `signature` in base64."""

    sheet: Sheet
    key: str
    signature: str


class NoSheet(ValueError):
    """These bytes are no sheet that this version knows."""


def signed(sheet: Sheet, key: "Ed25519PrivateKey") -> SignedSheet:
    return SignedSheet(sheet, public_key(key), sign(key, PURPOSE + canonical(msgspec.to_builtins(sheet))))


def canonical(plain: Any) -> bytes:
    """RFC 8785 for what holds no fractions. Raises NoSheet for fractions and for text that is no Unicode."""
    if _has_fraction(plain):
        raise NoSheet("it holds a fraction")
    try:
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise NoSheet("it holds text that is no Unicode") from None


def read(document: bytes) -> SignedSheet:
    """From its JSON. Raises NoSheet, also for a name that stands there twice: two readers could see two sheets."""
    try:
        plain = json.loads(document, object_pairs_hook=_once)
        return msgspec.convert(plain, SignedSheet)
    except (ValueError, RecursionError) as error:
        raise NoSheet(str(error)) from None


def genuine(signed_sheet: SignedSheet) -> bool:
    """Whether the sheet is as its key has signed it; whose key it is, another must say."""
    plain = msgspec.to_builtins(signed_sheet.sheet)
    return signed_by(signed_sheet.key, signed_sheet.signature, PURPOSE + canonical(plain))


def _has_fraction(plain: Any) -> bool:
    if isinstance(plain, dict):
        return any(_has_fraction(value) for value in plain.values())
    if isinstance(plain, list):
        return any(_has_fraction(value) for value in plain)
    return isinstance(plain, float)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise NoSheet("a name stands in it twice")
    return names
