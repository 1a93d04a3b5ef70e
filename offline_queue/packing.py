"""gzip (RFC 1952) on the wire, at both of its ends: quick, only where it pays, and never larger than expected.

Pure. Level 1 takes a batch of sales to an eighth of its size; higher levels cost several times the CPU for little more
(docs/decisions/0019-admission.md has the figures).
"""

import zlib
from typing import Final

GZIP: Final = "gzip"
WORTHWHILE: Final = 1400
"""Bytes that fit into one packet travel no faster when they are fewer."""
_LEVEL: Final = 1
_GZIP_FORMAT: Final = 31


class NotPacked(Exception):
    """These bytes are no whole gzip stream, or more than one; the text says which."""


class TooLong(Exception):
    """What is packed is longer than allowed; no more than that was unfolded."""


def packed(body: bytes) -> bytes:
    return zlib.compress(body, _LEVEL, _GZIP_FORMAT)


def unpacked(data: bytes, limit: int) -> bytes:
    """At most `limit` bytes. Raises NotPacked, TooLong."""
    inflater = zlib.decompressobj(_GZIP_FORMAT)
    try:
        body = inflater.decompress(data, limit + 1)
    except zlib.error as error:
        raise NotPacked(f"not gzip: {error}") from error
    if len(body) > limit:
        raise TooLong(f"more than {limit} bytes once unpacked")
    if not inflater.eof:
        raise NotPacked("the gzip stream is cut off")
    if inflater.unused_data:
        raise NotPacked("something follows the gzip stream")
    return body
