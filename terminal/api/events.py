"""The stream of events: server-sent events (WHATWG HTML, section 9.2) made from the till's notices."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from terminal.api.desk import waker
from terminal.api.rooms import Room
from terminal.notices import Catch, Notice, Notices

KEEP_ALIVE_S: Final = 15.0
"""A comment this often lets both ends notice a dead connection; proxies cut silence after 30 s and more."""
RETRY_MS: Final = 2000


class EventStream(StreamingResponse):
    """Endless until the client goes or the till stops; `whole` shows card numbers.

    It sits in `room`, so that watchers never take the seats of sales. Raises Refused (503 `busy`) when that is full.
    """

    media_type = "text/event-stream"

    def __init__(self, notices: Notices, last_id: str | None, room: Room, *, whole: bool) -> None:
        super().__init__(_frames(notices, last_id, whole=whole))
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            await Response(media_type=self.media_type)(scope, receive, send)
            return
        with self._room.seat():
            await super().__call__(scope, receive, send)


async def _frames(notices: Notices, last_id: str | None, *, whole: bool) -> AsyncIterator[bytes]:
    news = asyncio.Event()
    with notices.watched(waker(news)):
        position, missed = notices.position(last_id)
        yield b"retry: %d\n\n" % RETRY_MS
        if missed:
            yield frame(notices.reset(), whole=whole)
        while not notices.closed:
            catch = notices.after(position)
            position = catch.position
            if catch.missed or catch.notices:
                yield _burst(notices, catch, whole=whole)
            elif not await _heard(news):
                yield b": still here\n\n"


def _burst(notices: Notices, catch: Catch, *, whole: bool) -> bytes:
    missed = [notices.reset()] if catch.missed else []
    return b"".join(frame(notice, whole=whole) for notice in [*missed, *catch.notices])


async def _heard(news: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(KEEP_ALIVE_S):
            await news.wait()
    except TimeoutError:
        return False
    news.clear()
    return True


def frame(notice: Notice, *, whole: bool) -> bytes:
    """One event; JSON has no raw line feed, so one `data:` line holds it."""
    data = notice.whole if whole else notice.public
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (notice.id.encode(), notice.kind.encode(), data)
