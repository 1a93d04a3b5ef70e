"""The technician's page and the session that opens it."""

from typing import Annotated

import msgspec
from starlette.responses import Response

from terminal.api.pages import part
from terminal.api.routes import Call
from terminal.api.sessions import SCREEN_COOKIE


class LogIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of technician.token."""

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class SessionView(msgspec.Struct, frozen=True):
    """Whether this browser may act as a technician, and for how many seconds if it does nothing."""

    open: bool
    ends_in_s: float | None = None


async def page(_: Call) -> Response:
    """For anybody: it shows nothing without a session."""
    return Response(part("technician.html"), media_type="text/html; charset=utf-8")


async def session(call: Call) -> Response:
    """200 whether it is open or not: a page that asks is no fault for a browser's console."""
    left_s = call.door.session_left_s(call.request)
    return call.answer(SessionView(left_s is not None, left_s))


async def log_in(call: Call) -> Response:
    """The cookie is for this browser alone: no script reads it, no other site sends it along (RFC 6265bis)."""
    secret, left_s = call.door.log_in(call.body.token)
    response = call.answer(SessionView(open=True, ends_in_s=left_s), 201)
    response.set_cookie(SCREEN_COOKIE, secret, path="/", httponly=True, samesite="strict")
    return response


async def log_out(call: Call) -> Response:
    call.door.log_out(call.request)
    response = Response(status_code=204)
    response.delete_cookie(SCREEN_COOKIE, path="/", httponly=True, samesite="strict")
    return response
