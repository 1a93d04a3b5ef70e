"""Where the API meets the till: it posts questions into the inbox and waits for the answer on its own loop."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, Protocol

from offline_queue.words import Language, Words
from terminal.api.callers import Tokens
from terminal.api.guests import NOBODY, Guests
from terminal.api.no_answer import OVERLOADED, STUCK
from terminal.api.problems import Refused, overloaded
from terminal.api.scans import Scans
from terminal.cards.phone_lookup import PhoneCards
from terminal.doctor.findings import Diagnosis, Level
from terminal.history.recorder import Recorder
from terminal.inbox import Asked, Event, InboxFull
from terminal.notices import Notices

QUESTION_TIME_S: Final = 10.0
"""The till's thread answers in milliseconds; past this it is stuck, and its watchdog ends the process."""


class Doctor(Protocol):
    """Whoever examines the till; blocks for seconds."""

    def examine(self, level: Level, section: str | None, status: Any) -> Diagnosis: ...


@dataclass(frozen=True)
class Desk:
    """What the API needs of the rest of the till. `post` is Inbox.offer.

    `hosts` are further names that the till goes by, `guests` the pages of other origins that may ask. `find_by_phone`
    asks the ledger and blocks meanwhile; None where this till looks nobody up. `history` keeps the last days; without
    one there is nothing to tell of them. `language` is that of whoever asks for none; `page_language` the
    cashier's page's, "" leaves it to the browser.
    `hw_proxy`: Odoo may ask, and hears of cards if there are `scans`.
    """

    post: Callable[[Event], None]
    notices: Notices
    tokens: Tokens
    listen: str
    terminal: str
    version: str
    hosts: tuple[str, ...] = ()
    guests: Guests = NOBODY
    hw_proxy: bool = False
    scans: Scans | None = None
    history: Recorder | None = None
    doctor: Doctor | None = None
    find_by_phone: Callable[[str], PhoneCards] | None = None
    language: Language = "en"
    page_language: str = ""

    def put(self, event: Event) -> None:
        """Raises Refused (503 `busy`) when the till is not keeping up."""
        try:
            self.post(event)
        except InboxFull:
            raise overloaded(OVERLOADED) from None

    async def ask(self, what: str, argument: str = "") -> Any:
        """The till's answer to a question. Raises Refusal or Refused."""
        reply: Future[Any] = Future()
        self.put(Asked(what, argument, reply))
        return await answer(reply, QUESTION_TIME_S, STUCK)


async def answer(reply: "Future[Any]", time_s: float, unanswered: str | Words) -> Any:
    """Raises what the till raised, or Refused when `time_s` is over; `reply` stays open for a late answer."""
    try:
        async with asyncio.timeout(time_s):
            await settled(reply)
    except TimeoutError:
        raise Refused("unanswered", unanswered) from None
    return reply.result()


async def settled(reply: "Future[Any]") -> None:
    """Waits for a reply without taking it, and without ever cancelling it: the till must find it open."""
    done = asyncio.Event()
    wake = waker(done)
    reply.add_done_callback(lambda _: wake())
    await done.wait()


def waker(event: asyncio.Event) -> Callable[[], None]:
    """Sets `event` of the running loop from any thread."""
    loop = asyncio.get_running_loop()

    def wake() -> None:
        # At the server's end the loop may be closed before a late answer: nobody waits for it any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(event.set)

    return wake
