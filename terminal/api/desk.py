"""Where the API meets the till: it posts questions into the inbox and waits for the answer on its own loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final

from terminal.api.guard import Tokens
from terminal.api.problems import Refused, overloaded
from terminal.inbox import Asked, Event, InboxFull
from terminal.notices import Notices

QUESTION_TIME_S: Final = 10.0
"""The till's thread answers in milliseconds; past this it is stuck, and its watchdog ends the process."""


@dataclass(frozen=True)
class Desk:
    """What the API needs of the rest of the till. `post` is Inbox.offer; `hosts` are further names it goes by."""

    post: Callable[[Event], None]
    notices: Notices
    tokens: Tokens
    listen: str
    terminal: str
    version: str
    hosts: tuple[str, ...] = ()

    def put(self, event: Event) -> None:
        """Raises Refused (503 `busy`) when the till is not keeping up."""
        try:
            self.post(event)
        except InboxFull:
            raise overloaded("The till is not keeping up; nothing was recorded. Ask again in a second.") from None

    async def ask(self, what: str, argument: str = "") -> Any:
        """The till's answer to a question. Raises Refusal or Refused."""
        reply: Future[Any] = Future()
        self.put(Asked(what, argument, reply))
        return await answer(reply, QUESTION_TIME_S, "The till's thread is stuck; ask again, then see its log.")


async def answer(reply: "Future[Any]", time_s: float, unanswered: str) -> Any:
    """Waits without ever cancelling `reply`: the till must find it open when it answers late."""
    try:
        async with asyncio.timeout(time_s):
            return await asyncio.shield(asyncio.wrap_future(reply))
    except TimeoutError:
        raise Refused("unanswered", unanswered) from None
