"""Web pages of other origins that may ask: exact lists, empty by default (CORS; Fetch standard, section 3.2).

A listed page still needs what every program needs, the token. Nothing is ever allowed to `*` or to `null`, and
never with credentials, so no cookie opens an answer to anybody's script.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.types import Send

PREFLIGHT_AGE_S: Final = 600

API: Final = "/v1/"
HW_PROXY: Final = "/hw_proxy/"
_SENT: Final = {
    API: b"authorization, content-type, idempotency-key, last-event-id",
    HW_PROXY: b"content-type, x-debug-mode, x-requested-with",
}
"""The headers that a page may send, by what it asks; no others and, at Odoo's, no token."""
_EXPOSED: Final = b"idempotency-replayed, retry-after"


@dataclass(frozen=True)
class Guests:
    """Origins just as browsers send them (RFC 6454, section 6.2): those of `hw_proxy` may ask nothing else."""

    api: frozenset[bytes] = frozenset()
    hw_proxy: frozenset[bytes] = frozenset()

    @classmethod
    def named(cls, api: tuple[str, ...] = (), hw_proxy: tuple[str, ...] = ()) -> "Guests":
        return cls(*(frozenset(origin.encode() for origin in each) for each in (api, hw_proxy)))

    def origin(self, path: str, headers: Mapping[bytes, list[bytes]]) -> bytes | None:
        """The origin of a listed page that asks at `path`, None for everybody else."""
        sent = headers.get(b"origin", [])
        return sent[0] if len(sent) == 1 and sent[0] in self._at(path) else None

    def _at(self, path: str) -> frozenset[bytes]:
        if path.startswith(HW_PROXY):
            return self.hw_proxy
        return self.api if path.startswith(API) else frozenset()


NOBODY: Final = Guests()


def is_preflight(method: str, headers: Mapping[bytes, list[bytes]]) -> bool:
    """A browser's question whether the page may ask at all (Fetch standard, section 3.2.2)."""
    return method == "OPTIONS" and b"access-control-request-method" in headers


async def answer_preflight(path: str, send: Send) -> None:
    """For a guest at this path."""
    headers = [
        (b"access-control-allow-methods", b"GET, POST, DELETE"),
        (b"access-control-allow-headers", _SENT[HW_PROXY if path.startswith(HW_PROXY) else API]),
        (b"access-control-max-age", str(PREFLIGHT_AGE_S).encode()),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
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
