"""The web application: the table of routes, the guard in front of it, and the document that describes it."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.routing import Route as WebRoute

from offline_queue.words import Language
from terminal.api import hw_proxy
from terminal.api.bodies import decode
from terminal.api.callers import Caller, Doorkeeper
from terminal.api.desk import Desk
from terminal.api.guard import Guard, collected, own_hosts
from terminal.api.hardening import SECURITY_HEADERS
from terminal.api.limits import CLOSE, has_body, little
from terminal.api.no_answer import FAILED
from terminal.api.openapi import document
from terminal.api.problems import Refused, problem_response
from terminal.api.rooms import REQUESTS, STRANGERS_REQUESTS, Rooms
from terminal.api.routes import JSON, NOT_FOUND, Call, Route, language_of
from terminal.api.table import ROUTES
from terminal.pos import Refusal

log = logging.getLogger(__name__)


def create_app(desk: Desk) -> Starlette:
    """Answers every route of the table; `desk.listen` is the address as bound, with the real port."""
    doorkeeper = Doorkeeper(desk.tokens)
    rooms = {True: Rooms.of(REQUESTS), False: Rooms.of(STRANGERS_REQUESTS)}
    described = msgspec.json.encode(document(ROUTES, desk.version))

    async def openapi(_: Request) -> Response:
        return Response(described, media_type=JSON)

    routes = [WebRoute(each.path, _endpoint(each, desk, doorkeeper, rooms), methods=[each.method]) for each in ROUTES]
    hosts = own_hosts(desk.listen, desk.hosts)
    guard = Middleware(
        Guard, hosts=hosts, doorkeeper=doorkeeper, rooms=rooms, guests=desk.guests, language=desk.language
    )
    app = Starlette(
        routes=[*routes, WebRoute("/openapi.json", openapi), *_odoos(desk)],
        middleware=[guard],
        exception_handlers={HTTPException: _unrouted, Exception: partial(_failed, desk.language)},
    )
    # A POST that is sent elsewhere without a word is a lost sale to a client that does not follow.
    app.router.redirect_slashes = False
    return app


def _odoos(desk: Desk) -> list[WebRoute]:
    """Not in the document: they are another's protocol, behind a switch."""
    return hw_proxy.routes(desk) if desk.hw_proxy else []


def _endpoint(
    route: Route, desk: Desk, doorkeeper: Doorkeeper, rooms: Mapping[bool, Rooms]
) -> Callable[[Request], Awaitable[Response]]:
    """What every route does before and after its handler. Refused goes on to the guard, which also ends the body."""

    async def endpoint(request: Request) -> Response:
        if route.method == "GET" and has_body(collected(request.scope)):
            raise Refused("malformed", "A GET has no body; send it without one.", CLOSE)
        caller = doorkeeper.admit(request, route.caller)
        body = None
        if route.body is not None:
            sent = await request.body() if caller >= Caller.POS else little(await request.body())
            body = decode(sent if sent or route.body_required else b"{}", route.body)
        streams = rooms[caller >= Caller.POS].streams
        try:
            return await route.handler(Call(desk, request, caller, doorkeeper, streams, body))
        except Refusal as refusal:
            return problem_response(refusal, language_of(request, desk.language))

    return endpoint


async def _unrouted(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        methods = ", ".join(sorted(_methods(request)))
        detail = f"This address takes {methods}. Nothing was done."
        return problem_response(Refused("method_not_allowed", detail, {"Allow": methods}))
    return problem_response(NOT_FOUND)


def _methods(request: Request) -> set[str]:
    """Of all routes at this address; starlette names those of the first alone."""
    fitting = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return {method for route in fitting for method in getattr(route, "methods", None) or ()}


async def _failed(own: Language, request: Request, error: Exception) -> Response:
    """The last resort; what failed is in the log, for the technician, not in the answer."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    response = problem_response(Refused("internal", FAILED), language_of(request, own))
    response.raw_headers.extend(SECURITY_HEADERS)
    return response
