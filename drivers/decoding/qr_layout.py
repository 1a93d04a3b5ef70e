"""Where everything stands in a QR code of each version: ISO/IEC 18004:2015, sections 6.3, 7.5 to 7.10 and annex E."""

from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.int8]

_CHECKS: Final = tuple(
    tuple(map(int, row.split()))
    for row in (
        "7 10 15 20 26 18 20 24 30 18 20 24 26 30 22 24 28 30 28 28 28 28 30 30 26 28" + 14 * " 30",
        "10 16 26 18 24 16 18 22 22 26 30 22 22 24 24 28 28 26 26 26 26" + 19 * " 28",
        "13 22 18 26 18 24 18 22 20 24 28 26 24 20 30 24 28 28 26 30 28 30 30 30 30 28" + 14 * " 30",
        "17 28 22 16 22 28 26 26 24 28 24 28 22 24 24 30 28 28 26 28 30 24" + 18 * " 30",
    )
)
"""Check codewords of a block, by level (L, M, Q, H) and version: table 9."""
_BLOCKS: Final = tuple(
    tuple(map(int, row.split()))
    for row in (
        "1 1 1 1 1 2 2 2 2 4 4 4 4 4 6 6 6 6 7 8 8 9 9 10 12 12 12 13 14 15 16 17 18 19 19 20 21 22 24 25",
        "1 1 1 2 2 4 4 4 5 5 5 8 9 9 10 10 11 13 14 16 17 17 18 20 21 23 25 26 28 29 31 33 35 37 38 40 43 45 47 49",
        "1 1 2 2 4 4 6 6 8 8 8 10 12 16 12 17 16 18 21 20 23 23 25 27 29 34 34 35 38 40 43 45 48 51 53 56 59 62 65 68",
        "1 1 2 4 4 4 5 6 8 8 11 11 16 16 18 16 19 21 25 25 25 34 30 32 35 37 40 42 45 48 51 54 57 60 63 66 70 74 77 81",
    )
)
"""Blocks, likewise."""
_LEVELS: Final = (1, 0, 3, 2)
"""By the two bits of the format (table 25): M, L, H, Q."""


class Format(NamedTuple):
    """Level 0 to 3 is L, M, Q, H."""

    level: int
    mask: int


def size_of(version: int) -> int:
    """Modules along a side."""
    return 17 + 4 * version


def alignments(version: int) -> list[int]:
    """Rows and columns of the alignment patterns' middles, annex E."""
    if version == 1:
        return []
    count = version // 7 + 2
    step = 26 if version == 32 else -(-(version * 4 + 4) // (count * 2 - 2)) * 2
    return [6, *sorted(size_of(version) - 7 - i * step for i in range(count - 1))]


@cache
def function_map(version: int) -> Map:
    """1 dark, -1 light, 0 for what depends on the code: data, format and version information."""
    size = size_of(version)
    known = np.zeros((size, size), np.int8)
    for i in range(size):
        known[6, i] = known[i, 6] = 1 if i % 2 == 0 else -1
    middles = alignments(version)
    for row in middles:
        for column in middles:
            if not _by_finder(row, column, size):
                _square(known, row, column, 2)
    for row, column in ((3, 3), (3, size - 4), (size - 4, 3)):
        _square(known, row, column, 4)
    known[size - 8, 8] = 1
    return known


def _by_finder(row: int, column: int, size: int) -> bool:
    return (row, column) in {(6, 6), (6, size - 7), (size - 7, 6)}


def _square(known: Map, row: int, column: int, reach: int) -> None:
    """Rings around a middle; reach 4 is a finder with its separator."""
    for r in range(max(0, row - reach), min(len(known), row + reach + 1)):
        for c in range(max(0, column - reach), min(len(known), column + reach + 1)):
            ring = max(abs(r - row), abs(c - column))
            dark = ring in {0, 2} if reach == 2 else ring in {0, 1, 3}
            known[r, c] = 1 if dark else -1


def format_places(size: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Row and column of the 15 format bits, first bit first, in both copies: figure 25."""
    first = [(8, c) for c in (0, 1, 2, 3, 4, 5, 7, 8)] + [(r, 8) for r in (7, 5, 4, 3, 2, 1, 0)]
    second = [(size - 1 - i, 8) for i in range(7)] + [(8, size - 8 + i) for i in range(8)]
    return first, second


@cache
def format_words() -> tuple[tuple[Format, tuple[int, ...]], ...]:
    """All 32 formats and their 15 bits: annex C."""
    words = []
    for data in range(32):
        rest = data << 10
        for bit in range(14, 9, -1):
            if rest >> bit & 1:
                rest ^= 0x537 << (bit - 10)
        word = (data << 10 | rest) ^ 0x5412
        bits = tuple(word >> (14 - i) & 1 for i in range(15))
        words.append((Format(_LEVELS[data >> 3], data & 7), bits))
    return tuple(words)


@cache
def data_places(version: int) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]]:
    """Rows and columns of all data bits in reading order: section 7.7.3."""
    free = function_map(version) == 0
    size = size_of(version)
    for row, column in (*format_places(size)[0], *format_places(size)[1]):
        free[row, column] = False
    if version >= 7:
        free[:6, size - 11 : size - 8] = free[size - 11 : size - 8, :6] = False
    order = [(r, c) for r, c in _zigzag(size) if free[r, c]]
    rows, columns = zip(*order, strict=True)
    return np.array(rows), np.array(columns)


def _zigzag(size: int) -> Iterator[tuple[int, int]]:
    upward = True
    for right in (c if c > 6 else c - 1 for c in range(size - 1, 0, -2)):
        for step in range(size):
            row = size - 1 - step if upward else step
            yield row, right
            yield row, right - 1
        upward = not upward


@cache
def mask_map(version: int, mask: int) -> npt.NDArray[np.bool_]:
    """True where the mask turns a module over: table 10."""
    r, c = np.indices((size_of(version),) * 2)
    rules = (
        lambda: (r + c) % 2,
        lambda: r % 2,
        lambda: c % 3,
        lambda: (r + c) % 3,
        lambda: (r // 2 + c // 3) % 2,
        lambda: r * c % 2 + r * c % 3,
        lambda: (r * c % 2 + r * c % 3) % 2,
        lambda: ((r + c) % 2 + r * c % 3) % 2,
    )
    return np.asarray(rules[mask]() == 0)


class Block(NamedTuple):
    """`places` are the codewords of one block, data first, as indices into the symbol's codewords."""

    places: npt.NDArray[np.int_]
    checks: int


@cache
def blocks(version: int, level: int) -> tuple[Block, ...]:
    """How the codewords of a symbol are dealt to its blocks: section 7.6."""
    total = len(data_places(version)[0]) // 8
    count, checks = _BLOCKS[level][version - 1], _CHECKS[level][version - 1]
    short = total // count - checks
    lengths = [short + (i >= count - total % count) for i in range(count)]
    dealt: list[list[int]] = [[] for _ in lengths]
    at = 0
    for i in range(short + 1):
        for block, length in zip(dealt, lengths, strict=True):
            if i < length:
                block.append(at)
                at += 1
    for _ in range(checks):
        for block in dealt:
            block.append(at)
            at += 1
    return tuple(Block(np.array(block), checks) for block in dealt)
