"""What a printed EAN-13 looks like through a blurred lens: GS1 General Specifications 5.2, module by module.

A code is sampled PER_MODULE times a module, with a little of its quiet zones; 1 is dark. Windows of it, each from the
middle of one digit to the middle of the next, depend on these two digits alone as long as the blur is shorter.
"""

from functools import cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

PER_MODULE: Final = 4
"""Samples: enough for a blur of 0.4 modules."""
MODULES: Final = 95
QUIET: Final = 3
"""Modules of quiet zone that take part on either side."""
SAMPLES: Final = (MODULES + 2 * QUIET) * PER_MODULE
DIGIT: Final = 7 * PER_MODULE
HALF: Final = DIGIT // 2


class Blur(NamedTuple):
    """A Gaussian of standard deviation `sigma`, then an out-of-focus disk of `radius`, in modules."""

    sigma: float
    radius: float


BLURS: Final = (Blur(0.45, 0), Blur(0.75, 0), Blur(0.6, 1.6), Blur(0.6, 2.2), Blur(0.6, 2.8))
"""From sharp to as blurred as most of a digit; beyond, nothing true was ever read."""

_SET_A: Final = (
    0b0001101,
    0b0011001,
    0b0010011,
    0b0111101,
    0b0100011,
    0b0110001,
    0b0101111,
    0b0111011,
    0b0110111,
    0b0001011,
)
"""Figure 5.2.1.2.1-1. Set C is its complement, set B is C mirrored."""
PARITIES: Final = ("AAAAAA", "AABABB", "AABBAB", "AABBBA", "ABAABB", "ABBAAB", "ABBBAA", "ABABAB", "ABABBA", "ABBABA")
"""Sets of the six left digits by the first digit, figure 5.2.1.2.2-1."""
_SIDE: Final = np.array([1, 0, 1], np.float32)
_CENTRE: Final = np.array([0, 1, 0, 1, 0], np.float32)


@cache
def digits_left() -> Array:
    """Number sets A then B: 20 by 7 modules."""
    odd = np.array([[pattern >> (6 - i) & 1 for i in range(7)] for pattern in _SET_A], np.float32)
    return np.concatenate([odd, (1 - odd)[:, ::-1]])


@cache
def digits_right() -> Array:
    """Number set C: 10 by 7 modules."""
    return np.asarray(1 - digits_left()[:10], np.float32)


def modules_of(code: str) -> Array:
    """All 95 modules of a 13-digit code."""
    left = [digits_left()[int(d) + 10 * (p == "B")] for d, p in zip(code[1:7], PARITIES[int(code[0])], strict=True)]
    right = [digits_right()[int(d)] for d in code[7:]]
    return np.concatenate([_SIDE, *left, _CENTRE, *right, _SIDE])


def blurred(modules: Array, blur: Blur) -> Array:
    """Modules (last axis) as samples; beyond the ends they go on as their last."""
    pad = 6
    edges = [(0, 0)] * (modules.ndim - 1) + [(pad, pad)]
    fine = np.repeat(np.pad(modules, edges, mode="edge"), PER_MODULE, axis=-1)
    reach = pad * PER_MODULE
    kernel = _kernel(blur, reach)
    smooth = np.apply_along_axis(lambda row: np.convolve(row, kernel, "same"), -1, fine)
    return np.asarray(smooth[..., reach:-reach], np.float32)


def _kernel(blur: Blur, reach: int) -> Array:
    """Across the bars a disk is as high as its chord is long."""
    at = np.arange(-reach, reach + 1) / PER_MODULE
    kernel = np.exp(-0.5 * (at / blur.sigma) ** 2)
    if blur.radius:
        kernel = np.convolve(kernel, np.sqrt(np.maximum(blur.radius**2 - at * at, 0)), "same")
    return np.asarray(kernel / kernel.sum(), np.float32)


def predicted(code: str, blur: Blur) -> Array:
    """All samples of a 13-digit code."""
    return blurred(np.pad(modules_of(code), (QUIET, QUIET)), blur)


@cache
def windows(blur: Blur) -> tuple[Array, ...]:
    """What each of the 13 windows may look like: (digits, n), 11 times (digits, next digits, n), (digits, n)."""
    left, right = digits_left(), digits_right()
    quiet, none = np.zeros(QUIET + 4, np.float32), np.zeros(0, np.float32)
    head = np.stack([np.concatenate([quiet, _SIDE, digit, [0]]) for digit in left]).astype(np.float32)
    tail = np.stack([np.concatenate([[1], digit, _SIDE, quiet]) for digit in right]).astype(np.float32)
    end = (QUIET + 3) * PER_MODULE + HALF
    first = blurred(head, blur)[:, 4 * PER_MODULE : 4 * PER_MODULE + end]
    last = blurred(tail, blur)[:, PER_MODULE + HALF : PER_MODULE + HALF + end]
    inner_left, inner_right = _pairs(left, none, left, blur), _pairs(right, none, right, blur)
    return first, *[inner_left] * 5, _pairs(left, _CENTRE, right, blur), *[inner_right] * 5, last


def _pairs(ones: Array, between: Array, others: Array, blur: Blur) -> Array:
    rows = np.stack([np.stack([np.concatenate([a, between, b]) for b in others]) for a in ones])
    return blurred(rows, blur)[..., HALF:-HALF]


@cache
def singles(blur: Blur) -> tuple[Array, Array]:
    """Single digits of the left (20) and right half (10), between the neighbours that every digit has."""
    left = np.pad(np.pad(digits_left(), ((0, 0), (1, 0)), constant_values=1), ((0, 0), (0, 1)))
    right = np.pad(np.pad(digits_right(), ((0, 0), (1, 0))), ((0, 0), (0, 1)), constant_values=1)
    inner = slice(PER_MODULE, -PER_MODULE)
    return blurred(left, blur)[:, inner], blurred(right, blur)[:, inner]


@cache
def guards(blur: Blur) -> tuple[tuple[int, Array], ...]:
    """Where the three guards start among the samples and what they look like."""
    head = blurred(np.array([0, *[0] * QUIET, *_SIDE, 0], np.float32), blur)[PER_MODULE:-PER_MODULE]
    middle = blurred(np.array([1, *_CENTRE, 1], np.float32), blur)[PER_MODULE:-PER_MODULE]
    return (0, head), ((QUIET + 45) * PER_MODULE, middle), ((QUIET + 92) * PER_MODULE, head[::-1])


@cache
def usual(blur: Blur) -> tuple[float, float]:
    """Mean and standard deviation of the samples of any code: they differ little from code to code."""
    codes = [predicted(f"{i}{12345678901 * (i + 1) % 10**12:012d}", blur) for i in range(10)]
    return float(np.mean(codes)), float(np.mean([code.std() for code in codes]))
