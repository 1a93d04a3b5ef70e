"""Reed-Solomon over GF(256) with errors and erasures, as QR codes use it (ISO/IEC 18004 annex A and B).

Forney syndromes, Berlekamp-Massey, Chien search and Forney's formula: Blahut, "Algebraic Codes for Data
Transmission", chapter 7.
"""

from collections.abc import Collection, Sequence
from typing import Final

_PRIMITIVE: Final = 0x11D
"""x^8 + x^4 + x^3 + x^2 + 1."""


def _tables() -> tuple[list[int], list[int]]:
    exp, log = [0] * 512, [0] * 256
    value = 1
    for power in range(255):
        exp[power] = exp[power + 255] = value
        log[value] = power
        value <<= 1
        if value & 0x100:
            value ^= _PRIMITIVE
    return exp, log


EXP, LOG = _tables()


class Uncorrectable(ValueError):
    """More errors than the check codewords can mend."""


def times(a: int, b: int) -> int:
    """Product in GF(256)."""
    return EXP[LOG[a] + LOG[b]] if a and b else 0


def syndromes(word: Sequence[int], checks: int) -> list[int]:
    """The word's value at the powers 0 to checks - 1 of the generator; all zero when it is a codeword."""
    found = []
    for power in range(checks):
        value = 0
        for symbol in word:
            value = symbol ^ (EXP[LOG[value] + power] if value else 0)
        found.append(value)
    return found


def corrected(word: Sequence[int], checks: int, erased: Collection[int] = ()) -> tuple[list[int], int]:
    """The nearest codeword and how many of its symbols, beside those `erased`, were wrong. Raises Uncorrectable.

    `word` has its data first and `checks` check symbols last; `erased` are indices whose values mean nothing.
    """
    found = syndromes(word, checks)
    if not any(found):
        return list(word), 0
    if len(erased) > checks:
        raise Uncorrectable(f"{len(erased)} erasures, {checks} check symbols")
    roots = [len(word) - 1 - index for index in erased]
    locator = _errors_beside(found, roots, checks)
    places = _places(locator, len(word))
    spots = sorted({*roots, *places})
    mended = _mended(word, found, spots, checks)
    if any(syndromes(mended, checks)):
        raise Uncorrectable("the corrected word is no codeword")
    return mended, len(set(places) - set(roots))


def _errors_beside(found: list[int], roots: Sequence[int], checks: int) -> list[int]:
    """The error locator (lowest power first) of what is wrong beside the erasures, by Berlekamp and Massey."""
    known = found[:]
    for root in roots:  # Forney syndromes: what the erasures add is taken out, one syndrome is used up by each
        known = [times(known[i], EXP[root]) ^ known[i + 1] for i in range(len(known) - 1)]
    locator, previous = [1], [1]
    length, shift, last = 0, 1, 1
    for n, syndrome in enumerate(known):
        delta = syndrome
        for i in range(1, length + 1):
            if i < len(locator):
                delta ^= times(locator[i], known[n - i])
        if not delta:
            shift += 1
            continue
        scale = EXP[LOG[delta] + 255 - LOG[last]]
        step = [0] * shift + [times(scale, c) for c in previous]
        longer = [a ^ b for a, b in _aligned(locator, step)]
        if 2 * length <= n:
            length, previous, last, shift = n + 1 - length, locator, delta, 1
        else:
            shift += 1
        locator = longer
    while locator and not locator[-1]:
        locator.pop()
    if 2 * (len(locator) - 1) > checks - len(roots) or len(locator) - 1 != length:
        raise Uncorrectable("too many errors")
    return locator


def _aligned(a: list[int], b: list[int]) -> list[tuple[int, int]]:
    size = max(len(a), len(b))
    return list(zip(a + [0] * (size - len(a)), b + [0] * (size - len(b)), strict=True))


def _places(locator: list[int], size: int) -> list[int]:
    """Powers at which the locator vanishes (Chien search); as many as its degree."""
    places = []
    for power in range(size):
        value = 0
        for i, coefficient in enumerate(locator):
            if coefficient:
                value ^= EXP[(LOG[coefficient] + i * (255 - power)) % 255]
        if not value:
            places.append(power)
    if len(places) != len(locator) - 1:
        raise Uncorrectable("errors outside the word")
    return places


def _mended(word: Sequence[int], found: list[int], spots: list[int], checks: int) -> list[int]:
    """The word with the values at `spots` (powers) computed by Forney's formula."""
    locator = [1]
    for spot in spots:
        locator = [a ^ b for a, b in _aligned(locator, [0, *(times(c, EXP[spot]) for c in locator)])]
    evaluator = [0] * checks
    for i, c in enumerate(locator):
        for j in range(checks - i):
            evaluator[i + j] ^= times(c, found[j])
    mended = list(word)
    for spot in spots:
        inverse = (255 - spot) % 255
        above = _value(evaluator, inverse)
        below = _value([c if i % 2 else 0 for i, c in enumerate(locator)], inverse)
        if not below:
            raise Uncorrectable("two errors in one place")
        # The odd terms hold one power of x more than the derivative: dividing by them multiplies by x.
        mended[len(word) - 1 - spot] ^= EXP[(LOG[above] + 255 - LOG[below]) % 255] if above else 0
    return mended


def _value(polynomial: Sequence[int], power: int) -> int:
    """Lowest coefficient first, at a power of the generator."""
    value = 0
    for i, coefficient in enumerate(polynomial):
        if coefficient:
            value ^= EXP[(LOG[coefficient] + i * power) % 255]
    return value
