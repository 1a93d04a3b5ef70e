"""Copies of records that are not with the ledger yet, as another machine keeps them: their shape, and a folder of them.

A copy is one line of JSON. Its seal is the till's signature over the end of its records, so whoever delivers it to the
ledger cannot have changed, left out or added one.
"""

import os
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Protocol

import msgspec

from offline_queue.disk_sync import sync_to_disk
from offline_queue.signing import seal_input
from offline_queue.wire import MAX_BATCH, MAX_BATCH_BYTES, Seq

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAX_COPY_BYTES: Final = 2 * MAX_BATCH_BYTES
"""A batch of records as JSON strings: every quotation mark of theirs takes two bytes."""
NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")
STREAM: Final = re.compile(r"[0-9a-f]{1,64}")


class MirrorUnreachable(Exception):
    """The copy could not be kept; the records are durable in the journal all the same."""


class Copy(msgspec.Struct, frozen=True):
    """Records of `terminal`'s stream from `first` on; `head` is the chain's hash (hex) after the last of them.

    `seal`, base64, is the terminal's Ed25519 signature over `signing.seal_input` of that end.
    """

    terminal: str
    stream: str
    first: Seq
    head: str
    seal: str
    records: Annotated[list[str], msgspec.Meta(min_length=1, max_length=MAX_BATCH)]

    @property
    def last(self) -> int:
        return self.first + len(self.records) - 1


def sealed(
    terminal: str, stream: str, first: int, records: Sequence[bytes], head: bytes, key: "Ed25519PrivateKey"
) -> Copy:
    """What the till itself gives away."""
    last = first + len(records) - 1
    seal = key.sign(seal_input(terminal, stream, last, head.hex()))
    return Copy(terminal, stream, first, head.hex(), b64encode(seal).decode(), [record.decode() for record in records])


def decoded(line: bytes) -> Copy | None:
    """None for what is no copy: a line that was torn by a power cut, or somebody else's."""
    if len(line) > MAX_COPY_BYTES:
        return None
    try:
        copy = msgspec.json.decode(line, type=Copy)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return copy if NAME.fullmatch(copy.terminal) and STREAM.fullmatch(copy.stream) else None


class Keeper(Protocol):
    """Where copies are kept, on another machine or disk. Every call may raise MirrorUnreachable, and may block."""

    def held(self, terminal: str) -> dict[str, int]:
        """The last record of which a copy is kept, for each stream of a terminal of which there is one."""

    def keep(self, copy: Copy) -> None:
        """Durable when it returns. The same copy twice is kept once."""

    def forget(self, terminal: str, stream: str, upto: int) -> None:
        """The ledger has custody of the stream up to this record; copies that go further stay."""

    def close(self) -> None: ...


class FolderKeeper:
    """Copies in files, `TERMINAL/STREAM.jsonl`: on a second disk, a stick, or a machine's folder mounted here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lasts: dict[tuple[str, str], int] = {}

    def held(self, terminal: str) -> dict[str, int]:
        streams = [stream for name, stream, _ in self.streams() if name == terminal]
        return {stream: self._last(terminal, stream) for stream in streams}

    def keep(self, copy: Copy) -> None:
        try:
            path = self._path(copy.terminal, copy.stream)
            if copy.last > self._last(copy.terminal, copy.stream):
                _append(path, msgspec.json.encode(copy))
                self._lasts[copy.terminal, copy.stream] = copy.last
        except OSError as error:
            raise MirrorUnreachable(f"{self.folder}: {error.strerror or error}") from error

    def forget(self, terminal: str, stream: str, upto: int) -> None:
        try:
            if self._last(terminal, stream) <= upto:
                self._lasts.pop((terminal, stream), None)
                self._path(terminal, stream).unlink(missing_ok=True)
        except OSError as error:
            raise MirrorUnreachable(f"{self.folder}: {error.strerror or error}") from error

    def close(self) -> None:
        """Nothing is held open."""

    def copies(self, terminal: str, stream: str) -> Iterator[Copy]:
        """In the order in which they were kept; what is no copy of this stream is passed over."""
        try:
            with self._path(terminal, stream).open("rb") as file:
                for line in file:
                    copy = decoded(line.removesuffix(b"\n"))
                    if copy is not None and (copy.terminal, copy.stream) == (terminal, stream):
                        yield copy
        except FileNotFoundError:
            return
        except OSError as error:
            raise MirrorUnreachable(f"{self.folder}: {error.strerror or error}") from error

    def streams(self) -> list[tuple[str, str, float]]:
        """Terminal, stream and time of the last copy (seconds since 1970) of all that is kept, the oldest first."""
        try:
            found = [(file.parent.name, file.stem, file.stat().st_mtime) for file in self.folder.glob("*/*.jsonl")]
        except OSError as error:
            raise MirrorUnreachable(f"{self.folder}: {error.strerror or error}") from error
        ours = (one for one in found if NAME.fullmatch(one[0]) and STREAM.fullmatch(one[1]))
        return sorted(ours, key=lambda one: one[2])

    def _last(self, terminal: str, stream: str) -> int:
        known = self._lasts.get((terminal, stream))
        return max((copy.last for copy in self.copies(terminal, stream)), default=0) if known is None else known

    def _path(self, terminal: str, stream: str) -> Path:
        """Names come from outside. Raises ValueError for one that could leave the folder."""
        if not NAME.fullmatch(terminal) or not STREAM.fullmatch(stream):
            raise ValueError("no name of a terminal and a stream")
        return self.folder / terminal / f"{stream}.jsonl"


def _append(path: Path, line: bytes) -> None:
    """A line on a line of its own, even behind one that a power cut has torn."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "rb+", buffering=0) as file:
        end = file.seek(0, os.SEEK_END)
        torn = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"
        text = b"\n" * torn + line + b"\n"
        if os.write(descriptor, text) != len(text):
            raise OSError("the disk took only a part of it")
        os.fdatasync(descriptor)
    if is_new:
        sync_to_disk(path.parent)
        sync_to_disk(path.parent.parent)
