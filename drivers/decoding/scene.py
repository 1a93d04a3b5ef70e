"""Whether anything is held to the camera, and several frames of it laid over each other. Pure but for its memory."""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from drivers.decoding.symbol import Floats, Gray
from drivers.decoding.views import bounded

THUMB: Final = (120, 160)
"""Rows and columns in which motion and texture are looked for."""
MOVED: Final = 6.0
"""Levels of 256 by which a part of the picture must change to have moved; noise stays below."""
BUSY: Final = 26.0
"""Mean gradient, in levels, of a part of the picture that may be print."""
PARTS: Final = 8
"""The picture is looked at in PARTS by PARTS parts."""
DARK: Final = 60
"""Brightness (95 of 100 pixels are below) under which noise is the trouble."""
MOST: Final = 12
"""Frames in a mean: beyond, an unsteady hand costs more than noise."""
ALIKE: Final = 0.08
"""Response of the phase correlation from which two frames show the same."""
FURTHEST: Final = 0.1
"""Part of the picture's side by which a card may have moved from frame to frame."""
FULL: Final = 245
"""Brightness from which a pixel is blinded by a lamp's mirror image."""


def thumb(frame: Gray) -> Floats:
    """Small and soft: noise averaged away."""
    return np.asarray(cv2.resize(frame, THUMB[::-1], interpolation=cv2.INTER_AREA), np.float32)


def _parts(small: Floats) -> Floats:
    return np.asarray(cv2.resize(small, (PARTS, PARTS), interpolation=cv2.INTER_AREA), np.float32)


def moved(small: Floats, before: Floats | None) -> bool:
    """Whether any part of the thumb has changed."""
    return before is None or bool(_parts(np.abs(small - before)).max() > MOVED)


def busy(frame: Gray) -> bool:
    """Whether any part of the frame has as many edges as print has."""
    half = cv2.resize(frame, (320, 240), interpolation=cv2.INTER_AREA)
    gx, gy = cv2.Sobel(half, cv2.CV_16S, 1, 0), cv2.Sobel(half, cv2.CV_16S, 0, 1)
    edges = cv2.addWeighted(cv2.convertScaleAbs(gx), 0.5, cv2.convertScaleAbs(gy), 0.5, 0)
    return bool(_parts(np.asarray(edges, np.float32)).max() > BUSY)


def dark(frame: Gray) -> bool:
    """Whether there is so little light that frames should be averaged."""
    return bool(np.percentile(frame[::4, ::4], 95) < DARK)


class Stack:
    """Frames of one card, each moved onto the first: their mean, and the least light that any of them saw."""

    def __init__(self) -> None:
        self.count = 0
        self._mean: Floats | None = None
        self._least: Floats | None = None
        self._blinded: npt.NDArray[np.bool_] | None = None
        self._soft: Floats | None = None

    def add(self, frame: Gray) -> None:
        """Lays one more frame on; starts again when it shows something else."""
        picture, _ = bounded(frame)
        values = picture.astype(np.float32)
        soft = _soft(values)
        if self._mean is None or self._least is None or self._soft is None or values.shape != self._mean.shape:
            return self._begin(values, soft)
        moved_by = _shift(self._soft, soft)
        if moved_by is None:
            return self._begin(values, soft)
        laid = _moved(values, moved_by)
        self.count = min(self.count + 1, MOST)
        self._mean += (laid - self._mean) / self.count
        self._least = np.minimum(self._least, laid)
        self._blinded = (laid > FULL) if self._blinded is None else self._blinded | (laid > FULL)
        return None

    def _begin(self, values: Floats, soft: Floats) -> None:
        self.count, self._soft = 1, soft
        self._mean, self._least, self._blinded = values.copy(), values.copy(), values > FULL

    def picture(self) -> Gray | None:
        """The mean, and the least light where a lamp has blinded a frame; contrast stretched to the full range."""
        if self._mean is None or self._least is None or self.count < 2:
            return None
        clear = self._mean if self._blinded is None else np.where(self._blinded, self._least, self._mean)
        low, high = np.percentile(clear[::4, ::4], (0.5, 99.5))
        return np.asarray(np.clip((clear - low) * (255 / max(high - low, 4.0)), 0, 255), np.uint8)


def _soft(values: Floats) -> Floats:
    small = cv2.resize(values, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    soft = np.asarray(cv2.GaussianBlur(small, (0, 0), 2.0), np.float32)
    return np.asarray(soft - soft.mean(), np.float32)


def _shift(first: Floats, other: Floats) -> tuple[float, float] | None:
    """By how many pixels of the full frame `other` has moved; None when the two show different things."""
    window = cv2.createHanningWindow(first.shape[::-1], cv2.CV_32F)
    (x, y), response = cv2.phaseCorrelate(first, other, window)
    if response < ALIKE or max(abs(x), abs(y)) > FURTHEST * max(first.shape):
        return None
    return 2 * x, 2 * y


def _moved(values: Floats, by: tuple[float, float]) -> Floats:
    matrix = np.array([[1, 0, by[0]], [0, 1, by[1]]], np.float32)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    shape = values.shape[::-1]
    return np.asarray(cv2.warpAffine(values, matrix, shape, flags=how, borderMode=cv2.BORDER_REPLICATE), np.float32)
