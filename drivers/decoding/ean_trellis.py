"""The likeliest EAN-13 in worn or blurred samples: maximum likelihood over all codes whose check digit is right.

A trellis over the digits with the first digit and the sum so far as state, min-sum forward and backward, finds the
best code and the best other one. How far they lie apart is how certain the read is.
"""

from functools import cache
from typing import Final, NamedTuple

import numpy as np

from drivers.decoding import ean_model
from drivers.decoding.ean_model import PARITIES, SAMPLES, Array, Blur

_LEVEL: Final = 0.8
_SLOPE: Final = 0.65
"""How much of a window's level and slope is put down to the light and not to the print."""
STRETCH: Final = 0.01
"""What one step of shift between neighbouring windows costs, in squares."""
_INF: Final = np.float32(1e9)
_WEIGHTS: Final = (3, 1) * 6
"""Of the 12 digits after the first in the check sum."""


class Best(NamedTuple):
    """The best code, its mean squared misfit (contrast is 1) and how much worse the next code fits, likewise."""

    digits: str
    misfit: float
    gap: float
    blur: Blur


class _Book(NamedTuple):
    """Templates made ready for comparison: transposed, their squares, and their axes but the last."""

    turned: Array
    squares: Array
    shape: tuple[int, ...]


@cache
def _lighting(n: int) -> Array:
    """Takes out most of what uneven light adds to a window: a level and a slope."""
    level, slope = np.ones(n) / np.sqrt(n), np.linspace(-1, 1, n)
    slope /= np.linalg.norm(slope)
    return np.asarray(np.eye(n) - _LEVEL * np.outer(level, level) - _SLOPE * np.outer(slope, slope), np.float32)


@cache
def _books(blur: Blur) -> tuple[_Book, ...]:
    return tuple(_book(templates) for templates in ean_model.windows(blur))


def _book(templates: Array) -> _Book:
    flat = templates.reshape(-1, templates.shape[-1]) @ _lighting(templates.shape[-1])
    return _Book(np.ascontiguousarray(flat.T), (flat * flat).sum(-1), templates.shape[:-1])


def misfits(samples: Array, templates: Array) -> Array:
    """Sums of squares between samples (..., n) and every template (a, n), light set aside: (..., a)."""
    return _compared(samples, _book(templates))


def _compared(samples: Array, book: _Book) -> Array:
    lit = samples @ _lighting(samples.shape[-1])
    squares = (lit * lit).sum(-1)[..., None] - 2 * (lit @ book.turned) + book.squares
    return np.asarray(squares.reshape(*samples.shape[:-1], *book.shape), np.float32)


_SETS: Final = np.array([[p == "B" for p in parity] for parity in PARITIES], int)
_IN_LEFT: Final = np.arange(10)[:, None] + 10 * _SETS.T[:, None, :]
"""By position, digit and first digit: where the digit stands in number sets A and B."""


def _steps(samples: Array, blur: Blur) -> tuple[Array, list[Array], Array]:
    """Costs of samples (c, SAMPLES) with the digit first: (10, c, first digit), then 11 times
    (10, c, first digit, next digit), then (10, c)."""
    costs, at = [], 0
    for book in _books(blur):
        width = len(book.turned)
        costs.append(_compared(samples[:, at : at + width], book))
        at += width
    steps = []
    for i, pair in enumerate(costs[1:-1]):
        if i < 5:
            step = pair[:, _IN_LEFT[i][:, :, None], _IN_LEFT[i + 1].T[None]]
        elif i == 5:
            step = pair[:, _IN_LEFT[5], :]
        else:
            step = pair[:, :, None, :]
        steps.append(np.ascontiguousarray(step.swapaxes(0, 1)))
    return costs[0][:, _IN_LEFT[0]].swapaxes(0, 1), steps, costs[-1].T


def fit(samples: Array, blur: Blur) -> float:
    """The least misfit of any code to samples (SAMPLES,), check digit or not."""
    first, steps, last = _steps(samples[None], blur)
    reached = first
    for step in steps:
        reached = np.moveaxis((reached[..., None] + step).min(0), -1, 0)
    return float((reached + last[..., None]).min()) / SAMPLES


