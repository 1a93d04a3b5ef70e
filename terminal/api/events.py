"""The stream of events: server-sent events (WHATWG HTML, section 9.2) made from the till's notices."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from offline_queue.words import Language
from terminal.api.desk import waker
from terminal.api.rooms import Room
from terminal.notices import Catch, Notice, Notices

KEEP_ALIVE_S: Final = 15.0
"""A comment this often lets both ends notice a dead connection; proxies cut silence after 30 s and more."""
RETRY_MS: Final = 2000


class EventStream(StreamingResponse):
    """Endless until the client goes or the till stops; in `language`; `whole` shows card numbers.

    It sits in `room`, so that watchers never take the seats of sales. Raises Refused (503 `busy`) when that is full.
    """

    media_type = "text/event-stream"

    def __init__(self, notices: Notices, last_id: str | None, room: Room, language: Language, *, whole: bool) -> None:
        super().__init__(_frames(notices, last_id, language, whole=whole))
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            await Response(media_type=self.media_type)(scope, receive, send)
            return
        with self._room.seat():
            await super().__call__(scope, receive, send)


async def _frames(notices: Notices, last_id: str | None, language: Language, *, whole: bool) -> AsyncIterator[bytes]:
    news = asyncio.Event()
    with notices.watched(waker(news)):
        position, missed = notices.position(last_id)
        yield b"retry: %d\n\n" % RETRY_MS
        if missed:
            yield frame(notices.reset(), language, whole=whole)
        while not notices.closed:
            catch = notices.after(position)
            position = catch.position
            if catch.missed or catch.notices:
                yield _burst(notices, catch, language, whole=whole)
            elif not await _heard(news):
                yield b": still here\n\n"


def _burst(notices: Notices, catch: Catch, language: Language, *, whole: bool) -> bytes:
    missed = [notices.reset()] if catch.missed else []
    return b"".join(frame(notice, language, whole=whole) for notice in [*missed, *catch.notices])


async def _heard(news: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(KEEP_ALIVE_S):
            await news.wait()
    except TimeoutError:
        return False
    news.clear()
    return True


def frame(notice: Notice, language: Language, *, whole: bool) -> bytes:
    """One event; JSON has no raw line feed, so one `data:` line holds it."""
    told = notice.told[language]
    data = told.whole if whole else told.public
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (notice.id.encode(), notice.kind.encode(), data)
