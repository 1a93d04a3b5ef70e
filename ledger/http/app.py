"""The ledger over HTTP: the wire's calls (docs/protocol.md section 5), one route each, no rules."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.books.phones import Quota
from ledger.http import bodies
from ledger.http.admission import Room
from ledger.http.attendance import Attendance, next_sync_after_s, patience_s
from ledger.http.doorway import Doorway
from ledger.http.entrance import Entrance
from ledger.http.gate import Enrolment, Gate
from ledger.http.housekeeping import write_off_daily
from ledger.port.book import Book
from ledger.port.problems import problem, refused
from ledger.port.refusals import NotRecorded, Refused
from offline_queue.packing import GZIP, WORTHWHILE
from offline_queue.wire import BATCH_TYPE, MAX_BATCH_BYTES, Hello, Park, Problem, ProblemCode, Welcome
from offline_queue.wire_accounts import AllowanceRequest, PhoneLookup

log = logging.getLogger("tilld.ledger")

T = TypeVar("T")

ROOM: Final = Room()
LONG_HELLOS: Final = 4
"""At once, of those longer than other requests: each takes several times its length of memory."""


def create_app(
    book: Book, *, enrolment: Enrolment = Enrolment.CLOSED, loopback: bool = True, room: Room = ROOM
) -> Starlette:
    """The ledger as an ASGI application; it does not close the book.

    `loopback`: the listener is for this machine alone (Doorway). `room`: how many requests are let in; the others
    come again.
    """
    desk = Desk(book, Gate(book, enrolment))
    return Starlette(
        routes=[
            Route("/v1/hello", desk.hello, methods=["POST"]),
            Route("/v1/streams/{stream}/records", desk.records, methods=["POST"]),
            Route("/v1/park", desk.park, methods=["POST"]),
            Route("/v1/allowances", desk.allowances, methods=["POST"]),
            Route("/v1/decisions", desk.decisions),
            Route("/v1/changes", desk.changes),
            Route("/v1/accounts/{number:path}", desk.account),
            Route("/v1/phone-lookups", desk.phone, methods=["POST"]),
            Route("/healthz", desk.health),
        ],
        middleware=[
            Middleware(Doorway, loopback=loopback),
            Middleware(Entrance, room=room),
            Middleware(GZipMiddleware, minimum_size=WORTHWHILE, compresslevel=1),
        ],
        exception_handlers={
            Refused: _refusal,
            NotRecorded: desk.not_recorded,
            HTTPException: _no_route,
            Exception: _failure,
        },
        lifespan=desk.lifespan,
    )


class Desk:
    """One method per route. The book blocks, so it is asked in threads of its own and the loop stays free."""

    def __init__(self, book: Book, gate: Gate) -> None:
        self._book, self._gate = book, gate
        self._attendance, self._lookups = Attendance(), Quota()
        self._long_hellos = asyncio.Semaphore(LONG_HELLOS)
        self._clerk = ThreadPoolExecutor(book.clerks, thread_name_prefix="books")

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        daily = asyncio.create_task(write_off_daily(self._book))
        try:
            yield
        finally:
            daily.cancel()
            self._clerk.shutdown()

    async def hello(self, request: Request) -> Response:
        if bodies.told_bytes(request) <= bodies.MAX_JSON_BYTES:
            return await self._greeted(request, bodies.MAX_JSON_BYTES)
        async with self._long_hellos:
            return await self._greeted(request, bodies.MAX_HELLO_BYTES)

    async def _greeted(self, request: Request, limit: int) -> Response:
        body = await bodies.read(request, bodies.JSON, limit)

        def greet() -> tuple[Hello, Welcome]:
            hello = bodies.decoded(body, Hello)
            self._gate.greet(hello, *_signed(request), body)
            return hello, self._book.hello(hello)

        hello, welcome = await self._asked(greet)
        self._attendance.seen(hello.terminal, time.monotonic())
        wait_s = next_sync_after_s(self._attendance.tills)
        told = msgspec.structs.replace(welcome, next_sync_after_s=wait_s, encodings=[GZIP])
        return Response(msgspec.json.encode(told), media_type=bodies.JSON)

    async def records(self, request: Request) -> Response:
        body = await bodies.read(request, BATCH_TYPE, MAX_BATCH_BYTES, packable=True)

        def take() -> object:
            terminal = self._sender(request, body)
            header, records = bodies.batch(bodies.plain(request, body, MAX_BATCH_BYTES), request.path_params["stream"])
            return self._book.take(self._gate.owner(terminal, header), header, records)

        return await self._answer(take)

    async def park(self, request: Request) -> Response:
        body = await bodies.read(request, bodies.JSON, bodies.MAX_JSON_BYTES)
        return await self._answer(
            lambda: self._book.park(self._sender(request, body), bodies.decoded(body, Park)),
        )

    async def allowances(self, request: Request) -> Response:
        body = await bodies.read(request, bodies.JSON, bodies.MAX_JSON_BYTES)
        return await self._answer(
            lambda: self._book.allowance(self._sender(request, body), bodies.decoded(body, AllowanceRequest)),
        )

    async def decisions(self, request: Request) -> Response:
        return await self._answer(lambda: self._book.decisions(self._sender(request, b""), *bodies.page(request)))

    async def changes(self, request: Request) -> Response:
        def look() -> object:
            self._sender(request, b"")
            return self._book.changes(*bodies.page(request))

        return await self._answer(look)

    async def account(self, request: Request) -> Response:
        name = request.query_params.get("request", "")

        def look() -> object:
            self._sender(request, b"")
            found = self._book.account(name, request.path_params["number"])
            if found is None:
                raise refused(ProblemCode.ACCOUNT_UNKNOWN, request=name, generation=self._book.generation)
            return found

        return await self._answer(look)

    async def phone(self, request: Request) -> Response:
        body = await bodies.read(request, bodies.JSON, bodies.MAX_JSON_BYTES)

        def look() -> object:
            terminal, lookup = self._sender(request, body), bodies.decoded(body, PhoneLookup)
            if not self._lookups.take(terminal, time.monotonic()):
                log.warning("%s asks for more phone numbers than a queue has customers", terminal)
                raise refused(ProblemCode.TOO_MANY_LOOKUPS, request=lookup.request)
            return self._book.phone(lookup)

        return await self._answer(look)

    async def health(self, _request: Request) -> Response:
        """Whether the books can be read now."""

        def look() -> object:
            self._book.public_key("")
            return {"status": "ok", "generation": self._book.generation}

        return await self._answer(look)

    def _sender(self, request: Request, body: bytes) -> str:
        authorization, path = _signed(request)
        return self._gate.sender(authorization, request.method, path, body)

    async def _answer(self, work: Callable[[], object]) -> Response:
        def answer() -> bytes:
            return msgspec.json.encode(work())

        return Response(await self._asked(answer), media_type=bodies.JSON)

    async def _asked(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._clerk, work)

    async def not_recorded(self, _request: Request, error: Exception) -> Response:
        """While the books cannot be used, all tills wait: they must not come back in step."""
        log.error("%s", error)
        wait_s = patience_s(self._attendance.tills, random.random())
        return _document(problem(ProblemCode.UNAVAILABLE, str(error)), {"Retry-After": str(wait_s)})


def _signed(request: Request) -> tuple[str, str]:
    """The authorization and the path with its query, as they came: what the signature covers."""
    path = request.scope["raw_path"].decode("latin-1")
    query = request.scope["query_string"].decode("latin-1")
    return request.headers.get("authorization", ""), f"{path}?{query}" if query else path


def _document(told: Problem, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(told), told.status, headers, "application/problem+json")


async def _refusal(request: Request, error: Exception) -> Response:
    told = error.problem if isinstance(error, Refused) else problem("internal")
    log.info("%s %s: %d %s", request.method, request.scope["route"].path, told.status, told.code)
    return _document(told)


async def _no_route(_request: Request, error: Exception) -> Response:
    wrong_method = isinstance(error, HTTPException) and error.status_code == 405
    return _document(problem("method" if wrong_method else "not_found"))


async def _failure(_request: Request, _error: Exception) -> Response:
    return _document(problem("internal"))
