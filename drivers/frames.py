"""Where frames come from: a device or an address (the newest frame counts), a video file, a folder of pictures.

Each source gives (grey picture, seconds) and says in a DriverError when it has none to give any more.
"""

import errno
import os
import stat
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from drivers.base import DriverError, ReaderAbsent, ReaderForbidden, ReaderHeld

SILENCE_S: Final = 3.0
"""A camera that gives no frame for so long has gone: V4L2 itself waits up to 10 s (opencv#10927)."""
FROZEN_S: Final = 3.0
"""So long may frames be equal to the last bit: after an unplug some drivers repeat the last frame for ever
(opencv#14044, #5221), and no living sensor is without noise."""
LOOK_S: Final = 0.2
"""From one look into a folder to the next."""
MAX_PICTURE: Final = 32 * 1024 * 1024
"""Bytes of a picture file."""
PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".pgm"})


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
            raise ReaderAbsent(
                f"{self._name} gives no frames any more", "plug the camera in; the till notices by itself"
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


class Folder:
    """Pictures that appear in a folder, each once. Those already there count, unless the reader was reopened."""

    def __init__(self, folder: Path, *, skip_present: bool) -> None:
        self._folder = folder
        self._waiting: deque[Path] = deque()
        self._known: dict[str, tuple[int, int]] = {}
        self._look()
        if skip_present:
            self._waiting.clear()

    def _look(self) -> None:
        try:
            entries = sorted((e for e in os.scandir(self._folder)), key=lambda e: e.name)
        except OSError as error:
            raise ReaderAbsent(
                f"{self._folder} cannot be read: {error.strerror}", "mend `source` in the config"
            ) from error
        for entry in entries:
            if Path(entry.name).suffix.lower() not in PICTURES:
                continue
            version = _version(entry)
            if version is not None and self._known.get(entry.name) != version:
                self._known[entry.name] = version
                self._waiting.append(Path(entry.path))

    def next(self, timeout_s: float) -> Frame | None:
        deadline = time.monotonic() + timeout_s
        while not self._waiting:
            self._look()
            left = deadline - time.monotonic()
            if not self._waiting and left <= 0:
                return None
            if not self._waiting:
                time.sleep(min(LOOK_S, left))
        path = self._waiting.popleft()
        return Frame(_picture_in(path), time.monotonic(), single=True)

    def close(self) -> None:
        """Nothing is held."""


def _version(entry: "os.DirEntry[str]") -> tuple[int, int] | None:
    """Changes when the file is replaced or rewritten; None when it has gone meanwhile."""
    try:
        status = entry.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def _picture_in(path: Path) -> Any:
    """None when it is no picture, or has gone."""
    import cv2
    import numpy as np

    try:
        with path.open("rb") as file:
            data = file.read(MAX_PICTURE)
    except OSError:
        return None
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    except cv2.error:  # more pixels than OpenCV takes, or a damaged header
        return None


def grey(picture: Any) -> Any:
    """Of a frame as OpenCV gives it: blue, green, red, or grey already."""
    import cv2

    return picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)


def opened(source: str, width: int, height: int, fps: int, *, reopened: bool) -> Frames:
    """The source of that name. Raises DriverError."""
    import cv2

    if "://" in source:
        return Live(_capture(cv2.VideoCapture(source), source), source, fps)
    path = Path(f"/dev/video{source}" if source.isdecimal() else source)
    if path.is_dir():
        return Folder(path, skip_present=reopened)
    _check_access(path)
    if not stat.S_ISCHR(path.stat().st_mode):
        return Film(_capture(cv2.VideoCapture(str(path)), source), cv2.CAP_PROP_POS_MSEC)
    device = _capture(cv2.VideoCapture(str(path), cv2.CAP_V4L2), str(path))
    for key, value in (
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),  # raw frames of this size do not fit through USB 2
        (cv2.CAP_PROP_FRAME_WIDTH, width),
        (cv2.CAP_PROP_FRAME_HEIGHT, height),
        (cv2.CAP_PROP_FPS, fps),
        (cv2.CAP_PROP_BUFFERSIZE, 1),
    ):
        device.set(key, value)
    return Live(device, str(path), fps)


def _capture(capture: Any, name: str) -> Any:
    if not capture.isOpened():
        capture.release()
        raise ReaderAbsent(f"{name} cannot be opened as a camera or video", "plug the camera in, or mend `source`")
    return capture


def _check_access(path: Path) -> None:
    """OpenCV does not say why it cannot open a device; the system does."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK if path.is_char_device() else os.O_RDONLY))
    except FileNotFoundError as error:
        raise ReaderAbsent(f"{path} is not there", "plug the camera in; the till notices by itself") from error
    except PermissionError as error:
        raise ReaderForbidden(f"{path} may not be opened", "put the daemon's user into the group `video`") from error
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise ReaderHeld(f"{path} is used by another program", "close it: `fuser -v " + str(path) + "`") from error
        raise DriverError(f"{path}: {error.strerror}") from error
