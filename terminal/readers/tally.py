"""What one reader has done in its life, as UnifiedPOS counts it, kept over the daemon's starts.

The supervisor's thread and the till's thread count here. A power cut costs the last minute of counting, a damaged
file all of it: nobody's points hang on it.
"""

import logging
import threading
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from terminal.inbox import Counters

EVERY_S: Final = 60.0
"""Seconds from one write to the next, at least."""

_log = logging.getLogger(__name__)


class Tally:
    """From any thread. `path` is its file; its folder is made when there is something to write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._counters = self._written = _read(path)
        self._written_at: float | None = None

    @classmethod
    def of_reader(cls, state: Path, name: str) -> "Tally":
        """The one of the reader `name` in a state folder."""
        return cls(state / "readers" / f"{name}.counters.json")

    @property
    def counters(self) -> Counters:
        """As of now."""
        return self._counters

    def add(self, **more: float) -> None:
        """So many more of each counter that is named."""
        with self._lock:
            now = {name: getattr(self._counters, name) + count for name, count in more.items()}
            self._counters = replace(self._counters, **now)

    def keep(self, now_s: float) -> None:
        """Writes what is new, if the last writing is EVERY_S ago; `now_s` is of any steady clock."""
        if self._written_at is None:
            self._written_at = now_s
        elif now_s - self._written_at >= EVERY_S:
            self._written_at = now_s
            self.save()

    def save(self) -> None:
        """Writes what is new. A disk that takes nothing is logged."""
        counters = self._counters
        if counters == self._written:
            return
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            beside = self._path.with_suffix(".new")
            beside.write_bytes(msgspec.json.encode(counters))
            beside.replace(self._path)
        except OSError as error:
            _log.warning("the counters of a reader could not be written: %s", error)
        else:
            self._written = counters


def _read(path: Path) -> Counters:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Counters)
    except FileNotFoundError:
        return Counters()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _log.warning("%s cannot be read (%s): this reader's counters begin at 0", path, error)
        return Counters()
