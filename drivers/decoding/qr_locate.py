"""Finds QR codes whose finder patterns are worn, covered or blurred beyond what a scan line can tell.

A code is a patch of edges in two directions at right angles. Its direction follows from all its edges together, so the
patch can be turned upright and finder patterns of every likely size be matched near its four corners.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from drivers.decoding.bars import SEARCH_SIDE, tensor
from drivers.decoding.qr_layout import size_of
from drivers.decoding.symbol import Floats, Gray, Quad, quad_of
from drivers.decoding.views import scaled

Points = npt.NDArray[np.float64]

FAINTEST: Final = 40.0
"""Mean squared gradient of the palest print worth a look."""
ONE_WAY: Final = 0.75
"""Coherence above which edges run in one direction only: bars, borders, text lines."""
SMALLEST: Final = 34
"""Pixels of a patch's side in the search picture: below, a module is less than 1.6 pixels."""
SIDE: Final = 150
"""Pixels that a patch gets when it is laid upright."""
AROUND: Final = 40
"""Pixels around it there."""
VERSIONS: Final = range(1, 9)
SOLID: Final = 0.45
"""Correlation with a finder pattern that is taken for one."""


class Place(NamedTuple):
    """Where a QR code may be, and of which version."""

    quad: Quad
    version: int


@dataclass(frozen=True, slots=True)
class _Patch:
    """Upright picture of a patch, and `back` from (x, y, 1) in it to the picture."""

    upright: Gray
    back: Points

    def placed(self, corners: Points) -> Quad:
        return quad_of(corners @ self.back[:, :2].T + self.back[:, 2])


def places(picture: Gray, most: int = 3) -> list[Place]:
    """The likeliest places, best first."""
    scale = min(1.0, SEARCH_SIDE / max(picture.shape))
    small = scaled(picture, scale) if scale < 1 else picture
    found = [guess for patch in _patches(picture, small, scale) for guess in _guesses(patch)]
    found.sort(key=lambda guess: -guess[0])
    return [place for _, place in found[:most]]


def _patches(picture: Gray, small: Gray, scale: float) -> list[_Patch]:
    xx, yy, xy = tensor(small)
    energy = xx + yy
    coherence = np.sqrt((xx - yy) ** 2 + 4 * xy * xy) / (energy + 1e-3)
    floor = max(FAINTEST, 0.1 * float(np.percentile(energy, 98)))
    mask = ((energy > floor) & (coherence < ONE_WAY)).astype(np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)), np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8)), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    order = sorted(range(1, count), key=lambda i: -int(stats[i, cv2.CC_STAT_AREA]))[:2]
    inside = [labels == i for i in order if stats[i, cv2.CC_STAT_AREA] > SMALLEST**2]
    return [patch for m in inside if (patch := _upright(picture, small, m, scale))]


