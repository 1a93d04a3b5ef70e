"""The ledger's door: lets in as many requests as it can work on, and tells the others when to come again.

It stands before everything that reads a body: of a request that waits or is turned away, nothing is taken into memory
but what the sockets hold.
"""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ledger.http.admission import Admission, Rank, Room, Ticket, TurnedAway
from ledger.port.problems import problem
from offline_queue.signing import parse_authorization
from offline_queue.wire import ProblemCode

if TYPE_CHECKING:
    from collections.abc import Iterator

WIRE: Final = "/v1/"
RANKS: Final = {
    "hello": Rank.HELLO,
    "allowances": Rank.CUSTOMER,
    "accounts": Rank.CUSTOMER,
    "phone-lookups": Rank.CUSTOMER,
}
"""By the first word of the path; everything else can wait."""


class Entrance:
    """ASGI middleware. `clock` in seconds, `chance` in [0, 1)."""

    def __init__(
        self,
        app: ASGIApp,
        room: Room,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._app, self._clock, self._chance = app, clock, chance
        self._admission = Admission(room)
        self._turns: dict[Ticket, asyncio.Future[None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(WIRE):
            await self._app(scope, receive, send)
            return
        found = self._admission.arrive(_sender(scope), _rank(scope["path"]), self._clock(), self._chance())
        if isinstance(found, TurnedAway):
            await _not_now(found)(scope, receive, send)
            return
        with self._inside(found):
            await self._turn(found)
            await self._app(scope, receive, send)

    @contextmanager
    def _inside(self, ticket: Ticket) -> "Iterator[None]":
        try:
            yield
        finally:
            self._turns.pop(ticket, None)
            following = self._admission.leave(ticket, self._clock())
            if following is not None and not self._turns[following].done():
                self._turns[following].set_result(None)

    async def _turn(self, ticket: Ticket) -> None:
        if not ticket.at_work:
            self._turns[ticket] = asyncio.get_running_loop().create_future()
            await self._turns[ticket]


def _sender(scope: Scope) -> str:
    """The terminal that the request names; empty for one that names none, and all of those share one share."""
    named = parse_authorization(Request(scope).headers.get("authorization", ""))
    return named[0] if named else ""


def _rank(path: str) -> Rank:
    return RANKS.get(path.removeprefix(WIRE).partition("/")[0], Rank.BULK)


def _not_now(turned_away: TurnedAway) -> Response:
    told = problem(ProblemCode.BUSY)
    headers = {"Retry-After": str(turned_away.retry_after_s)}
    return Response(msgspec.json.encode(told), told.status, headers, "application/problem+json")
