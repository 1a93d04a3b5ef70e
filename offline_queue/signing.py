"""What signatures cover between till and ledger, and how a request carries its own.

Every request carries `Authorization: Tilld terminal=…, signature=…`: an Ed25519 signature (RFC 8032) of
`signing_input()` by the terminal's key. A GET carries its request id as the query parameter `request`, so
that the signature covers it; every answer and every Problem repeats it.
"""

import hashlib
import re
from typing import Final

_AUTHORIZATION: Final = re.compile(r"Tilld terminal=([A-Za-z0-9._-]{1,64}), signature=([A-Za-z0-9+/]{86}==)")


def authorization(terminal: str, signature: str) -> str:
    """The Authorization header; `signature` in base64."""
    return f"Tilld terminal={terminal}, signature={signature}"


def parse_authorization(header: str) -> tuple[str, str] | None:
    """The terminal and the signature (base64) of an Authorization header, None when it is none of ours."""
    found = _AUTHORIZATION.fullmatch(header)
    return (found[1], found[2]) if found else None


def signing_input(method: str, path: str, body: bytes) -> bytes:
    """What a request's signature covers; `path` with its query."""
    return b"tilld-1\n" + method.encode() + b"\n" + path.encode() + b"\n" + hashlib.sha256(body).digest()


def custody_input(terminal: str, stream: str, seq: int, head: str, at: str) -> bytes:
    """What the ledger's receipt of custody covers."""
    return f"tilld-custody-1\n{terminal}\n{stream}\n{seq}\n{head}\n{at}".encode()


def seal_input(terminal: str, stream: str, seq: int, head: str) -> bytes:
    """What a till's seal on the end of its stream covers, for a peer that delivers the records."""
    return f"tilld-seal-1\n{terminal}\n{stream}\n{seq}\n{head}".encode()
