"""The camera's source by its name in the config: a device, an address, a video file or a folder of pictures.

A camera is told what the config says of its lens where it is one of V4L2. What that does is up to its maker: numbers
have no common unit, many cheap ones take no value at all, and some say yes and do nothing. So each value is read back.
"""

import os
import stat
from pathlib import Path
from typing import Any, Final, NamedTuple

from drivers.device_node import refusal
from drivers.frames import Film, Frames, Live, without_frames
from drivers.picture_folder import Folder

LOOK: Final = "ls -l /dev/v4l/by-id"
RULES: Final = "72-tilld-cameras.rules"

_AUTOMATIC, _MANUAL = 3, 1
"""V4L2_EXPOSURE_APERTURE_PRIORITY and V4L2_EXPOSURE_MANUAL, which OpenCV hands on as they are (opencv#9738)."""


class Lens(NamedTuple):
    """What is asked of a device: pixels, frames a second, and in its own numbers how it looks; None: as it is."""

    width: int
    height: int
    fps: int
    exposure: int | None = None
    focus: int | None = None
    autofocus: bool | None = None


class Source(NamedTuple):
    """`refused` are the options that the camera has not taken."""

    frames: Frames
    refused: tuple[str, ...] = ()


def opened(source: str, lens: Lens, *, reopened: bool) -> Source:
    """The source of that name. Raises DriverError."""
    import cv2

    if "://" in source:
        return Source(Live(_capture(cv2.VideoCapture(source), source), source, lens.fps))
    path = Path(f"/dev/video{source}" if source.isdecimal() else source)
    if path.is_dir():
        return Source(Folder(path, skip_present=reopened))
    _check_access(path)
    if not stat.S_ISCHR(path.stat().st_mode):
        return Source(Film(_capture(cv2.VideoCapture(str(path)), source), cv2.CAP_PROP_POS_MSEC))
    device = _capture(cv2.VideoCapture(str(path), cv2.CAP_V4L2), str(path))
    return Source(Live(device, str(path), lens.fps), told(device, lens))


def told(device: Any, lens: Lens) -> tuple[str, ...]:
    """Tells a cv2.VideoCapture what is asked of it, in the order that V4L2 wants; the options that it has not taken."""
    import cv2

    for key, value in (
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),  # raw frames of this size do not fit through USB 2
        (cv2.CAP_PROP_FRAME_WIDTH, lens.width),
        (cv2.CAP_PROP_FRAME_HEIGHT, lens.height),
        (cv2.CAP_PROP_FPS, lens.fps),
        (cv2.CAP_PROP_BUFFERSIZE, 1),
    ):
        device.set(key, value)
    refused = []
    if lens.exposure is not None:
        # Cameras that are on manual already ignore a new value until they have been on automatic (opencv#14494).
        device.set(cv2.CAP_PROP_AUTO_EXPOSURE, _AUTOMATIC)
        device.set(cv2.CAP_PROP_AUTO_EXPOSURE, _MANUAL)
        refused += [] if _taken(device, cv2.CAP_PROP_EXPOSURE, lens.exposure) else ["exposure"]
    autofocus = False if lens.focus is not None else lens.autofocus
    if autofocus is not None and not _taken(device, cv2.CAP_PROP_AUTOFOCUS, int(autofocus)):
        refused.append("autofocus")
    if lens.focus is not None and not _taken(device, cv2.CAP_PROP_FOCUS, lens.focus):
        refused.append("focus")
    return tuple(refused)


def _taken(device: Any, key: int, value: int) -> bool:
    return bool(device.set(key, value)) and round(device.get(key)) == value


def _capture(capture: Any, name: str) -> Any:
    if not capture.isOpened():
        capture.release()
        raise without_frames(name, "cannot be opened as a camera or video", "plug the camera in, or mend `source`")
    return capture


def _check_access(path: Path) -> None:
    """OpenCV does not say why it cannot open a device; the system does."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK if path.is_char_device() else os.O_RDONLY))
    except OSError as error:
        raise refusal(path, error.errno, "opened", LOOK, RULES) from error
