"""Codes held to a camera, read in the picture; also from a video file, a folder of pictures or a stream.

| printed | read | certain when |
|---|---|---|
| QR (also inverted), micro QR, Aztec, PDF417, Data Matrix | yes | Reed-Solomon holds; worn QR: 28 bits to spare |
| EAN-13, EAN-8, UPC-A, UPC-E | as EAN-13 and EAN-8 | check digit, no other read of the same bars; worn: likelihood |
| Code 128, Code 93 | yes, from 4 characters | their own check characters |
| Code 39, Codabar, ITF | yes; ITF of the lengths in `itf_lengths` | both engines, or enough height of the bars, agree |
| MaxiCode, DataBar, rMQR, postal codes | no | |

Tried with rendered and public pictures, video files and streams; with no camera of any make.
Libraries: opencv-python-headless, numpy, zxing-cpp; pyzbar where libzbar0 is installed (reads a few more).
"""

import contextlib
import os
import time
from collections import deque
from typing import TYPE_CHECKING, Final

import msgspec

from drivers import camera_source, frames
from drivers.base import (
    CardRead,
    CardUnreadable,
    Condition,
    DriverError,
    EntryMode,
    Place,
    ReaderState,
    Report,
    Technology,
)

if TYPE_CHECKING:
    from drivers.decoding.history import History, Unread
    from drivers.decoding.symbol import Symbol

MOST_PIXELS: Final = 64_000_000
"""Of a picture file. OpenCV itself would unpack a thousand million, so that a small file takes all memory."""

TECHNOLOGIES: Final = {
    "qr": Technology.QR,
    "micro_qr": Technology.QR,
    "aztec": Technology.AZTEC,
    "pdf417": Technology.PDF417,
    "datamatrix": Technology.DATAMATRIX,
    "ean13": Technology.EAN,
    "ean8": Technology.EAN,
    "code128": Technology.CODE128,
    "code39": Technology.CODE39,
    "itf": Technology.ITF,
}
"""By symbology; the others are `unknown`."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`source` is a number (/dev/video0 is 0), a device, a video file, a folder of pictures or an address.

    `width`, `height` (pixels) and `fps` are asked of a device; so are `exposure` (of most: in 0.1 ms), `focus` and
    `autofocus`, in the camera's own numbers (`v4l2-ctl --list-ctrls`): they differ from maker to maker. `symbologies`
    are those on your cards: fewer take less time. `itf_lengths` are the lengths of your ITF numbers.
    """

    source: str = "0"
    width: int = 1280
    height: int = 720
    fps: int = 15
    exposure: int | None = None
    focus: int | None = None
    autofocus: bool | None = None
    symbologies: tuple[str, ...] = ("qr", "aztec", "pdf417", "datamatrix", "ean13", "ean8", "code128", "code39", "itf")
    itf_lengths: tuple[int, ...] = (8, 10, 12, 14, 16, 18)

    def __post_init__(self) -> None:
        if self.focus is not None and self.autofocus:
            raise ValueError("`focus` sets the lens and `autofocus` moves it: choose one")

    @property
    def lens(self) -> camera_source.Lens:
        return camera_source.Lens(self.width, self.height, self.fps, self.exposure, self.focus, self.autofocus)


class Reader:
    """One camera. Frames are looked at as they come, never more than `fps` a second."""

    def __init__(self, place: Place, options: Options) -> None:
        self._place, self._options = place, options
        self._source: frames.Frames | None = None
        self._history: History | None = None
        self._reports: deque[Report] = deque()

    def open(self) -> None:
        """Opens the source. Raises DriverError."""
        self._history = self._new_history()
        source = self._options.source
        self._source, refused = camera_source.opened(source, self._options.lens, reopened=self._place.reopened)
        but = f"; the camera does not take {', '.join(refused)}" if refused else ""
        self._reports.append(Condition(ReaderState.READY, f"looking at {source}{but}"))

    def _new_history(self) -> "History":
        os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MOST_PIXELS))  # heard at the import and never again
        try:
            import cv2

            from drivers.decoding.history import History
            from drivers.decoding.symbol import Symbology, Wanted
        except ImportError as error:
            raise DriverError(f"a library is missing: {error}", "install tilld with its camera extra") from error
        cv2.setNumThreads(1)  # one core: the till and the other readers need the rest
        try:
            wanted = Wanted(frozenset(map(Symbology, self._options.symbologies)), frozenset(self._options.itf_lengths))
        except ValueError as error:
            known = ", ".join(Symbology)
            raise DriverError(
                f"symbologies: {error}", f"mend `symbologies` in the config; known are {known}"
            ) from error
        return History(wanted)

    def read(self, timeout_s: float) -> Report | None:
        """The next presentation, or None. Raises DriverError."""
        deadline = time.monotonic() + timeout_s
        while not self._reports:
            left = deadline - time.monotonic()
            if left <= 0 or self._source is None or self._history is None:
                return None
            frame = self._source.next(left)
            if frame is not None:
                self._look(frame, self._history)
        return self._reports.popleft()

    def _look(self, frame: frames.Frame, history: "History") -> None:
        begun = time.monotonic()
        if frame.single:
            self._reports.extend(self._once(frame))
            return
        for seen in history.see(frame.picture, frame.at):
            self._reports.append(_report(seen, (time.monotonic() - begun) * 1000))

    def _once(self, frame: frames.Frame) -> list[Report]:
        """A picture of which there will be no second: the whole ladder at once."""
        from drivers.decoding import ladder

        if frame.picture is None:
            return [CardUnreadable("damaged", "the file holds no picture")]
        begun = time.monotonic()
        wanted = self._history.wanted if self._history else None
        symbols = ladder.read(frame.picture, wanted) if wanted else ()
        spent = (time.monotonic() - begun) * 1000
        if not symbols:
            return [CardUnreadable("no_code", "no code could be read in the picture")]
        return [_report(symbol, spent) for symbol in symbols]

    def close(self) -> None:
        """Gives the camera back."""
        source, self._source = self._source, None
        if source is not None:
            with contextlib.suppress(OSError):
                source.close()


def _report(seen: "Symbol | Unread", spent_ms: float) -> Report:
    from drivers.decoding.history import Unread

    if isinstance(seen, Unread):
        return CardUnreadable("code_unreadable", "a QR code is held up and cannot be read", technology=Technology.QR)
    technology = TECHNOLOGIES.get(seen.symbology, Technology.UNKNOWN)
    return CardRead(technology, EntryMode.SCANNED, data=seen.text, effort=seen.effort, duration_ms=round(spent_ms, 1))
