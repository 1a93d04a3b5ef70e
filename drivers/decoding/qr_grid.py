"""Lays the grid of a known version over a damaged QR code: a homography fitted on all function patterns, then an
elastic mesh for what is bent, creased or curved. Gives one soft value for every module.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from drivers.decoding.qr_layout import function_map, size_of
from drivers.decoding.symbol import Gray, Quad

Array = npt.NDArray[np.float32]

PITCH: Final = 8
"""Pixels a module gets on the canvas."""
BORDER: Final = 3
"""Modules around the code on the canvas: how far a corner may be off."""
STEPS: Final = (0.9, 0.45, 0.2, 0.1)
"""Modules by which corners are moved while they are fitted."""
QUIET: Final = 2
"""Modules of quiet zone that hold the mesh at the edges."""
MESH: Final = ((0.6, 0.2, 7), (0.4, 0.2, 5), (0.2, 0.1, 5))
"""Rounds of the elastic mesh: how far and how finely each module is moved, and the side of its neighbourhood."""
KNOWN: Final = 1.5
"""How much more a module counts whose value is known."""
STIFF: Final = 0.05
"""What a shift by one module costs each module of the neighbourhood."""
HOPELESS: Final = 0.35
"""Correlation after the widest moves from which no grid was ever fitted."""
BLUR: Final = 0.22
"""Modules: averages the paper's grain away before a module is sampled."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A rectified code: `canvas` with PITCH pixels a module, and how well the function patterns correlate (to 1)."""

    canvas: Array
    version: int
    fit: float


def laid(picture: Gray, quad: Quad, version: int) -> Grid:
    """The canvas whose function patterns stand where they should, as well as a homography can."""
    size = size_of(version)
    rough, corners = _canvas(picture, np.array(quad, np.float32), size)
    moves, fit = _fitted(rough, version)
    better = _canvas_corners(size) + moves * PITCH
    to_picture = cv2.getPerspectiveTransform(_canvas_corners(size), corners)
    moved = cv2.perspectiveTransform(better[None].astype(np.float32), to_picture)[0]
    canvas, _ = _canvas(picture, moved, size)
    return Grid(canvas, version, fit)


def _canvas_corners(size: int) -> Array:
    low, high = BORDER * PITCH, (BORDER + size) * PITCH
    return np.array([(low, low), (high, low), (high, high), (low, high)], np.float32)


def _canvas(picture: Gray, corners: Array, size: int) -> tuple[Array, Array]:
    side = (size + 2 * BORDER) * PITCH
    matrix = cv2.getPerspectiveTransform(_canvas_corners(size), corners)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpPerspective(picture, matrix, (side, side), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.GaussianBlur(warped, (0, 0), BLUR * PITCH), np.float32), corners


@cache
def _known(version: int) -> tuple[Array, Array]:
    """Middles (x, y) in modules of the function modules, and 1 for dark, -1 for light (mean taken out)."""
    known = function_map(version)
    rows, columns = np.nonzero(known)
    signs = known[rows, columns].astype(np.float32)
    return np.stack([columns + 0.5, rows + 0.5], 1).astype(np.float32), signs - signs.mean()


def _fitted(canvas: Array, version: int) -> tuple[Array, float]:
    """Corner moves in modules, by coordinate descent on the correlation with the function patterns."""
    moves = np.zeros((4, 2), np.float32)
    best = _fit(canvas, version, moves)
    for step in STEPS:
        for _ in range(2):
            before = best
            for corner in range(4):
                for axis in range(2):
                    for way in (step, -step):
                        tried = moves.copy()
                        tried[corner, axis] += way
                        if abs(tried[corner, axis]) > BORDER - 0.5:
                            continue
                        fit = _fit(canvas, version, tried)
                        if fit > best:
                            best, moves = fit, tried
                            break
            if best - before < 0.002:
                break
        if best < HOPELESS:
            break
    return moves, best


def _fit(canvas: Array, version: int, moves: Array) -> float:
    points, signs = _known(version)
    size = size_of(version)
    corners = _canvas_corners(size)
    square = np.array([(0, 0), (size, 0), (size, size), (0, size)], np.float32)
    matrix = cv2.getPerspectiveTransform(square, corners + moves * PITCH)
    x, y, w = matrix[:, :2] @ points.T + matrix[:, 2:]
    last = canvas.shape[0] - 1
    columns, rows = np.clip(np.rint(x / w - 0.5), 0, last), np.clip(np.rint(y / w - 0.5), 0, last)
    values = canvas[rows.astype(np.intp), columns.astype(np.intp)]
    spread = float(values.std()) * float(np.sqrt((signs * signs).mean()))
    return -float((values * signs).mean()) / (spread + 1e-3)


def modules(grid: Grid, *, elastic: bool) -> Array:
    """Brightness of every module; with `elastic` each is looked for where its neighbourhood has moved to."""
    size = size_of(grid.version) + 2 * QUIET
    shifts = np.zeros((2, size, size), np.float32)
    if elastic:
        known = np.pad(function_map(grid.version), QUIET, constant_values=-1).astype(np.float32)
        for reach, step, window in MESH:
            shifts = _shifted(grid.canvas, known, shifts, reach, step, window)
    return _sampled(grid.canvas, shifts)[QUIET:-QUIET, QUIET:-QUIET]


def _sampled(canvas: Array, shifts: Array) -> Array:
    """`shifts` are (2, size, size): x and y in modules, for the code and its quiet zone."""
    middles = (BORDER - QUIET + np.arange(shifts.shape[1], dtype=np.float32) + 0.5) * PITCH - 0.5
    x = (middles[None, :] + shifts[0] * PITCH).astype(np.float32)
    y = (middles[:, None] + shifts[1] * PITCH).astype(np.float32)
    return np.asarray(cv2.remap(canvas, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _shifted(canvas: Array, known: Array, start: Array, reach: float, step: float, window: int) -> Array:
    """Better shifts: each neighbourhood votes for the one with the most contrast and the known modules right."""
    steps = np.arange(-reach, reach + step / 2, step, dtype=np.float32)
    tried = [(dx, dy) for dx in steps for dy in steps]
    votes = np.empty((len(tried), *known.shape), np.float32)
    free, sure = (known == 0).astype(np.float32), KNOWN * known
    for i, (dx, dy) in enumerate(tried):
        soft = softened(_sampled(canvas, start + np.array([dx, dy], np.float32)[:, None, None]))
        vote = np.abs(soft) * free + soft * sure - STIFF * float(np.hypot(dx, dy))
        votes[i] = cv2.boxFilter(vote, -1, (window, window), borderType=cv2.BORDER_REFLECT)
    chosen = np.array(tried, np.float32)[votes.argmax(0)].transpose(2, 0, 1)
    smooth = np.stack([cv2.blur(np.ascontiguousarray(axis), (3, 3)) for axis in chosen])
    return np.asarray(start + smooth, np.float32)


def softened(values: Array) -> Array:
    """Brightness of modules as -1 (light) to 1 (dark), against the middle of the 5 by 5 modules around."""
    kernel = np.ones((5, 5), np.uint8)
    low, high = cv2.erode(values, kernel), cv2.dilate(values, kernel)
    middle = cv2.blur((low + high) / 2, (3, 3))
    spread = cv2.blur((high - low) / 2, (3, 3))
    floor = 0.25 * float(np.percentile(spread, 80)) + 2.0
    return np.asarray(np.clip((middle - values) / np.maximum(spread, floor), -1, 1), np.float32)
