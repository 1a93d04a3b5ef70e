"""The page and its parts, from the package itself; the page comes with the cookie that lets it look."""

from functools import cache
from importlib.resources import files
from typing import Final

from starlette.responses import Response

from terminal.api.callers import PAGE_COOKIE
from terminal.api.routes import NOT_FOUND, Call

MEDIA_TYPES: Final = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "words.js": "text/javascript; charset=utf-8",
    "theme.css": "text/css; charset=utf-8",
    "technician.css": "text/css; charset=utf-8",
    "test-card.css": "text/css; charset=utf-8",
    **dict.fromkeys(
        (
            "technician.js",
            "test-card.js",
            "ask.js",
            "dom.js",
            "chart.js",
            "past.js",
            "readers.js",
            "books.js",
            "disputes.js",
            "doctor.js",
        ),
        "text/javascript; charset=utf-8",
    ),
    "icon.svg": "image/svg+xml",
}


@cache
def part(name: str) -> bytes:
    """A file of terminal/web/."""
    return files("terminal.web").joinpath(name).read_bytes()


async def cashier(call: Call) -> Response:
    """The cookie opens masked views for as long as the browser and this start of the till last."""
    response = Response(part("index.html"), media_type="text/html; charset=utf-8")
    response.set_cookie(PAGE_COOKIE, call.door.page_session, path="/", httponly=True, samesite="strict")
    return response


async def asset(call: Call) -> Response:
    name = call.request.path_params["file"]
    if name not in MEDIA_TYPES:
        raise NOT_FOUND
    return Response(part(name), media_type=MEDIA_TYPES[name])
