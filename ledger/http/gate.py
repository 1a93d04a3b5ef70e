"""Who may speak: every request is signed by an enrolled terminal's key, or it changes nothing."""

import base64
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ledger.port.book import Book
from ledger.port.problems import refused
from offline_queue.signing import parse_authorization, seal_input, signing_input
from offline_queue.wire import BatchHeader, Hello, ProblemCode

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEY_BYTES: Final = 32
"""An Ed25519 public key (RFC 8032 section 5.1.5)."""


class Enrolment(StrEnum):
    """`open`: a terminal never heard of is enrolled at its first hello. For one machine only."""

    OPEN = "open"
    CLOSED = "closed"


class Gate:
    """Checks signatures against the keys in the books."""

    def __init__(self, book: Book, enrolment: Enrolment) -> None:
        self._book, self._enrolment = book, enrolment

    def sender(self, authorization: str, method: str, path: str, body: bytes) -> str:
        """The terminal that signed this request. Raises Refused `terminal_unknown`, `signature_bad`."""
        terminal, signature = _parsed(authorization)
        key = self._book.public_key(terminal)
        if key is None:
            raise refused(ProblemCode.TERMINAL_UNKNOWN, f"terminal {terminal} has never been enrolled here")
        _check(key, signature, signing_input(method, path, body))
        return terminal

    def owner(self, sender: str, header: BatchHeader) -> str:
        """Whose records a batch brings: the sender's, or those of a till that sealed them for whoever brings them.

        Raises Refused `terminal_unknown`, `signature_bad`.
        """
        if header.owner is None or header.owner == sender:
            return sender
        now = self._book.public_key(header.owner)
        if now is None:
            why = f"terminal {header.owner}, whose records these are, has never been enrolled here"
            raise refused(ProblemCode.TERMINAL_UNKNOWN, why, request=header.request)
        # Copies are brought for a till that burnt down: by then another machine has its name, with a key of its own.
        keys = dict.fromkeys([*self._book.terminal_keys(header.owner), now])
        seal, last = _seal(header), header.first + header.count - 1
        _check_any(keys, seal, seal_input(header.owner, header.stream, last, header.head))
        return header.owner

    def greet(self, hello: Hello, authorization: str, path: str, body: bytes) -> None:
        """The same for a hello, which may enrol its terminal. A known terminal never gets another key this way."""
        terminal, signature = _parsed(authorization)
        if terminal != hello.terminal:
            raise refused(ProblemCode.SIGNATURE_BAD, f"{terminal} signed a hello of another", request=hello.request)
        shown = public_key(hello.public_key)
        known = self._book.public_key(terminal)
        if known is None and self._enrolment is Enrolment.CLOSED:
            raise refused(
                ProblemCode.TERMINAL_UNKNOWN,
                f"enrol it at the ledger: tilld ledger enroll {terminal} {hello.public_key}",
                request=hello.request,
            )
        if known is not None and known != shown:
            raise refused(
                ProblemCode.SIGNATURE_BAD,
                f"terminal {terminal} is enrolled with another key. If its disk was replaced, let the ledger accept"
                f" the new one: tilld ledger enroll --replace {terminal} {hello.public_key}",
                request=hello.request,
            )
        _check(shown, signature, signing_input("POST", path, body))
        if known is None:
            self._book.enrol(terminal, shown)


def public_key(text: str) -> bytes:
    """32 bytes from base64. Raises Refused `malformed`."""
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise refused(ProblemCode.MALFORMED, "a public key is 32 bytes in base64 (44 characters)")
    return key


def _seal(header: BatchHeader) -> bytes:
    """Raises Refused `signature_bad`."""
    try:
        return base64.b64decode(header.seal or "", validate=True)
    except ValueError as error:
        raise refused(ProblemCode.SIGNATURE_BAD, "the owner's seal is not base64", request=header.request) from error


def _parsed(authorization: str) -> tuple[str, bytes]:
    found = parse_authorization(authorization)
    if found is None:
        raise refused(ProblemCode.SIGNATURE_BAD, "requests carry `Authorization: Tilld terminal=…, signature=…`")
    return found[0], base64.b64decode(found[1])


def _check(key: bytes, signature: bytes, message: bytes) -> None:
    _check_any([key], signature, message)


def _check_any(keys: Iterable[bytes], signature: bytes, message: bytes) -> None:
    """Raises Refused `signature_bad` where none of the keys has signed the message."""
    if not any(_signed(key, signature, message) for key in keys):
        raise refused(ProblemCode.SIGNATURE_BAD, "the signature does not fit the request and the enrolled key")


def _signed(key: bytes, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        _loaded(key).verify(signature, message)
    except (InvalidSignature, ValueError):  # ValueError: the office's own terminal has no key
        return False
    return True


@lru_cache(maxsize=1024)
def _loaded(key: bytes) -> "Ed25519PublicKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(key)
