"""How much a request may be and how long it may take, and how a refused body ends without breaking the connection."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from terminal.api.problems import Refused

MAX_BODY: Final = 1024 * 1024
"""A sale is under 2 kB; a megabyte is nobody's honest request."""
MAX_STRANGERS_BODY: Final = 4096
"""Of callers who have shown no token; what is longer is not even parsed, for that takes everybody's time."""
BODY_TIME_S: Final = 10.0
DRAIN_BYTES: Final = 32 * 1024 * 1024
DRAIN_TIME_S: Final = 2.0
"""A refused body is thrown away that far, so that the refusal arrives instead of a broken connection."""
CLOSE: Final = {"connection": "close"}


def examine_body(headers: Mapping[bytes, list[bytes]]) -> Refused | None:
    """Pure: what is wrong with a body as it is announced, or None."""
    length = int(headers.get(b"content-length", [b"0"])[0])
    if length > MAX_BODY:
        return Refused("too_large", f"{length} bytes; at most {MAX_BODY} are taken. Nothing was recorded.", CLOSE)
    if not has_body(headers):
        return None
    media_type = headers.get(b"content-type", [b""])[0].partition(b";")[0].strip().lower()
    if media_type != b"application/json":
        return Refused("media_type", "Send `Content-Type: application/json`.", CLOSE)
    return None


def little(body: bytes) -> bytes:
    """A stranger's body. Raises Refused for one that no login or greeting is as long as."""
    if len(body) > MAX_STRANGERS_BODY:
        raise Refused("too_large", f"At most {MAX_STRANGERS_BODY} bytes are taken here. Nothing was done.", CLOSE)
    return body


def has_body(headers: Mapping[bytes, list[bytes]]) -> bool:
    return b"transfer-encoding" in headers or headers.get(b"content-length", [b"0"]) != [b"0"]


def bounded(receive: Receive) -> Receive:
    """The same body, at most MAX_BODY bytes within BODY_TIME_S. Raises Refused."""
    deadline = time.monotonic() + BODY_TIME_S
    taken, whole = 0, False

    async def limited() -> Message:
        nonlocal taken, whole
        if whole:
            return await receive()
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                message = await receive()
        except TimeoutError:
            raise Refused("too_slow", f"The body took more than {BODY_TIME_S:.0f} s.", CLOSE) from None
        taken += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if taken > MAX_BODY:
            raise Refused("too_large", f"At most {MAX_BODY} bytes are taken. Nothing was recorded.", CLOSE)
        return message

    return limited


async def refuse(refused: Refused, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers first, then throws away what still comes, within bounds, and only then ends."""
    if refused.headers is not CLOSE:
        await response(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    await _drain(receive)
    await send({"type": "http.response.body", "body": b""})


async def _drain(receive: Receive) -> None:
    taken = 0
    try:
        async with asyncio.timeout(DRAIN_TIME_S):
            while taken < DRAIN_BYTES:
                message = await receive()
                taken += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return
