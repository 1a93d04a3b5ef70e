"""The hardware proxy that Odoo's point of sale asks for a scanner; docs/odoo.md tells what is known of it.

Odoo's page cannot send a token. So these routes are there only when the config says so, and only for pages of the
origins that it names; card numbers are given to them only when it says that, too.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as WebRoute

from drivers.base import ReaderState
from terminal.api.bodies import decode
from terminal.api.desk import Desk, waker
from terminal.api.guests import HW_PROXY
from terminal.api.limits import little
from terminal.api.problems import Refused
from terminal.api.routes import json_response
from terminal.api.scans import Scans
from terminal.inbox import ReaderStatus

WAIT_S: Final = 7.0
"""Odoo up to 16 gives up after 7.5 s; what was handed over after that would be lost."""


class RpcCall(msgspec.Struct, frozen=True):
    """A call after JSON-RPC 2.0, section 4; `method` and `params` are always the same here."""

    id: int | float | str | None = None


class RpcAnswer(msgspec.Struct, frozen=True):
    """Its answer (section 5)."""

    id: int | float | str | None
    result: Any
    jsonrpc: str = "2.0"


class Driver(msgspec.Struct, frozen=True):
    """A device as Odoo shows it; `messages` are for people."""

    status: str
    messages: list[str]


def routes(desk: Desk) -> list[WebRoute]:
    """All that Odoo asks of a proxy without printer, scale and drawer."""

    async def hello(_: Request) -> Response:
        return Response("ping", media_type="text/plain")

    async def handshake(call: RpcCall, _: Request) -> RpcAnswer:
        return RpcAnswer(call.id, result=True)

    async def status(call: RpcCall, _: Request) -> RpcAnswer:
        return RpcAnswer(call.id, {"scanner": scanner_status((await desk.ask("status"))["readers"])})

    async def scanner(call: RpcCall, request: Request) -> RpcAnswer:
        return RpcAnswer(call.id, await _next_number(desk.scans, request) or "")

    return [
        WebRoute(f"{HW_PROXY}hello", _for_guests(hello, desk), methods=["GET"]),
        WebRoute(f"{HW_PROXY}handshake", _for_guests(_rpc(handshake), desk), methods=["POST"]),
        WebRoute(f"{HW_PROXY}status_json", _for_guests(_rpc(status), desk), methods=["POST"]),
        WebRoute(f"{HW_PROXY}scanner", _for_guests(_rpc(scanner), desk), methods=["POST"]),
    ]


Endpoint = Callable[[Request], Awaitable[Response]]


def _for_guests(endpoint: Endpoint, desk: Desk) -> Endpoint:
    """Raises Refused for whoever is no page of a named origin: programs have the API, and a token for it."""

    async def guarded(request: Request) -> Response:
        sent = [value for name, value in request.headers.raw if name == b"origin"]
        if desk.guests.origin(request.url.path, {b"origin": sent}) is None:
            raise Refused("cross_site", "Only the Odoo named in [hw_proxy] origins asks here; programs use /v1/.")
        return await endpoint(request)

    return guarded


def _rpc(answer: Callable[[RpcCall, Request], Awaitable[RpcAnswer]]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        call: RpcCall = decode(little(await request.body()) or b"{}", RpcCall)
        return json_response(await answer(call, request))

    return endpoint


def scanner_status(readers: list[ReaderStatus]) -> Driver:
    """Pure: all readers as the one scanner that Odoo knows; the best of them counts."""
    states = {reader.status for reader in readers}
    messages = [f"{reader.name}: {reader.detail}" for reader in readers if reader.status != ReaderState.READY]
    if ReaderState.READY in states:
        return Driver("connected", messages)
    if ReaderState.RECONNECTING in states:
        return Driver("connecting", messages)
    return Driver("error" if states & _BROKEN else "disconnected", messages)


_BROKEN: Final = {ReaderState.HELD, ReaderState.FORBIDDEN, ReaderState.FAILING}


async def _next_number(scans: Scans | None, request: Request) -> str | None:
    """A fresh number, or None when none came in time; one that nobody waits for any more is left to the next."""
    news = asyncio.Event()
    wake, gone = waker(news), asyncio.create_task(_client_gone(request))
    try:
        async with asyncio.timeout(WAIT_S):
            if scans is None:
                await gone
                return None
            with scans.waiting(wake):
                return await _taken(scans, news, gone)
    except TimeoutError:
        return None
    finally:
        gone.cancel()


async def _taken(scans: Scans, news: asyncio.Event, gone: "asyncio.Task[None]") -> str | None:
    while not gone.done():
        if (number := scans.take()) is not None:
            return number
        news.clear()
        heard = asyncio.create_task(news.wait())
        await asyncio.wait({heard, gone}, return_when=asyncio.FIRST_COMPLETED)
        heard.cancel()
    return None


async def _client_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
