"""A picture seen otherwise: each view makes one kind of wear readable. Pure functions of a grey picture."""

from typing import Final

import cv2
import numpy as np

from drivers.decoding.symbol import Gray

MAX_SIDE: Final = 1280
"""Pixels. A camera at the till shows a card over a third of this: twice the 2.2 pixels that a QR module needs."""
MIN_SIDE: Final = 32
"""Pixels: views of less have no room for their windows."""


def bounded(picture: Gray) -> tuple[Gray, float]:
    """The picture with no side above MAX_SIDE, and by how much it was shrunk (1.0 or less).

    A line scanner's picture of few rows goes on as its last row.
    """
    scale = min(1.0, MAX_SIDE / max(picture.shape))
    small = scaled(picture, scale) if scale < 1 else np.ascontiguousarray(picture)
    missing = [(0, max(0, MIN_SIDE - side)) for side in small.shape]
    return np.pad(small, missing, mode="edge") if any(m for _, m in missing) else small, scale


def scaled(picture: Gray, factor: float) -> Gray:
    """Shrunk by averaging, enlarged by cubic interpolation."""
    height, width = picture.shape
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)


def levelled(picture: Gray) -> Gray:
    """Uneven light and fading evened out: CLAHE (Zuiderveld 1994) with 8 by 8 tiles."""
    return np.asarray(cv2.createCLAHE(3.0, (8, 8)).apply(picture), np.uint8)


def thresholded(picture: Gray) -> Gray:
    """Black and white against the mean of 71 by 71 pixels: for shadows and low contrast."""
    white, mean, binary = 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY
    return np.asarray(cv2.adaptiveThreshold(picture, white, mean, binary, 71, 5), np.uint8)


def sharpened(picture: Gray) -> Gray:
    """Unsharp mask of 2 pixels, strong: for defocus. Never for bar codes, where it invents bars."""
    soft = cv2.GaussianBlur(picture, (0, 0), 2.0)
    return np.asarray(cv2.addWeighted(picture, 2.5, soft, -1.5, 0), np.uint8)


def darkened(picture: Gray) -> Gray:
    """Gamma 2.2: brings out what is left of the ink under glare."""
    return np.asarray(cv2.LUT(picture, _GAMMA), np.uint8)


def opened(picture: Gray) -> Gray:
    """Bright specks and scratches of up to 2 pixels taken away: grey opening of 3 by 3."""
    return np.asarray(cv2.morphologyEx(picture, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)


_GAMMA: Final = np.array([round(255 * (i / 255) ** 2.2) for i in range(256)], np.uint8)
