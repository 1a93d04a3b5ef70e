"""What the server does by itself once a day: expired points leave the books when their grace is over."""

import asyncio
import logging
from typing import Final

from ledger.port.book import Book
from ledger.port.refusals import NotRecorded

log = logging.getLogger("tilld.ledger")

DAY_S: Final = 86_400.0


async def write_off_daily(book: Book, pause_s: float = DAY_S) -> None:
    """At the start and then once a day, a few accounts at a time, so that tills are answered between them."""
    while True:
        try:
            await _write_off(book)
        except NotRecorded as error:
            log.warning("expired points stay in the books for now (%s); tomorrow they are looked at again", error)
        await asyncio.sleep(pause_s)


async def _write_off(book: Book) -> None:
    done = await asyncio.to_thread(book.expire)
    while done.following is not None:
        done = done.plus(await asyncio.to_thread(book.expire, done.following))
    if done.lots:
        log.info("%d points of %d awards had expired long ago and have left the books", done.points, done.lots)
