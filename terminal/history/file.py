"""The last days on disk: one line for each bucket that has ended, so that a flash card is hardly worn.

Lines are additions: two with the same start count together, and a line that a power cut has torn costs five minutes.
"""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from terminal.history.buckets import CAPACITY, Bucket, put

HEADER: Final = b'{"tilld_history":1,"step_s":300}\n'
MOST_LINES: Final = 2 * CAPACITY
MOST_BYTES: Final = 8 * 2**20
"""Far more than MOST_LINES of a till with twenty readers; what is larger is not ours."""

_log = logging.getLogger(__name__)
_line: Final = msgspec.json.Decoder(Bucket)


class HistoryBroken(Exception):
    """The file is not what this module writes."""


def parse(data: bytes) -> list[Bucket]:
    """The lines, in their order; a last line without its line feed is left out. Raises HistoryBroken."""
    header, _, rest = data.partition(b"\n")
    if header + b"\n" != HEADER:
        raise HistoryBroken("it does not begin as a history does")
    try:
        return [_line.decode(line) for line in rest.split(b"\n")[:-1]]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HistoryBroken(str(error)) from error


def text_of(buckets: Iterable[Bucket]) -> bytes:
    return b"".join(msgspec.json.encode(bucket) + b"\n" for bucket in buckets)


class HistoryFile:
    """Used by one thread. Whatever the disk does, it is logged and the till goes on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = 0

    def load(self) -> dict[int, Bucket]:
        """What is kept. A broken file is put aside (`.broken`), and the history begins anew."""
        try:
            with self._path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
            if len(data) > MOST_BYTES:
                raise HistoryBroken(f"it is larger than {MOST_BYTES} bytes")
            lines = parse(data)
        except FileNotFoundError:
            return {}
        except HistoryBroken as broken:
            self._put_aside(broken)
            return {}
        except OSError as error:
            _log.warning("the last days cannot be read (%s): their charts begin anew", error)
            return {}
        return self._taken_over(lines, torn=not data.endswith(b"\n"))

    def append(self, bucket: Bucket, kept: Mapping[int, Bucket]) -> None:
        """One more line; `kept` is all of it, for when the file has grown to twice what is needed."""
        try:
            if self._lines >= MOST_LINES or not self._path.exists():
                self._rewrite(kept)
                return
            with self._path.open("ab") as file:
                file.write(text_of([bucket]))
            self._lines += 1
        except OSError as error:
            _log.warning("the last days could not be written: %s", error)

    def _taken_over(self, lines: list[Bucket], *, torn: bool) -> dict[int, Bucket]:
        kept: dict[int, Bucket] = {}
        for bucket in lines:
            put(kept, bucket)
        self._lines = MOST_LINES if torn else len(lines)
        return kept

    def _rewrite(self, kept: Mapping[int, Bucket]) -> None:
        beside = self._path.with_suffix(".new")
        beside.write_bytes(HEADER + text_of(kept.values()))
        beside.replace(self._path)
        self._lines = len(kept)

    def _put_aside(self, broken: HistoryBroken) -> None:
        aside = self._path.with_suffix(".broken")
        _log.warning("%s is broken (%s): it is put aside as %s, the charts begin anew", self._path, broken, aside)
        try:
            self._path.replace(aside)
        except OSError as error:
            _log.warning("it could not be put aside: %s", error)
