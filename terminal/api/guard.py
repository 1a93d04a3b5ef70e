"""Who may ask, and how much: the guard in front of every route (docs/decisions/0007-api.md has the threat model).

The API listens on the loopback alone, which keeps out the network but neither the web pages that the shop's
browser shows nor the other users of the machine. So every request is held against Host (no DNS rebinding),
Origin and Sec-Fetch-Site (no pages of others), content type, size and time, and every route asks for a token,
for the page's own cookie (read-only, masked), or for a peer on the Unix socket.
"""

import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from terminal.api.limits import bounded, examine_body, refuse
from terminal.api.problems import Refused, overloaded

MAX_REQUESTS: Final = 300
PAGE_COOKIE: Final = "tilld_page"

_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
SECURITY_HEADERS: Final = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


class Caller(IntEnum):
    """Who asks; each may do what those before it may."""

    ANYONE = 0
    PAGE = 1
    POS = 2
    TECHNICIAN = 3

    @property
    def sees_numbers(self) -> bool:
        """Whole card numbers are for authorised programs, never for the page."""
        return self >= Caller.POS


@dataclass(frozen=True)
class Tokens:
    """The two secrets of the state folder; they show as nothing in logs."""

    pos: str = field(repr=False)
    technician: str = field(repr=False)

    @classmethod
    def kept_in(cls, state: Path) -> "Tokens":
        """Reads `pos.token` and `technician.token`, and makes those that are missing (0600, 256 random bits)."""
        return cls(_kept(state / "pos.token"), _kept(state / "technician.token"))


def _kept(path: Path) -> str:
    if not path.exists() or not path.read_text().strip():
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(32) + "\n")
        fresh.replace(path)
    return path.read_text().strip()


class Attempts:
    """Counts wrong tokens: a burst is forgiven, after it one a second.

    Right tokens are never held up by it: 256 random bits cannot be guessed, and whoever guesses wildly must not
    lock out the POS.
    """

    BURST: Final = 10

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._left = float(self.BURST)
        self._at = clock_s()

    def failed(self) -> bool:
        """Takes note of a wrong token; true while it is within the limit."""
        now = self._clock_s()
        self._left = min(self.BURST, self._left + now - self._at)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Doorkeeper:
    """Tells callers apart. `page_session` is this start's cookie value: it opens views, never an act."""

    def __init__(self, tokens: Tokens, attempts: Attempts | None = None) -> None:
        self._tokens = tokens
        self._attempts = attempts or Attempts()
        self.page_session = secrets.token_urlsafe(32)

    def caller(self, request: Request) -> Caller:
        """Raises Refused for a wrong token, even where none is needed: a mistake is said, not passed over."""
        if is_local_peer(request.scope):
            return Caller.TECHNICIAN
        authorization = request.headers.get("authorization")
        if authorization is not None:
            return self._bearer(authorization)
        session = request.cookies.get(PAGE_COOKIE, "")
        return Caller.PAGE if _same(session, self.page_session) else Caller.ANYONE

    def _bearer(self, authorization: str) -> Caller:
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        technician, pos = _same(token, self._tokens.technician), _same(token, self._tokens.pos)
        if scheme.lower() == "bearer" and technician:
            return Caller.TECHNICIAN
        if scheme.lower() == "bearer" and pos:
            return Caller.POS
        if not self._attempts.failed():
            raise Refused("too_many_attempts", "Wait a second, then send the right token.", {"retry-after": "1"})
        raise Refused("unauthorized", "This token is not ours; the right one is in pos.token.", CHALLENGE)

    def admit(self, request: Request, needed: Caller) -> Caller:
        caller = self.caller(request)
        if caller < needed:
            raise Refused("unauthorized", "Send `Authorization: Bearer` with the token from pos.token.", CHALLENGE)
        return caller


CHALLENGE: Final = {"www-authenticate": 'Bearer realm="tilld"'}


def _same(given: str, right: str) -> bool:
    return bool(right) and hmac.compare_digest(given.encode(), right.encode())


def is_local_peer(scope: Scope) -> bool:
    """True on the Unix socket, whose protocol has checked the peer's user before the first byte."""
    return bool(scope.get("state", {}).get("local_peer"))


def own_hosts(listen: str, extra: tuple[str, ...] = ()) -> frozenset[str]:
    """The Host values that mean this till: the loopback's names with our port, and those of the config."""
    port = listen.rpartition(":")[2]
    return frozenset({f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", *(host.lower() for host in extra)})


def examine(method: str, headers: Mapping[bytes, list[bytes]], hosts: frozenset[str]) -> Refused | None:
    """Pure: what is wrong with where a request comes from, or None."""
    if not _ours(headers.get(b"host", []), hosts):
        return Refused("host_refused", "Use http://127.0.0.1 or http://localhost with the till's port.")
    if any(not _own_origin(origin, hosts) for origin in headers.get(b"origin", [])):
        return Refused("cross_site", "The Origin is not the till's own page.")
    site = b"".join(headers.get(b"sec-fetch-site", [b"none"]))
    followed = method == "GET" and headers.get(b"sec-fetch-mode") == [b"navigate"]
    if site not in {b"none", b"same-origin"} and not followed:
        return Refused("cross_site", "Another web page asks; only the till's own page and programs may.")
    return None


def _ours(host: list[bytes], hosts: frozenset[str]) -> bool:
    return len(host) == 1 and host[0].decode("latin-1").lower() in hosts


def _own_origin(origin: bytes, hosts: frozenset[str]) -> bool:
    scheme, _, host = origin.decode("latin-1").lower().partition("://")
    return scheme in {"http", "https"} and host in hosts


class Guard:
    """ASGI middleware in front of everything: examines, limits, and hardens every answer."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hardened = _hardened(send)
        refused = self._refusal(scope)
        if refused is not None:
            await refuse(refused, scope, receive, hardened)
            return
        self._open += 1
        try:
            await self._app(scope, bounded(receive), hardened)
        except Refused as late:
            # Only the bounds of the body raise outside the routes, before any answer has begun.
            await refuse(late, scope, receive, hardened)
        finally:
            self._open -= 1

    def _refusal(self, scope: Scope) -> Refused | None:
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name, []).append(value)
        if not is_local_peer(scope) and (strange := examine(scope["method"], headers, self._hosts)):
            return strange
        if self._open >= MAX_REQUESTS:
            return overloaded("Too many requests at once; nothing was recorded. Ask again in a second.")
        return examine_body(scope["method"], headers)


def _hardened(send: Send) -> Send:
    async def hardened(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *SECURITY_HEADERS]
        await send(message)

    return hardened
