"""Requests as bytes: read within bounds, then decoded into the shapes of the wire, or refused."""

import asyncio
from typing import Final, TypeVar

import msgspec
from starlette.requests import Request

from ledger.port.problems import refused
from ledger.rules.records import holds_nul
from offline_queue.packing import GZIP, NotPacked, TooLong, unpacked
from offline_queue.wire import MAX_BATCH, MAX_BATCH_BYTES, BatchHeader, ProblemCode

T = TypeVar("T")

JSON: Final = "application/json"
MAX_JSON_BYTES: Final = MAX_BATCH_BYTES
"""One parked record stays far below, and so does the hello of a till that has a line."""
MAX_HELLO_BYTES: Final = 20 * 1024 * 1024
"""Each start of a till without a line adds two streams of some 307 bytes to its hello: these are 30,000 starts, eight
hours of a daemon that is started again every second. A till whose hello is not taken could never deliver again."""
MAX_PAGE: Final = 1000
BODY_S: Final = 30.0
"""A body that drips in more slowly only keeps others from being heard."""


async def read(request: Request, content_type: str, limit: int, *, packable: bool = False) -> bytes:
    """The whole body, as it was sent and signed. Raises Refused `media_type`, `too_large`, `slow`."""
    told = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    encodings = ("identity", GZIP) if packable else ("identity",)
    if told != content_type or _encoding(request) not in encodings:
        raise refused("media_type", f"send {content_type}, encoded as {' or '.join(encodings)}")
    if told_bytes(request) > limit:
        raise refused(ProblemCode.TOO_LARGE, f"{told_bytes(request)} bytes, at most {limit}")
    try:
        async with asyncio.timeout(BODY_S):
            return await _collected(request, limit)
    except TimeoutError as error:
        raise refused("slow", f"not all of it came within {BODY_S:.0f} s") from error


def told_bytes(request: Request) -> int:
    """The length of the body as its sender tells it; 0 where nothing is told."""
    length = request.headers.get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() else 0


async def _collected(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise refused(ProblemCode.TOO_LARGE, f"more than {limit} bytes")
    return bytes(body)


def plain(request: Request, body: bytes, limit: int) -> bytes:
    """What was packed in the body. Raises Refused `malformed`, `too_large`; never unfolds more than `limit` bytes."""
    if _encoding(request) != GZIP:
        return body
    try:
        return unpacked(body, limit)
    except TooLong as error:
        raise refused(ProblemCode.TOO_LARGE, str(error)) from error
    except NotPacked as error:
        raise refused(ProblemCode.MALFORMED, str(error)) from error


def _encoding(request: Request) -> str:
    """The content coding; two of them, or the header twice, is none that we take."""
    return ",".join(request.headers.getlist("content-encoding")).strip().lower() or "identity"


def decoded(body: bytes, shape: type[T]) -> T:
    """Raises Refused `malformed`."""
    if holds_nul(body):
        raise refused(ProblemCode.MALFORMED, "a text holds a NUL character")
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refused(ProblemCode.MALFORMED, str(error)) from error


def batch(body: bytes, stream: str) -> tuple[BatchHeader, list[bytes]]:
    """A header line, then the records, verbatim. Raises Refused `malformed`, `too_large`."""
    first, *records = body.removesuffix(b"\n").split(b"\n")
    header = decoded(first, BatchHeader)
    if header.stream != stream:
        raise refused(ProblemCode.MALFORMED, "the batch is of another stream", request=header.request)
    if max(header.count, len(records)) > MAX_BATCH:
        raise refused(ProblemCode.TOO_LARGE, f"at most {MAX_BATCH} records at once", request=header.request)
    if header.count != len(records):
        told = f"the header says {header.count} records, {len(records)} have come"
        raise refused(ProblemCode.MALFORMED, told, request=header.request)
    return header, records


def page(request: Request) -> tuple[str, int, int]:
    """The request's id, cursor and limit of a question for decisions. Raises Refused `malformed`."""
    query = request.query_params
    name, after, limit = query.get("request", ""), query.get("after", "0"), query.get("limit", "100")
    if not all(text.isascii() and text.isdigit() and len(text) <= 15 for text in (after, limit)):
        raise refused(ProblemCode.MALFORMED, "after and limit are whole numbers", request=name)
    return name, int(after), min(max(int(limit), 1), MAX_PAGE)
