"""Web pages of other origins that may ask: exact lists, empty by default (CORS; Fetch standard, section 3.2).

A listed page still needs what every program needs, the token. Nothing is ever allowed to `*` or to `null`, and
never with credentials, so no cookie opens an answer to anybody's script.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.types import Send

PREFLIGHT_AGE_S: Final = 600

_PREFLIGHT_ANSWER: Final = (
    (b"access-control-allow-methods", b"GET, POST, DELETE"),
    (b"access-control-allow-headers", b"authorization, content-type, idempotency-key, last-event-id"),
    (b"access-control-max-age", str(PREFLIGHT_AGE_S).encode()),
)
_EXPOSED: Final = b"idempotency-replayed, retry-after"


@dataclass(frozen=True)
class Guests:
    """Origins just as browsers send them (RFC 6454, section 6.2), by what they may ask."""

    api: frozenset[bytes] = frozenset()

    @classmethod
    def named(cls, api: tuple[str, ...]) -> "Guests":
        return cls(frozenset(origin.encode() for origin in api))

    def origin(self, path: str, headers: Mapping[bytes, list[bytes]]) -> bytes | None:
        """The origin of a listed page that asks at `path`, None for everybody else."""
        sent = headers.get(b"origin", [])
        return sent[0] if len(sent) == 1 and sent[0] in self._at(path) else None

    def _at(self, path: str) -> frozenset[bytes]:
        return self.api if path.startswith("/v1/") else frozenset()


NOBODY: Final = Guests()


def is_preflight(method: str, headers: Mapping[bytes, list[bytes]]) -> bool:
    """A browser's question whether the page may ask at all (Fetch standard, section 3.2.2)."""
    return method == "OPTIONS" and b"access-control-request-method" in headers


async def answer_preflight(send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": list(_PREFLIGHT_ANSWER)})
    await send({"type": "http.response.body", "body": b""})


def sharing(origin: bytes | None) -> tuple[tuple[bytes, bytes], ...]:
    """The headers that let a page of `origin` read the answer; none for nobody."""
    if origin is None:
        return ()
    return (
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", _EXPOSED),
        (b"vary", b"Origin"),
    )