def elastic(shifted: Array, blur: Blur) -> tuple[float, list[int]]:
    """Of one candidate sampled at several shifts (shifts, SAMPLES): the least misfit of any code whose 13 windows
    may each be shifted, neighbours by one step at most, and the index of each window's shift."""
    first, steps, last = _steps(shifted, blur)
    reached = np.asarray(first)
    trail = []
    for step in steps:
        near = _nearest(reached)
        trail.append((reached, near, step))
        reached = np.ascontiguousarray(np.moveaxis((near[..., None] + step).min(0), -1, 0))
    near = _nearest(reached)
    ends = near + last[..., None]
    digit, at, parity = (int(i) for i in np.unravel_index(int(ends.argmin()), ends.shape))
    shifts = [at]
    at = _came_from(reached, digit, at, parity)
    for before, near, step in reversed(trail):
        shifts.append(at)
        digit = int((near[:, at, parity] + step[:, at, parity % step.shape[2], digit]).argmin())
        at = _came_from(before, digit, at, parity)
    return float(ends.min()) / SAMPLES, [*shifts, at][::-1]


def _nearest(reached: Array) -> Array:
    """The least over a shift itself and its two neighbours (second axis)."""
    near = reached.copy()
    np.minimum(near[:, 1:], reached[:, :-1] + STRETCH, out=near[:, 1:])
    np.minimum(near[:, :-1], reached[:, 1:] + STRETCH, out=near[:, :-1])
    return near


def _came_from(reached: Array, digit: int, at: int, parity: int) -> int:
    around = range(max(0, at - 1), min(reached.shape[1], at + 2))
    return min(around, key=lambda i: float(reached[digit, i, parity]) + (STRETCH if i != at else 0.0))


def best(samples: Array, blur: Blur) -> Best:
    """The best code with a right check digit in one candidate's samples (SAMPLES,)."""
    first, steps, last = _steps(samples[None], blur)
    single = [step[:, 0] for step in steps]
    forward, backward = _forward(first[:, 0], single), _backward(last[:, 0], single)
    through = np.stack(
        [(f + b).min(-1) for f, b in zip(forward, backward, strict=True)]
    )  # position, digit, first digit
    totals = through[0].min(0)
    parity = int(totals.argmin())
    lead = float(totals[parity])
    digits = through[:, :, parity].argmin(-1)
    others = through[:, :, parity].copy()
    others[np.arange(12), digits] = _INF
    gap = min(float(others.min()), float(np.delete(totals, parity).min())) - lead
    return Best(str(parity) + "".join(map(str, digits)), lead / SAMPLES, gap / SAMPLES, blur)


_D: Final = np.arange(10)


def _forward(first: Array, steps: list[Array]) -> list[Array]:
    """By position: (digit, first digit, sum so far), the least cost up to there."""
    reached = np.full((10, 10, 10), _INF, np.float32)
    reached[_D[:, None], _D[None], (_D[None] + _WEIGHTS[0] * _D[:, None]) % 10] = first
    every = [reached]
    for weight, step in zip(_WEIGHTS[1:], steps, strict=True):
        moved = (reached[..., None] + step[:, :, None, :]).min(0)  # first digit, sum, next digit
        sums = (_D[None] - weight * _D[:, None]) % 10
        reached = moved[_D[None, :, None], sums[:, None, :], _D[:, None, None]]
        every.append(reached)
    return every


def _backward(last: Array, steps: list[Array]) -> list[Array]:
    """Likewise from there on to a check sum of 0."""
    ahead = np.full((10, 10, 10), _INF, np.float32)
    ahead[:, :, 0] = last[:, None]
    every = [ahead]
    for weight, step in zip(_WEIGHTS[:0:-1], steps[::-1], strict=True):
        sums = (_D[None] + weight * _D[:, None]) % 10
        moved = ahead[_D[:, None, None], _D[None, :, None], sums[:, None, :]]  # next digit, first digit, sum
        turned = np.ascontiguousarray(step.transpose(2, 1, 0))
        best = (turned[:, :, None, :] + moved[..., None]).min(0)  # first digit, sum, digit
        ahead = np.ascontiguousarray(np.moveaxis(best, -1, 0))
        every.append(ahead)
    return every[::-1]
