"""Who may knock: tills and programs, by a name that means this machine; never a web page."""

from typing import Final
from urllib.parse import urlsplit

import msgspec
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledger.port.problems import problem

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_SAID_BY_BROWSERS: Final = ("origin", "sec-fetch-site", "sec-fetch-mode", "access-control-request-method")
_HARD: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)


class Doorway:
    """ASGI middleware.

    `loopback`: the listener is for this machine alone, so a request that names another host comes from a page that
    has rebound its name to us, and is refused. What a browser sends on behalf of a page is refused everywhere: no
    script can leave out what the browser says of it (Fetch, section 3.2).
    """

    def __init__(self, app: ASGIApp, *, loopback: bool) -> None:
        self._app, self._loopback = app, loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if self._loopback and host_named(headers) not in LOOPBACK_NAMES:
            await _refusal("host", "this ledger listens for its own machine only")(scope, receive, _hardened(send))
        elif any(name in headers for name in _SAID_BY_BROWSERS):
            await _refusal("cross_site", "this address is for tills and programs")(scope, receive, _hardened(send))
        else:
            await self._app(scope, receive, _hardened(send))


def host_named(headers: Headers) -> str:
    """The Host header without its port and brackets; empty when there is none, several, or it makes no sense."""
    hosts = headers.getlist("host")
    try:
        return urlsplit(f"//{hosts[0]}").hostname or "" if len(hosts) == 1 else ""
    except ValueError:
        return ""


def _refusal(code: str, detail: str) -> Response:
    told = problem(code, detail)
    return Response(msgspec.json.encode(told), told.status, media_type="application/problem+json")


def _hardened(send: Send) -> Send:
    async def harder(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *_HARD]
        await send(message)

    return harder