def _upright(picture: Gray, small: Gray, inside: npt.NDArray[np.bool_], scale: float) -> _Patch | None:
    angle = _direction(small, inside)
    across, along = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    ys, xs = np.nonzero(inside)
    points = np.stack([xs, ys], 1)
    (u0, u1), (v0, v1) = (np.percentile(points @ axis, (2, 98)) for axis in (across, along))
    width, height = u1 - u0, v1 - v0
    if min(width, height) < SMALLEST or max(width, height) > 2.2 * min(width, height):
        return None
    step = max(width, height) / scale / SIDE
    centre = (across * (u0 + u1) + along * (v0 + v1)) / 2 / scale
    side = SIDE + 2 * AROUND
    origin = centre - (across + along) * step * side / 2
    back = np.stack([across * step, along * step, origin], 1)
    soft = cv2.GaussianBlur(picture, (0, 0), 0.4 * step) if step > 1 else picture
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    upright = cv2.warpAffine(soft, back, (side, side), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return _Patch(np.asarray(upright, np.uint8), back)


def _direction(small: Gray, inside: npt.NDArray[np.bool_]) -> float:
    """Of the edges, modulo a right angle: the mean of four times their angle."""
    gx = np.asarray(cv2.Sobel(small, cv2.CV_32F, 1, 0), np.float64)[inside]
    gy = np.asarray(cv2.Sobel(small, cv2.CV_32F, 0, 1), np.float64)[inside]
    turned = (gx + 1j * gy) ** 4 / (gx * gx + gy * gy + 1e-3)
    return float(np.angle(turned.sum()) / 4)


@cache
def _finder(module: float) -> Floats:
    """A finder pattern with its separator, softened, 9 modules wide."""
    rings = np.abs(np.indices((9, 9)) - 4).max(0)
    dark = np.isin(rings, (0, 1, 3))
    fine = np.where(dark, 0, 255).astype(np.uint8).repeat(8, 0).repeat(8, 1)
    side = max(9, round(9 * module))
    small = cv2.resize(cv2.GaussianBlur(fine, (0, 0), 3), (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _guesses(patch: _Patch) -> list[tuple[float, Place]]:
    found = []
    for version in VERSIONS:
        module = SIDE / size_of(version)
        match = cv2.matchTemplate(patch.upright.astype(np.float32), _finder(module), cv2.TM_CCOEFF_NORMED)
        peaks = _peaks(np.asarray(match, np.float32), (patch.upright.shape[0] - match.shape[0]) / 2)
        scores = sorted((score for score, _ in peaks), reverse=True)
        total = scores[0] + scores[1] + max(0.0, scores[2])
        if scores[1] >= SOLID:
            found += [(total, Place(patch.placed(c), v)) for c, v in _squares(peaks, module) if v in range(1, 15)]
    found.sort(key=lambda guess: -guess[0])
    return found[:4]


def _peaks(match: Floats, half: float) -> list[tuple[float, Points]]:
    """The best match in each quarter, clockwise from the top left: correlation and middle."""
    middle_y, middle_x = match.shape[0] // 2, match.shape[1] // 2
    quarters = ((0, 0), (0, middle_x), (middle_y, middle_x), (middle_y, 0))
    peaks = []
    for top, left in quarters:
        part = match[top : top + middle_y, left : left + middle_x]
        _, score, _, (x, y) = cv2.minMaxLoc(part)
        peaks.append((float(score), np.array([left + x + half, top + y + half])))
    return peaks


def _squares(peaks: list[tuple[float, Points]], module: float) -> list[tuple[Points, int]]:
    """Corners of the code, and its version, from three finders or, where the third is lost, from two."""
    order = sorted(range(4), key=lambda i: -peaks[i][0])
    if peaks[order[2]][0] >= SOLID:
        missing = order[3]
        return [_from_three([peaks[(missing + k) % 4][1] for k in (1, 2, 3)], module)]
    first, second = sorted(order[:2])
    p, q = peaks[first][1], peaks[second][1]
    if (second - first) % 2 == 0:  # across the diagonal: the finder between them is on one side or the other
        middle, arm = (p + q) / 2, (q - p) / 2
        aside = np.array([-arm[1], arm[0]])
        return [_from_three([p, middle - aside, q], module), _from_three([q, middle + aside, p], module)]
    if second - first == 3:
        p, q = q, p
    edge = q - p
    inward = np.array([-edge[1], edge[0]])
    return [_from_three([p + inward, p, q], module), _from_three([p, q, q + inward], module)]


def _from_three(finders: list[Points], module: float) -> tuple[Points, int]:
    """`finders` are the middles of the bottom left, top left and top right one."""
    low, corner, right = finders
    across, down = right - corner, low - corner
    apart = (np.hypot(*across) + np.hypot(*down)) / 2 / module
    version = round((apart + 7 - 17) / 4)
    span = max(1, size_of(version) - 7)
    x, y = across / span, down / span
    origin = corner - 3.5 * (x + y)
    size = size_of(version)
    return np.array([origin, origin + size * x, origin + size * (x + y), origin + size * y]), version
