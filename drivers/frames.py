"""Frames of a camera (the newest one counts) and of a video file.

Each source gives (grey picture, seconds) and says in a DriverError when it has none to give any more.
"""

import threading
import time
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from drivers.base import DriverError, ReaderAbsent
from drivers.device_node import held, holders

SILENCE_S: Final = 3.0
"""A camera that gives no frame for so long has gone: V4L2 itself waits up to 10 s (opencv#10927)."""
FROZEN_S: Final = 3.0
"""So long may frames be equal to the last bit: after an unplug some drivers repeat the last frame for ever
(opencv#14044, #5221), and no living sensor is without noise."""


class Frame(NamedTuple):
    """A grey picture of 8 bits and when it was taken, in seconds of its source's clock; None for a spoilt file."""

    picture: Any
    at: float
    single: bool = False
    """The only picture there will be of this card."""


class Capture(Protocol):
    """What of cv2.VideoCapture is used."""

    def read(self) -> tuple[bool, Any]: ...
    def release(self) -> None: ...


class Frames(Protocol):
    """A source of frames."""

    def next(self, timeout_s: float) -> Frame | None:
        """The next or newest frame, None when there is none in time. Raises DriverError."""

    def close(self) -> None:
        """Gives the device back. Never raises."""


class Live:
    """Keeps only the newest frame of a camera: what waits in its buffers is of the past (opencv#13145)."""

    def __init__(self, capture: Capture, name: str, fps: float = 1000.0) -> None:
        self._capture, self._name = capture, name
        self._every_s, self._due_at = 1 / fps, 0.0
        self._newest: Frame | None = None
        self._ended = False
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._alive_at = self._given_at = time.monotonic()
        self._last = b""
        self._thread = threading.Thread(target=self._grab, name="frames", daemon=True)
        self._thread.start()

    def _grab(self) -> None:
        while not self._stop.is_set():
            good, picture = self._capture.read()
            if not good or picture is None:
                break
            now = time.monotonic()
            mark = picture[::7, ::7].tobytes()
            with self._changed:
                self._given_at = now
                if mark != self._last:
                    self._last, self._alive_at = mark, now
                self._newest = Frame(grey(picture), now)
                self._changed.notify()
        with self._changed:
            self._ended = True
            self._changed.notify()

    def next(self, timeout_s: float) -> Frame | None:
        """Never more than `fps` a second are asked for, whatever the camera gives."""
        begun = time.monotonic()
        if self._stop.wait(min(timeout_s, max(0.0, self._due_at - begun))) or time.monotonic() < self._due_at:
            return None
        self._due_at = time.monotonic() + self._every_s
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._ended, timeout_s)
            newest, self._newest = self._newest, None
            self._check(time.monotonic())
        return newest

    def _check(self, now: float) -> None:
        if self._ended or now - self._given_at > SILENCE_S:
            raise without_frames(
                self._name, "gives no frames any more", "plug the camera in; the till notices by itself"
            )
        if now - self._alive_at > FROZEN_S:
            raise ReaderAbsent(
                f"{self._name} repeats one frame: it is frozen", "unplug the camera and plug it in again"
            )

    def close(self) -> None:
        self._stop.set()
        self._thread.join(SILENCE_S)
        if not self._thread.is_alive():  # else it hangs in the driver, and the end of this process frees the device
            self._capture.release()


class Film:
    """A video file, each frame once, by its own clock."""

    def __init__(self, capture: Any, position_ms: int) -> None:
        self._capture, self._position = capture, position_ms
        self._over = False

    def next(self, timeout_s: float) -> Frame | None:
        if not self._over:
            at = float(self._capture.get(self._position)) / 1000
            good, picture = self._capture.read()
            if good and picture is not None:
                return Frame(grey(picture), at)
            self._over = True
        time.sleep(timeout_s)  # the film is over: there is nothing to wait for
        return None

    def close(self) -> None:
        self._capture.release()


def grey(picture: Any) -> Any:
    """Of a frame as OpenCV gives it: blue, green, red, or grey already."""
    import cv2

    return picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)


def without_frames(name: str, what: str, remedy: str) -> DriverError:
    """Any number of programs may open a camera, and one alone gets its frames: then that one is named."""
    by = holders(Path(name))
    return held(Path(name), by) if by else ReaderAbsent(f"{name} {what}", remedy)
