"""A reader without hardware: presents what a Unix socket tells it, faults included (`tilld tap`).

| technology | what is presented |
|---|---|
| every one of drivers/base.py | the card's text and, where given, its serial number |

The socket is `<folder>/<name>.sock`, for the daemon's own user and root; the kernel says who asks. Each connection
is one presentation: one line of JSON, a `Tap`, answered by one line, `{"ok":true}` or `{"ok":false,"error":"…"}`.
The answer says that the reader has taken the card, not yet what the till makes of it.
"""

import contextlib
import os
import signal
import socket
import time
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from drivers.base import (
    ENTRY_MODES,
    CardRead,
    CardUnreadable,
    Condition,
    DriverError,
    EntryMode,
    Place,
    ReaderAbsent,
    ReaderForbidden,
    ReaderHeld,
    ReaderState,
    Report,
    Technology,
)
from drivers.local_socket import peer_uid, short_path

MAX_LINE: Final = 8192
"""Bytes; the longest bar code that any reader gives is shorter."""
MAX_TEXT: Final = 4096
LINE_TIMEOUT_S: Final = 1.0
"""For a client to send its line and to take the answer."""


class Fault(StrEnum):
    """What may go wrong with a reader, on demand."""

    UNREADABLE = "unreadable"
    CRASH = "crash"
    HANG = "hang"
    ABSENT = "absent"
    HELD = "held"
    FORBIDDEN = "forbidden"
    FAILING = "failing"
    FLOOD = "flood"


BREAKDOWNS: Final[dict[Fault, type[DriverError]]] = {
    Fault.ABSENT: ReaderAbsent,
    Fault.HELD: ReaderHeld,
    Fault.FORBIDDEN: ReaderForbidden,
    Fault.FAILING: DriverError,
}


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose: the socket's name follows from the reader's."""


class Tap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One presentation. `card` is the text that the card carries, `uid` its serial number in hex.

    `effort` is how hard it is to read, `duration_ms` how long that is said to take.
    """

    card: str | None = None
    technology: Technology = Technology.QR
    fault: Fault | None = None
    uid: str | None = None
    effort: int | None = None
    duration_ms: float = 0.0


class TapAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    ok: bool
    error: str | None = None


class NotTapped(Exception):
    """The simulated reader has not taken the card; the text says why and what to do."""


def tap(path: Path, what: Tap, timeout_s: float = 5.0) -> None:
    """Presents a card to the simulated reader whose socket is `path`. Raises NotTapped."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(timeout_s)
            with short_path(path) as short:
                line.connect(short)
            line.sendall(msgspec.json.encode(what) + b"\n")
            answer = msgspec.json.decode(_line(line), type=TapAnswer)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NotTapped(f"no simulated reader listens at {path}; `tilld readers` tells why") from error
    except (OSError, msgspec.DecodeError) as error:
        then = "tap again when `tilld readers` calls it ready"
        raise NotTapped(f"the simulated reader at {path} does not answer: {error}; {then}") from error
    if not answer.ok:
        raise NotTapped(f"the simulated reader refuses: {answer.error}")


def report_of(what: Tap) -> Report:
    """What the reader says when this is presented to it; faults that end the reader aside."""
    if what.fault is Fault.UNREADABLE:
        return CardUnreadable("unreadable", "A simulated card that cannot be read.", technology=what.technology)
    return CardRead(
        technology=what.technology,
        entry_mode=ENTRY_MODES.get(what.technology, EntryMode.SCANNED),
        data=what.card,
        uid=what.uid,
        effort=what.effort,
        duration_ms=what.duration_ms,
    )


def parse(line: bytes) -> Tap:
    """Raises ValueError, with words for the sender, for anything but a tap."""
    what = msgspec.json.decode(line, type=Tap)
    if what.card is None and what.uid is None and what.fault is None:
        raise ValueError("a tap needs `card`, `uid` or `fault`")
    if len(what.card or "") > MAX_TEXT:
        raise ValueError(f"a card of {len(what.card or '')} characters, at most {MAX_TEXT}")
    return what


class Reader:
    """Listens on its socket; one client at a time, and none may make it wait for long."""

    def __init__(self, place: Place, _options: Options) -> None:
        self._path = Path(place.folder) / f"{place.name}.sock"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._held = contextlib.ExitStack()
        self._flood: Report | None = None
        self._ready: Condition | None = Condition(ReaderState.READY, f"tap it: tilld tap CARD --reader {place.name}")

    def open(self) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            self._path.unlink(missing_ok=True)  # of a process that was killed
            with short_path(self._path) as short:
                self._listener.bind(short)
            self._held.callback(self._path.unlink, missing_ok=True)
            self._path.chmod(0o600)  # before listen(): nobody can have connected
            self._listener.listen()
        except OSError as error:
            raise DriverError(f"cannot listen at {self._path}: {error}", "choose another --state folder") from error

    def read(self, timeout_s: float) -> Report | None:
        if self._ready is not None:
            ready, self._ready = self._ready, None
            return ready
        if self._flood is not None:
            return self._flood
        what = self._taken(timeout_s)
        if what is None:
            return None
        if what.fault is not None and what.fault in BREAKDOWNS:
            raise BREAKDOWNS[what.fault]("a tap asked for it", "wait: a simulated reader comes back by itself")
        self._suffer(what)
        return report_of(what)

    def close(self) -> None:
        self._held.close()
        self._listener.close()

    def _taken(self, timeout_s: float) -> Tap | None:
        """The next tap, answered; None for silence or a client that talks nonsense."""
        self._listener.settimeout(timeout_s)
        try:
            client, _ = self._listener.accept()
        except TimeoutError:
            return None
        with client, contextlib.suppress(OSError):  # the client may leave when it likes
            client.settimeout(LINE_TIMEOUT_S)
            try:
                what = parse(_line(client))
                if peer_uid(client) not in {0, os.getuid()}:
                    raise ValueError("this is another user's reader")
            except ValueError as error:
                _answer(client, TapAnswer(ok=False, error=str(error)))
                return None
            _answer(client, TapAnswer(ok=True))
            return what
        return None

    def _suffer(self, what: Tap) -> None:
        """The faults that no driver survives."""
        if what.fault is Fault.CRASH:
            os.kill(os.getpid(), signal.SIGSEGV)
        if what.fault is Fault.HANG:
            while True:
                time.sleep(3600)
        if what.fault is Fault.FLOOD:
            self._flood = report_of(what)


def _line(client: socket.socket) -> bytes:
    """Up to a line feed or the end, at most MAX_LINE within the socket's timeout for each part."""
    line = b""
    deadline = time.monotonic() + LINE_TIMEOUT_S
    while not line.endswith(b"\n") and len(line) <= MAX_LINE and time.monotonic() < deadline:
        part = client.recv(MAX_LINE + 1 - len(line))
        if not part:
            break
        line += part
    return line


def _answer(client: socket.socket, answer: TapAnswer) -> None:
    client.sendall(msgspec.json.encode(answer) + b"\n")
