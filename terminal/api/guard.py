"""Who may ask, and how much: the guard in front of every route (docs/decisions/0007-api.md has the threat model).

The API listens on the loopback alone, which keeps out the network but neither the web pages that the shop's
browser shows nor the other users of the machine. So every request is held against Host (no DNS rebinding),
Origin and Sec-Fetch-Site (no pages of others), content type, size and time, and every route asks for a token,
for the page's own cookie (read-only, masked), or for a peer on the Unix socket.
"""

from collections.abc import Callable, Mapping
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from terminal.api.callers import Doorkeeper
from terminal.api.limits import CLOSE, bounded, examine_body, refuse
from terminal.api.problems import Refused, problem_response
from terminal.api.rooms import Rooms, Visitor

_ONCE: Final = (b"idempotency-key", b"authorization", b"content-type")

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


def doubled(headers: Mapping[bytes, list[bytes]]) -> Refused | None:
    """Pure: two keys would leave it to chance which one names the sale."""
    for name in _ONCE:
        if len(headers.get(name, [])) > 1:
            return Refused("malformed", f"`{name.decode()}` is sent twice; send it once. Nothing was recorded.", CLOSE)
    return None


def _ours(host: list[bytes], hosts: frozenset[str]) -> bool:
    return len(host) == 1 and host[0].decode("latin-1").lower() in hosts


def _own_origin(origin: bytes, hosts: frozenset[str]) -> bool:
    scheme, _, host = origin.decode("latin-1").lower().partition("://")
    return scheme in {"http", "https"} and host in hosts


class Guard:
    """ASGI middleware in front of everything: examines, limits, and hardens every answer.

    `rooms` are those of callers who have proven that they may act (True), and of all others. `form` makes the answer to
    what is refused.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: frozenset[str],
        doorkeeper: Doorkeeper,
        rooms: Mapping[bool, Rooms],
        form: Callable[[Refused], Response] = problem_response,
    ) -> None:
        self._app = app
        self._form = form
        self._hosts = hosts
        self._doorkeeper = doorkeeper
        self._rooms = rooms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hardened = _hardened(send)
        headers = _collected(scope)
        try:
            self._examine(scope, headers)
            with self._rooms[self._proven(scope, headers)].requests.seat():
                await self._app(scope, bounded(receive), hardened)
        except Refused as refused:
            # From outside the routes, before any answer has begun: the guard's own words and the body's bounds.
            await refuse(refused, self._form(refused), scope, receive, hardened)

    def _examine(self, scope: Scope, headers: Mapping[bytes, list[bytes]]) -> None:
        """Raises Refused."""
        strange = None if Visitor.of(scope).is_local else examine(scope["method"], headers, self._hosts)
        refused = strange or doubled(headers) or examine_body(scope["method"], headers)
        if refused is not None:
            raise refused

    def _proven(self, scope: Scope, headers: Mapping[bytes, list[bytes]]) -> bool:
        """A connection that has once shown the right token does not make way for others (server.py)."""
        authorization = headers.get(b"authorization", [b""])[0].decode("latin-1")
        proven = self._doorkeeper.proven(scope, authorization) is not None
        visitor = Visitor.of(scope)
        visitor.proven = visitor.proven or proven
        return proven


def _collected(scope: Scope) -> dict[bytes, list[bytes]]:
    headers: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name, []).append(value)
    return headers


def _hardened(send: Send) -> Send:
    async def hardened(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *SECURITY_HEADERS]
        await send(message)

    return hardened
