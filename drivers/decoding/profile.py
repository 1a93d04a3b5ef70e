"""From a strip of bars to one line of darkness: bars straightened, rows averaged, light evened out."""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from drivers.decoding.symbol import Gray

Array = npt.NDArray[np.float32]

ENVELOPE: Final = 0.14
"""Of the strip's width: the reach in which the darkest and the lightest are looked for, some 13 modules."""
ALIKE: Final = 0.4
"""Of readable bar codes, 1 in 200 has less."""


def straightened(strip: Gray) -> Gray:
    """Bars that lean, or fan out in perspective, made vertical.

    Along a bar the gradient has no part: gx * slope + gy = 0, solved for slope = a + b * x by least squares.
    """
    for _ in range(2):
        a, b = _slope(strip)
        if abs(a) < 0.004 and abs(b) < 0.004:
            break
        strip = _sheared(strip, a, b)
    return strip


def _slope(strip: Gray) -> tuple[float, float]:
    """Pixels across per pixel down: at the middle, and how much more at the right end."""
    soft = cv2.GaussianBlur(strip, (0, 0), 1.5)
    gx = np.asarray(cv2.Sobel(soft, cv2.CV_32F, 1, 0), np.float64)
    gy = np.asarray(cv2.Sobel(soft, cv2.CV_32F, 0, 1), np.float64)
    x = np.linspace(-1, 1, strip.shape[1])
    squares, product = (gx * gx).sum(0), (gx * gy).sum(0)
    matrix = np.array([[squares.sum(), (squares * x).sum()], [(squares * x).sum(), (squares * x * x).sum()]])
    right = -np.array([product.sum(), (product * x).sum()])
    if np.linalg.det(matrix) < 1e-6 * (matrix.trace() + 1e-9) ** 2:
        return 0.0, 0.0
    a, b = np.linalg.solve(matrix, right)
    return float(np.clip(a, -0.6, 0.6)), float(np.clip(b, -0.6, 0.6))


def _sheared(strip: Gray, a: float, b: float) -> Gray:
    height, width = strip.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    lean = a + b * (x / width * 2 - 1)
    source = (x + (y - height / 2) * lean).astype(np.float32)
    return np.asarray(cv2.remap(strip, source, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def averaged(rows: Gray) -> Array:
    """One line of brightness: the middle half of each column's pixels, so that scratches fall out."""
    ordered = np.sort(rows, axis=0)
    quarter = len(rows) // 4
    return np.asarray(ordered[quarter : len(rows) - quarter].mean(0), np.float32)


def darkened(line: Array) -> Array:
    """Brightness as 0 (light) to 1 (dark) between the extremes around."""
    reach = max(9, int(len(line) * ENVELOPE)) | 1
    low, high = _envelope(line, reach, np.minimum), _envelope(line, reach, np.maximum)
    contrast = np.maximum(high - low, 0.25 * float((high - low).max()) + 1.0)
    return np.asarray(np.clip((high - line) / contrast, -0.3, 1.3), np.float32)


def _envelope(line: Array, reach: int, pick: np.ufunc) -> Array:
    row = line[None]
    kernel = np.ones((1, reach), np.uint8)
    edge = cv2.erode(row, kernel) if pick is np.minimum else cv2.dilate(row, kernel)
    smooth: Array = np.asarray(cv2.blur(edge, (reach, 1)), np.float32).reshape(-1)
    return smooth


def bands(strip: Gray) -> list[Array]:
    """The whole height, then its upper and lower part: glare and dirt seldom cover both.

    Only what is bars: a part whose rows differ is a QR code or text, in which any number could be found.
    """
    height = len(strip)
    part = int(height * 0.4)
    rows = [strip] if height < 24 else [strip, strip[:part], strip[-part:]]
    return [averaged(r) for r in rows if alike(r) >= ALIKE]


def alike(rows: Gray) -> float:
    """How much of the picture's variance is in what all rows share, 0 to 1; each row's own light is set aside."""
    own = rows.astype(np.float32)
    own -= own.mean(1, keepdims=True)
    return float(own.mean(0).var() / max(float(own.var()), 1e-3))
