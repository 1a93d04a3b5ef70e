"""The child process that runs exactly one driver: `python -m drivers.worker DRIVER NAME FD`.

It reads one line from its standard input, the `Assignment`, then an `Order` a line, and writes one `Message` a line
to the file descriptor FD; not to standard output, where native libraries print. While nothing happens a `Heartbeat`
says so every HEARTBEAT_S. When standard input ends - the parent closed it, or is dead - the worker gives the device
back and ends, so no orphan keeps a reader.

By hand: `(echo '{"folder":"/tmp"}'; cat) | python -m drivers.worker pcsc test 1`
"""

import importlib
import os
import queue
import signal
import sys
import threading
import time
from typing import Any, BinaryIO, Final, Literal

import msgspec

from drivers.base import (
    CardRead,
    CardUnreadable,
    Condition,
    DriverError,
    Hopeful,
    NoteReader,
    NoteWish,
    NoteWritten,
    Place,
    Reader,
)

HEARTBEAT_S: Final = 0.5
"""Often enough to stop a reader within it, seldom enough to cost nothing."""
LOOK_S: Final = 0.1
"""How soon a note is written where cards carry notes: the customer lifts the card soon."""
GRACE_S: Final = 1.5
"""For a device to be given back; then the process ends whatever its driver does."""
MAX_LINE: Final = 65536
"""Bytes, what a pipe holds: the parent never waits while it writes an assignment."""
DRIVER_FAILED: Final = 3
"""Exit code after a DriverError; its condition is the last message."""


class Assignment(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the parent wants; not in the arguments, which every user of the machine may read."""

    folder: str
    options: dict[str, Any] = {}
    reopened: bool = False
    notes: bool = False


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat"):
    """Alive, and nothing to say."""


LOOK: Final = "look"
"""The order to a reader whose device is missing: some device has come."""
Order = NoteWish | Literal["look"]

Message = CardRead | CardUnreadable | Condition | NoteWritten | Heartbeat


def opened(driver: str, name: str, assignment: Assignment) -> Reader:
    """A reader by its driver's name, not opened yet. Raises DriverError."""
    try:
        module = importlib.import_module(f"drivers.{driver}")
        options = msgspec.convert(assignment.options, module.Options)
    except (ImportError, AttributeError) as error:
        raise DriverError(f"there is no driver {driver!r}: {error}", "mend `driver` in the config") from error
    except msgspec.ValidationError as error:
        raise DriverError(f"options of {driver}: {error}", f"mend the [[reader]] {name!r} in the config") from error
    reader: Reader = module.Reader(Place(name, assignment.folder, assignment.reopened, assignment.notes), options)
    return reader


class Orders:
    """What the parent says after the assignment, line by line; `wishes` are those that nobody has taken yet.

    `look` is set when a device has come.
    """

    def __init__(self, source: int) -> None:
        self._source = source
        self._received = b""
        self.wishes: queue.SimpleQueue[NoteWish] = queue.SimpleQueue()
        self.look = threading.Event()

    def line(self) -> bytes:
        """Without its line feed; empty when the parent has closed its end. Longer ones than MAX_LINE are cut."""
        while b"\n" not in self._received and len(self._received) < MAX_LINE:
            part = os.read(self._source, MAX_LINE)
            if not part:
                return b""
            self._received += part
        line, _, self._received = self._received.partition(b"\n")
        return line

    def follow(self, ending: threading.Event) -> None:
        """Until the parent has closed its end; a driver that is stuck then cannot keep the process."""
        while line := self.line():
            order: Order = msgspec.json.decode(line, type=Order)
            if isinstance(order, NoteWish):
                self.wishes.put(order)
            else:
                self.look.set()
        ending.set()
        time.sleep(GRACE_S)
        os._exit(0)


def serve(reader: Reader, orders: Orders, ending: threading.Event, out: BinaryIO, *, notes: bool) -> None:
    """Until `ending` is set. Raises DriverError, and BrokenPipeError when the parent is dead."""
    writer = reader if notes and isinstance(reader, NoteReader) else None
    try:
        reader.open()
        while not ending.is_set():
            tell(out, reader.read(LOOK_S if writer else HEARTBEAT_S) or Heartbeat())
            if orders.look.is_set() and isinstance(reader, Hopeful):
                orders.look.clear()
                reader.look_now()
            while writer and not orders.wishes.empty():
                tell(out, writer.write_note(orders.wishes.get()))
    finally:
        reader.close()


def tell(out: BinaryIO, message: Message) -> None:
    out.write(msgspec.json.encode(message) + b"\n")
    out.flush()


def main(arguments: list[str]) -> int:
    driver, name, out_fd = arguments
    # Ctrl-C in a terminal reaches the whole group; the parent decides what ends when.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    orders, ending = Orders(sys.stdin.fileno()), threading.Event()
    assignment = msgspec.json.decode(orders.line(), type=Assignment)
    threading.Thread(target=orders.follow, args=(ending,), daemon=True).start()
    try:
        with os.fdopen(int(out_fd), "wb") as out:
            try:
                serve(opened(driver, name, assignment), orders, ending, out, notes=assignment.notes)
            except DriverError as error:
                tell(out, error.condition)
                return DRIVER_FAILED
    except BrokenPipeError:
        return 0  # the parent was killed: nobody hears, and nothing is wrong here
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
