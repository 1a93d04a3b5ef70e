"""A picture as a PNG with a palette of at most 256 colours (W3C PNG, section 11.2.2): half of what a browser saves."""

import struct
import zlib
from typing import Any, Final

import numpy as np

COLOURS: Final = 256
SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
INDEXED: Final = 3


def small_png(pixels: "np.ndarray[Any, np.dtype[np.uint8]]") -> bytes:
    """`pixels` are rows of RGB. Exact up to 256 colours; then the rarer ones become the nearest of the commonest."""
    height, width, _ = pixels.shape
    colours, index, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    kept = colours[np.argsort(counts)[::-1][:COLOURS]]
    near = np.concatenate([_nearest(part, kept) for part in np.array_split(colours, len(colours) // 4096 + 1)])
    rows = near[index.reshape(-1)].astype(np.uint8).reshape(height, width)
    lines = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1)
    head = struct.pack(">IIBBBBB", width, height, 8, INDEXED, 0, 0, 0)
    pieces = ((b"IHDR", head), (b"PLTE", kept.tobytes()), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(*piece) for piece in pieces)


def _nearest(colours: Any, kept: Any) -> Any:
    """For each colour the place of the one most like it, by the squares of the differences."""
    apart = colours[:, None, :].astype(np.int32) - kept[None, :, :].astype(np.int32)
    return (apart * apart).sum(axis=2).argmin(axis=1)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
