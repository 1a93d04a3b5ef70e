"""Finds where bars stand in a picture and lays them upright, at any angle.

Bars have gradients of one direction only: the structure tensor (Bigün and Granlund 1987) is coherent there.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from drivers.decoding.symbol import Floats, Gray, Quad, quad_of
from drivers.decoding.views import scaled

SEARCH_SIDE: Final = 640
"""Pixels of the longest side in which bars are looked for."""
WINDOW: Final = 21
"""Pixels there: wide enough for a few bars, narrow enough to part them from the text beside."""
COHERENCE: Final = 0.55
WEAKEST: Final = 60.0
"""Mean squared Sobel gradient of the faintest print worth a look."""
MARGIN: Final = 0.2
"""Of the width, added on either side for quiet zones and for bars that the mask has missed."""
STRIP_WIDTH: Final = (500, 900)
"""Pixels of a laid strip: an EAN gets 3.5 to 7 pixels a module."""
STRIP_HEIGHT: Final = 96


@dataclass(frozen=True, slots=True)
class Strip:
    """Bars laid upright: `picture` has them vertical, `back` maps (x, y, 1) in it to the picture they are from."""

    picture: Gray
    back: npt.NDArray[np.float64]

    def placed(self, corners: npt.ArrayLike) -> Quad:
        """Corners in the strip as a quad of the picture it is from."""
        points = np.asarray(corners, float).reshape(-1, 2)
        return quad_of(points @ self.back[:, :2].T + self.back[:, 2])


def strips(picture: Gray, most: int = 2) -> list[Strip]:
    """The likeliest bar codes, best first."""
    scale = min(1.0, SEARCH_SIDE / max(picture.shape))
    small = scaled(picture, scale) if scale < 1 else picture
    found = []
    for mask, direction, weight in _regions(small):
        box = _box(mask, direction)
        if box is not None:
            found.append((weight, box))
    found.sort(key=lambda item: -item[0])
    return [_laid(picture, box, scale) for _, box in found[:most]]


@dataclass(frozen=True, slots=True)
class _Box:
    """Oriented: `across` is the unit vector across the bars."""

    centre: npt.NDArray[np.float64]
    across: npt.NDArray[np.float64]
    width: float
    height: float


def _regions(small: Gray) -> list[tuple[npt.NDArray[np.bool_], float, float]]:
    """Connected regions of coherent gradients: mask, direction of the gradient in radians, weight."""
    xx, yy, xy = tensor(small)
    energy = xx + yy
    double = xx - yy
    coherence = np.sqrt(double * double + 4 * xy * xy) / (energy + 1e-3)
    floor = max(WEAKEST, 0.02 * float(energy.max()))
    mask = ((coherence > COHERENCE) & (energy > floor)).astype(np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8)), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    order = sorted(range(1, count), key=lambda i: -int(stats[i, cv2.CC_STAT_AREA]))[:8]
    regions = []
    for label in order:
        if stats[label, cv2.CC_STAT_AREA] < 300:
            break
        inside = labels == label
        direction = 0.5 * float(np.arctan2(2 * xy[inside].sum(), double[inside].sum()))
        weight = float((coherence[inside] ** 2 * np.sqrt(energy[inside])).sum())
        regions.append((inside, direction, weight))
    return regions


def tensor(small: Gray) -> tuple[Floats, Floats, Floats]:
    """Squares and product of the gradient's parts, averaged over WINDOW: xx, yy, xy."""
    dx = np.asarray(cv2.Sobel(small, cv2.CV_32F, 1, 0, scale=0.25), np.float32)
    dy = np.asarray(cv2.Sobel(small, cv2.CV_32F, 0, 1, scale=0.25), np.float32)
    window = (WINDOW, WINDOW)
    xx, yy, xy = (np.asarray(cv2.boxFilter(p, -1, window), np.float32) for p in (dx * dx, dy * dy, dx * dy))
    return xx, yy, xy


def _box(mask: npt.NDArray[np.bool_], direction: float) -> _Box | None:
    across = np.array([np.cos(direction), np.sin(direction)])
    along = np.array([-across[1], across[0]])
    ys, xs = np.nonzero(mask)
    points = np.stack([xs, ys], 1).astype(float)
    u, v = points @ across, points @ along
    (u0, u1), (v0, v1) = np.percentile(u, (0.5, 99.5)), np.percentile(v, (3, 97))
    width, height = float(u1 - u0), float(v1 - v0)
    if width < 36 or height < 6:
        return None
    centre = across * (u0 + u1) / 2 + along * (v0 + v1) / 2
    return _Box(centre, across, width * (1 + 2 * MARGIN), height)


def _laid(picture: Gray, box: _Box, scale: float) -> Strip:
    width, height = box.width / scale, box.height / scale
    columns = int(min(max(width * 2, STRIP_WIDTH[0]), STRIP_WIDTH[1]))
    rows = int(min(STRIP_HEIGHT, max(16, height)))
    along = np.array([-box.across[1], box.across[0]])
    step_u, step_v = box.across * (width / columns), along * (height / rows)
    origin = box.centre / scale - step_u * columns / 2 - step_v * rows / 2
    back = np.stack([step_u, step_v, origin], axis=1)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(picture, back, (columns, rows), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return Strip(np.asarray(laid, np.uint8), back)
