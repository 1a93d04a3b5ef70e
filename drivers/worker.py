"""The child process that runs exactly one driver: `python -m drivers.worker DRIVER NAME FD`.

It reads one line from its standard input, the `Assignment`, and writes one `Message` a line to the file
descriptor FD; not to standard output, where native libraries print. While nothing happens a `Heartbeat` says
so every HEARTBEAT_S. When standard input ends - the parent closed it, or is dead - the worker gives the device
back and ends, so no orphan keeps a reader.

By hand: `(echo '{"folder":"/tmp"}'; cat) | python -m drivers.worker pcsc test 1`
"""

import importlib
import os
import signal
import sys
import threading
import time
from typing import Any, BinaryIO, Final

import msgspec

from drivers.base import CardRead, CardUnreadable, Condition, DriverError, Place, Reader

HEARTBEAT_S: Final = 0.5
"""Often enough to stop a reader within it, seldom enough to cost nothing."""
GRACE_S: Final = 1.5
"""For a device to be given back; then the process ends whatever its driver does."""
MAX_ASSIGNMENT: Final = 65536
"""Bytes, what a pipe holds: the parent never waits while it writes them."""
DRIVER_FAILED: Final = 3
"""Exit code after a DriverError; its condition is the last message."""


class Assignment(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the parent wants; not in the arguments, which every user of the machine may read."""

    folder: str
    options: dict[str, Any] = {}
    reopened: bool = False


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat"):
    """Alive, and nothing to say."""


Message = CardRead | CardUnreadable | Condition | Heartbeat


def opened(driver: str, name: str, assignment: Assignment) -> Reader:
    """A reader by its driver's name, not opened yet. Raises DriverError."""
    try:
        module = importlib.import_module(f"drivers.{driver}")
        options = msgspec.convert(assignment.options, module.Options)
    except (ImportError, AttributeError) as error:
        raise DriverError(f"there is no driver {driver!r}: {error}", "mend `driver` in the config") from error
    except msgspec.ValidationError as error:
        raise DriverError(f"options of {driver}: {error}", f"mend the [[reader]] {name!r} in the config") from error
    reader: Reader = module.Reader(Place(name, assignment.folder, assignment.reopened), options)
    return reader


def serve(reader: Reader, ending: threading.Event, out: BinaryIO) -> None:
    """Until `ending` is set. Raises DriverError, and BrokenPipeError when the parent is dead."""
    try:
        reader.open()
        while not ending.is_set():
            tell(out, reader.read(HEARTBEAT_S) or Heartbeat())
    finally:
        reader.close()


def tell(out: BinaryIO, message: Message) -> None:
    out.write(msgspec.json.encode(message) + b"\n")
    out.flush()


def read_assignment(source: int) -> Assignment:
    """The first line of a file descriptor."""
    line = b""
    while not line.endswith(b"\n") and len(line) < MAX_ASSIGNMENT:
        part = os.read(source, MAX_ASSIGNMENT)
        if not part:
            break
        line += part
    return msgspec.json.decode(line, type=Assignment)


def end_with_parent(source: int, ending: threading.Event) -> None:
    """Waits until the parent has closed its end; a driver that is stuck then cannot keep the process."""
    while os.read(source, 4096):
        pass
    ending.set()
    time.sleep(GRACE_S)
    os._exit(0)


def main(arguments: list[str]) -> int:
    driver, name, out_fd = arguments
    # Ctrl-C in a terminal reaches the whole group; the parent decides what ends when.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assignment = read_assignment(sys.stdin.fileno())
    ending = threading.Event()
    threading.Thread(target=end_with_parent, args=(sys.stdin.fileno(), ending), daemon=True).start()
    with os.fdopen(int(out_fd), "wb") as out:
        try:
            serve(opened(driver, name, assignment), ending, out)
        except DriverError as error:
            tell(out, error.condition)
            return DRIVER_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
