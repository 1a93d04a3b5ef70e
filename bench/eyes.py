"""The decoders that are compared: ours, and what one would use instead, each alone. They share nothing."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

from drivers.decoding import ladder
from drivers.decoding.symbol import Wanted

Picture = npt.NDArray[np.uint8]
Decoder = Callable[[Picture], set[str]]

OURS = "tilld"
WANTED = Wanted(itf_lengths=frozenset(range(4, 31, 2)))
"""Every symbology, and ITF of the lengths that the photographs show."""


def decoders() -> dict[str, Decoder]:
    """By name; ours first. A decoder that fails on a picture has read nothing there."""
    cv2.setNumThreads(1)
    code, aruco, bars = cv2.QRCodeDetector(), cv2.QRCodeDetectorAruco(), cv2.barcode.BarcodeDetector()
    return {
        OURS: _ours,
        "zxing-cpp": _zxing,
        "pyzbar": _pyzbar,
        "cv2.QRCodeDetector": lambda picture: _opencv(code, picture),
        "cv2.QRCodeDetectorAruco": lambda picture: _opencv(aruco, picture),
        "cv2.barcode": lambda picture: _opencv(bars, picture),
    }


def _ours(picture: Picture) -> set[str]:
    return {symbol.text for symbol in ladder.read(picture, WANTED, clock=time.thread_time)}


def _zxing(picture: Picture) -> set[str]:
    return {b.text for b in zxingcpp.read_barcodes(picture, text_mode=zxingcpp.TextMode.Plain)}


def _pyzbar(picture: Picture) -> set[str]:
    from pyzbar import pyzbar

    return {found.data.decode("utf-8", "replace") for found in pyzbar.decode(picture)}


def _opencv(detector: Any, picture: Picture) -> set[str]:
    _, texts, *_ = detector.detectAndDecodeMulti(picture)
    return set(filter(None, texts))


@contextmanager
def forgiven() -> Iterator[None]:
    """What a decoder throws at a picture counts as nothing read."""
    try:
        yield
    except (cv2.error, UnicodeDecodeError, ValueError, SystemError, MemoryError):
        return


def read(decoder: Decoder, picture: Picture) -> tuple[set[str], float]:
    """The texts, and the milliseconds of one core that they took."""
    begun, texts = time.thread_time(), set[str]()
    with forgiven():
        texts = decoder(picture)
    return texts, (time.thread_time() - begun) * 1000
