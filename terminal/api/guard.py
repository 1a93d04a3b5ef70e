"""Who may ask, and how much: the guard in front of every route (docs/decisions/0007-api.md has the threat model).

The API listens on the loopback alone, which keeps out the network but neither the web pages that the shop's
browser shows nor the other users of the machine. So every request is held against Host (no DNS rebinding),
Origin and Sec-Fetch-Site (no pages of others, unless the config names them: guests.py), content type, size and time,
and every route asks for a token, for the page's own cookie (read-only, masked), or for a peer on the Unix socket.
"""

from collections.abc import Callable, Mapping
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from offline_queue.words import Language
from terminal.api.callers import Doorkeeper
from terminal.api.guests import Guests, answer_preflight, is_preflight, sharing
from terminal.api.hardening import hardened
from terminal.api.limits import CLOSE, bounded, examine_body, refuse
from terminal.api.problems import Refused, problem_response
from terminal.api.rooms import Rooms, Visitor
from terminal.api.tongues import accepted

_ONCE: Final = (b"idempotency-key", b"authorization", b"content-type")

_LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
_PORT_OF_HTTP: Final = "80"
_DATA: Final = "/v1/"


def own_hosts(listen: str, extra: tuple[str, ...] = ()) -> frozenset[str]:
    """The Host values that mean this till: the loopback's names with our port, and those of the config."""
    port = listen.rpartition(":")[2]
    names = {f"{name}:{port}" for name in _LOOPBACK} | {host.lower() for host in extra}
    # A browser leaves out the port that goes without saying.
    return frozenset(names | set(_LOOPBACK) if port == _PORT_OF_HTTP else names)


def examine(
    method: str,
    path: str,
    headers: Mapping[bytes, list[bytes]],
    hosts: frozenset[str],
    guest: bytes | None = None,
) -> Refused | None:
    """Pure: what is wrong with where a request comes from, or None. `guest`: a page that the config names.

    Sec-Fetch-* is what browsers say of themselves and no script can change (W3C Fetch Metadata). A link on another
    page may open ours, as a whole page and in no frame; what is below /v1/ it may not even open.
    """
    if not _ours(headers.get(b"host", []), hosts):
        return Refused("host_refused", "Use http://127.0.0.1 or http://localhost with the till's port.")
    if guest is not None:
        return None
    if any(not _own_origin(origin, hosts) for origin in headers.get(b"origin", [])):
        return Refused("cross_site", "The Origin is not the till's own page.")
    site = b"".join(headers.get(b"sec-fetch-site", [b"none"]))
    followed = method == "GET" and not path.startswith(_DATA) and _opens_a_page(headers)
    if site not in {b"none", b"same-origin"} and not followed:
        return Refused("cross_site", "Another web page asks; only the till's own page and programs may.")
    return None


def ambiguous(target: bytes, headers: Mapping[bytes, list[bytes]]) -> Refused | None:
    """Pure: what two readers could read in two ways, and a proxy before us may have: RFC 9112 sections 3.2 and 6.1."""
    if not target.startswith(b"/"):
        return Refused("malformed", "Ask for the path alone, as in `GET /v1/status`. Nothing was recorded.", CLOSE)
    if b"%2f" in target.lower():
        return Refused("not_found", "No address here holds a slash that is written as %2F. Nothing was done.", CLOSE)
    for name in _ONCE:
        if len(headers.get(name, [])) > 1:
            return Refused("malformed", f"`{name.decode()}` is sent twice; send it once. Nothing was recorded.", CLOSE)
    if b"content-length" in headers and b"transfer-encoding" in headers:
        return Refused("malformed", "The body has two lengths; send one. Nothing was recorded.", CLOSE)
    return None


def _opens_a_page(headers: Mapping[bytes, list[bytes]]) -> bool:
    told = (headers.get(b"sec-fetch-mode"), headers.get(b"sec-fetch-dest"))
    return told == ([b"navigate"], [b"document"])


def _ours(host: list[bytes], hosts: frozenset[str]) -> bool:
    return len(host) == 1 and host[0].decode("latin-1").lower() in hosts


def _own_origin(origin: bytes, hosts: frozenset[str]) -> bool:
    scheme, _, host = origin.decode("latin-1").lower().partition("://")
    return scheme in {"http", "https"} and host in hosts


class Guard:
    """ASGI middleware in front of everything: examines, limits, and hardens every answer.

    `rooms` are those of callers who have proven that they may act (True), and of all others. `form` makes the answer to
    what is refused, in `language` where the request accepts none of ours.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: frozenset[str],
        doorkeeper: Doorkeeper,
        rooms: Mapping[bool, Rooms],
        guests: Guests,
        form: Callable[[Refused, Language], Response] = problem_response,
        language: Language = "en",
    ) -> None:
        self._app = app
        self._form, self._language = form, language
        self._hosts = hosts
        self._guests = guests
        self._doorkeeper = doorkeeper
        self._rooms = rooms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = collected(scope)
        guest = self._guests.origin(scope["path"], headers)
        harder = hardened(send, sharing(guest))
        try:
            self._examine(scope, headers, guest)
            if guest is not None and is_preflight(scope["method"], headers):
                await answer_preflight(scope["path"], harder)
                return
            with self._rooms[self._proven(scope, headers)].requests.seat():
                await self._app(scope, bounded(receive), harder)
        except Refused as refused:
            # From outside the routes, before any answer has begun: the guard's own words and the body's bounds.
            language = accepted(b",".join(headers.get(b"accept-language", [])).decode("latin-1"), self._language)
            await refuse(refused, self._form(refused, language), scope, receive, harder)

    def _examine(self, scope: Scope, headers: Mapping[bytes, list[bytes]], guest: bytes | None) -> None:
        """Raises Refused."""
        local, method, path = Visitor.of(scope).is_local, scope["method"], scope["path"]
        strange = None if local else examine(method, path, headers, self._hosts, guest)
        refused = strange or ambiguous(scope["raw_path"], headers) or examine_body(headers)
        if refused is not None:
            raise refused

    def _proven(self, scope: Scope, headers: Mapping[bytes, list[bytes]]) -> bool:
        """A connection that has once shown the right token does not make way for others (server.py)."""
        authorization = headers.get(b"authorization", [b""])[0].decode("latin-1")
        proven = self._doorkeeper.proven(scope, authorization) is not None
        visitor = Visitor.of(scope)
        visitor.proven = visitor.proven or proven
        return proven


def collected(scope: Scope) -> dict[bytes, list[bytes]]:
    headers: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name, []).append(value)
    return headers
