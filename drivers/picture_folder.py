"""Pictures that another program puts into a folder, as frames."""

import os
import time
from collections import deque
from pathlib import Path
from typing import Any, Final

from drivers.base import ReaderAbsent
from drivers.frames import Frame

LOOK_S: Final = 0.2
"""From one look into a folder to the next."""
MAX_PICTURE: Final = 32 * 1024 * 1024
"""Bytes of a picture file."""
PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".pgm"})


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
