"""The one address of the listener, `POST /nexo/`: who may ask, opened and encrypted, and every answer as JSON.

Both of the client library's forms are taken. An encrypted message proves itself by its HMAC; one in the clear needs the
POS's token as API key. The guard of the REST API stands in front (terminal/api/guard.py).
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from offline_queue.words import Language
from terminal.api.callers import Caller, Doorkeeper
from terminal.api.guard import Guard
from terminal.api.guests import NOBODY
from terminal.api.hardening import SECURITY_HEADERS
from terminal.api.nexo.counter import Counter
from terminal.api.nexo.messages import envelope, message_of, parts, reply_of
from terminal.api.nexo.security_key import Encryption
from terminal.api.problems import Refused
from terminal.api.rooms import REQUESTS, STRANGERS_REQUESTS, Rooms, Visitor
from terminal.api.routes import JSON

PATH: Final = "/nexo/"

log = logging.getLogger("nexo")


class ApiKey:
    """ASGI middleware: the client library sends its token as `x-api-key`; from here on it is one like any other."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [
            (b"authorization", b"Bearer " + value) if name == b"x-api-key" else (name, value)
            for name, value in scope["headers"]
        ]
        await self._app({**scope, "headers": headers}, receive, send)


@dataclass(frozen=True)
class Endpoint:
    """Answers one request. Raises Refused, which the guard sends."""

    counter: Counter
    encryption: Encryption
    doorkeeper: Doorkeeper

    async def __call__(self, request: Request) -> Response:
        # A stranger's document must cost little: a crowd that sends large ones would keep every sale waiting.
        outer = envelope(document := await request.body())
        is_encrypted = "NexoBlob" in outer
        if is_encrypted:
            message = message_of(self.encryption.opened(outer))
            Visitor.of(request.scope).proven = True
        else:
            self.doorkeeper.admit(request, Caller.POS)
            message = message_of(parts(document))
        gone = asyncio.create_task(_gone(request))
        try:
            body = await self.counter.answer(message, gone, is_encrypted=is_encrypted)
        finally:
            gone.cancel()
        if body is None:
            return Response(b"", media_type=JSON)
        reply = reply_of(message.header, body)
        return Response(self.encryption.encrypted(message.header, reply) if is_encrypted else reply, media_type=JSON)


def create_app(
    counter: Counter, encryption: Encryption, doorkeeper: Doorkeeper, hosts: frozenset[str], language: Language
) -> Starlette:
    """`hosts` are the names that this listener goes by, `language` that of words before there is a message."""
    endpoint = Endpoint(counter, encryption, doorkeeper)

    async def exchange(request: Request) -> Response:
        return await endpoint(request)

    rooms = {True: Rooms.of(REQUESTS), False: Rooms.of(STRANGERS_REQUESTS)}
    guard = Middleware(
        Guard, hosts=hosts, doorkeeper=doorkeeper, rooms=rooms, guests=NOBODY, form=error_response, language=language
    )
    app = Starlette(
        routes=[Route(path, exchange, methods=["POST"]) for path in (PATH, PATH.rstrip("/"))],
        middleware=[Middleware(ApiKey), guard],
        exception_handlers={HTTPException: _unrouted, Exception: _failed},
    )
    app.router.redirect_slashes = False
    return app


def error_response(refused: Refused, language: Language = "en") -> Response:
    """Errors as the client library reads them: `errors` of a message, `status` and `message` of everything else."""
    told: dict[str, object] = {
        "status": refused.status,
        "message": refused.detail.said(language),
        "errorCode": refused.code,
    }
    if refused.status == 400:
        told = {"errors": [refused.detail.said(language)]}
    return Response(msgspec.json.encode(told), refused.status, refused.headers, media_type=JSON)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _unrouted(_: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        return error_response(Refused("method_not_allowed", f"POST {PATH} takes messages.", {"Allow": "POST"}))
    return error_response(Refused("not_found", f"There is nothing here; messages go to {PATH}."))


async def _failed(_: Request, error: Exception) -> Response:
    """The last resort; what failed is in the log, for the technician, not in the answer."""
    log.error("a message failed", exc_info=error)
    detail = "The till failed. A sale may be recorded or not: ask TransactionStatus. The log says more."
    response = error_response(Refused("internal", detail))
    response.raw_headers.extend(SECURITY_HEADERS)
    return response
