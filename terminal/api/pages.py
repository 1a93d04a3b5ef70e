"""The page and its parts, from the package itself; the page comes with the cookie that lets it look."""

from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Final

from starlette.responses import Response

from terminal.api.callers import PAGE_COOKIE
from terminal.api.routes import NOT_FOUND, Call

MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
ROOM: Final = files("terminal.web")
PARTS: Final = frozenset(part.name for part in ROOM.iterdir() if PurePosixPath(part.name).suffix in MEDIA_TYPES)
"""What is served by name; every other name is not found, whatever lies there."""


@cache
def part(name: str) -> bytes:
    """A file of terminal/web/."""
    return ROOM.joinpath(name).read_bytes()


async def cashier(call: Call) -> Response:
    """The cookie opens masked views for as long as the browser and this start of the till last."""
    language = f'data-language="{call.desk.page_language}"'.encode()
    page = part("index.html").replace(b'data-language=""', language, 1)
    response = Response(page, media_type="text/html; charset=utf-8")
    response.set_cookie(PAGE_COOKIE, call.door.page_session, path="/", httponly=True, samesite="strict")
    return response


async def asset(call: Call) -> Response:
    name = call.request.path_params["file"]
    if name not in PARTS:
        raise NOT_FOUND
    return Response(part(name), media_type=MEDIA_TYPES[PurePosixPath(name).suffix])
