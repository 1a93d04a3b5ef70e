"""Keeps copies for other tills: a listener of its own, for the named peers alone, each of them for itself.

Every request is signed by the peer's terminal key as those to the ledger are (signing.signing_input); a copy is taken
only with its seal, so that what is kept here can be delivered.
"""

import asyncio
import logging
from base64 import b64decode
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from offline_queue.mirror_copy import MAX_COPY_BYTES, Copy, FolderKeeper, MirrorUnreachable, decoded
from offline_queue.mirror_peer import PATH
from offline_queue.room import Room, space
from offline_queue.signing import parse_authorization, seal_input, signing_input
from terminal.api.machines import MachinesOnly

MAX_KEPT_BYTES: Final = 512 * 1024 * 1024
"""Of one peer: about a million records."""

log = logging.getLogger("mirror")


class Turned(Exception):
    """The request is not met: an HTTP status, and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class MirrorDesk:
    """One method per route. Files block, so they are written in a thread of their own."""

    def __init__(self, keeper: FolderKeeper, journal: Path, peers: Mapping[str, bytes]) -> None:
        """`peers`: the Ed25519 public key, 32 bytes, of each terminal that may leave copies here."""
        self._keeper, self._journal, self._peers = keeper, journal, peers
        self._clerk = ThreadPoolExecutor(1, "mirror-desk")

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route(f"{PATH}/{{terminal}}", self.held, methods=["GET"]),
                Route(f"{PATH}/{{terminal}}", self.keep, methods=["POST"]),
                Route(f"{PATH}/{{terminal}}/{{stream}}/{{upto:int}}", self.forget, methods=["DELETE"]),
            ],
            middleware=[Middleware(MachinesOnly)],
            exception_handlers={Turned: _turned},
        )

    def close(self) -> None:
        self._clerk.shutdown()

    async def held(self, request: Request) -> Response:
        terminal = self._peer(request, b"")
        return await self._answer(lambda: msgspec.json.encode(self._keeper.held(terminal)))

    async def keep(self, request: Request) -> Response:
        body = await _body(request)
        terminal = self._peer(request, body)
        copy = decoded(body)
        if copy is None or copy.terminal != terminal or not self._proven(copy):
            raise Turned(400, "this is no sealed copy of the peer's own records")
        return await self._answer(lambda: self._kept(copy))

    async def forget(self, request: Request) -> Response:
        terminal, stream, upto = self._peer(request, b""), request.path_params["stream"], request.path_params["upto"]
        return await self._answer(lambda: self._forgotten(terminal, stream, upto))

    def _peer(self, request: Request, body: bytes) -> str:
        """The peer that signed this request for itself. Raises Turned."""
        found = parse_authorization(request.headers.get("authorization", ""))
        path = request.scope["raw_path"].decode("latin-1")
        if found is None or found[0] != request.path_params["terminal"] or found[0] not in self._peers:
            raise Turned(401, "this till keeps copies for the peers that its config names")
        if not self._signed(found[0], b64decode(found[1]), signing_input(request.method, path, body)):
            raise Turned(401, "the signature is not by the key that the config names for this peer")
        return found[0]

    def _proven(self, copy: Copy) -> bool:
        try:
            seal = b64decode(copy.seal, validate=True)
        except ValueError:
            return False
        return self._signed(copy.terminal, seal, seal_input(copy.terminal, copy.stream, copy.last, copy.head))

    def _signed(self, terminal: str, signature: bytes, message: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self._peers[terminal]).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def _kept(self, copy: Copy) -> bytes:
        """Raises Turned where this till needs its room itself."""
        own = self._keeper.folder / copy.terminal
        taken = sum(file.stat().st_size for file in own.glob("*")) if own.is_dir() else 0
        if taken > MAX_KEPT_BYTES or space(self._journal).room is not Room.FINE:
            raise Turned(507, "this till has no room for copies")
        self._keeper.keep(copy)
        return b"{}"

    def _forgotten(self, terminal: str, stream: str, upto: int) -> bytes:
        try:
            self._keeper.forget(terminal, stream, upto)
        except ValueError as error:
            raise Turned(400, str(error)) from error
        return b"{}"

    async def _answer(self, work: Callable[[], bytes]) -> Response:
        try:
            content = await asyncio.get_running_loop().run_in_executor(self._clerk, work)
        except (MirrorUnreachable, OSError) as error:
            log.warning("a peer's copy was not kept: %s", error)
            raise Turned(503, "the copy could not be written") from error
        return Response(content, media_type="application/json")


async def _body(request: Request) -> bytes:
    """Raises Turned for more than a copy can be."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_COPY_BYTES:
            raise Turned(413, "no copy is so long")
    return bytes(body)


async def _turned(_request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, Turned) else 500
    told = {"title": str(error), "status": status}
    return Response(msgspec.json.encode(told), status, media_type="application/problem+json")
