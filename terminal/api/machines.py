"""A listener for programs alone: no web page has any business there, whatever it can sign."""

from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from terminal.api.hardening import hardened
from terminal.api.limits import CLOSE
from terminal.api.problems import Refused, problem_response

_SAID_BY_BROWSERS: Final = (b"origin", b"sec-fetch-site", b"sec-fetch-mode", b"access-control-request-method")


def from_a_page(headers: Mapping[bytes, bytes]) -> Refused | None:
    """Pure: a browser says on whose behalf it asks, and no script can keep it from doing so (Fetch, section 3.2)."""
    if any(name in headers for name in _SAID_BY_BROWSERS):
        return Refused("cross_site", "This address is for programs; no web page may ask here. Nothing was done.", CLOSE)
    return None


class MachinesOnly:
    """ASGI middleware: turns web pages away before anything reads their bodies, and hardens every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        harder = hardened(send)
        refused = from_a_page(dict(scope["headers"])) if scope["type"] == "http" else None
        if refused is None:
            await self._app(scope, receive, harder)
        else:
            await problem_response(refused)(scope, receive, harder)
