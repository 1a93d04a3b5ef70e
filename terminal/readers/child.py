"""A reader's process from outside: started, listened to, dismissed. One thread uses it, but for its orders."""

import contextlib
import os
import select
import subprocess
import sys
import threading
from typing import Final

import msgspec

from drivers.worker import DRIVER_FAILED, Assignment, Message, Order
from terminal.readers.life import Cause, Ending

MAX_LINE: Final = 65536
"""Bytes; the longest report is an NDEF text of 4 KiB in JSON."""
REAP_S: Final = 1.0
"""For a process that has closed its pipe to end."""
STDERR: Final = 2

_decoder = msgspec.json.Decoder(Message)


class ChildEnded(Exception):
    """The process is gone, or must go; `ending` says why."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.cause.value)
        self.ending = ending


class ReaderChild:
    """Runs drivers/worker.py; options go through its standard input, whose end is also the order to end."""

    def __init__(self, driver: str, name: str, assignment: Assignment) -> None:
        """Raises OSError when the process cannot be started."""
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            self._reports, reports_end = _pipe(ours, theirs)
            control_end, control = _pipe(theirs, ours)
            self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
                # -P: not whatever lies in the working folder; faulthandler: a crash says where.
                [sys.executable, "-P", "-X", "faulthandler", "-m", "drivers.worker", driver, name, str(reports_end)],
                stdin=control_end,
                stdout=STDERR,
                pass_fds=(reports_end,),
                process_group=0,  # Ctrl-C is meant for the till, which ends its readers when sales are finished
            )
            with contextlib.suppress(BrokenPipeError):  # it has died already, which next() will tell
                os.write(control, msgspec.json.encode(assignment) + b"\n")
            os.set_blocking(control, False)
            self._control: int | None = control
            self._controlling = threading.Lock()
            ours.pop_all()
        self.pid = self._process.pid
        self._received = b""

    def next(self, wake: int, timeout_s: float) -> Message | None:
        """The next message, or None as soon as the file descriptor `wake` is readable.

        Raises ChildEnded when the process has ended, is silent for `timeout_s` or writes what is no message.
        """
        while b"\n" not in self._received:
            ready, _, _ = select.select([self._reports, wake], [], [], timeout_s)
            if wake in ready:
                return None
            if not ready:
                raise ChildEnded(Ending(Cause.HUNG, detail=f"{timeout_s:g} s"))
            self._receive()
        line, _, self._received = self._received.partition(b"\n")
        return _message(line)

    def order(self, order: Order) -> None:
        """Never waits; one that does not listen does not obey. From any thread."""
        with self._controlling, contextlib.suppress(BlockingIOError, BrokenPipeError):
            if self._control is not None:
                os.write(self._control, msgspec.json.encode(order) + b"\n")

    def hang_up(self) -> None:
        """Asks it to give its device back and end: what it also sees when this process dies."""
        with self._controlling:
            if self._control is not None:
                os.close(self._control)
            self._control = None

    def dismiss(self, patience_s: float) -> None:
        """Hangs up, and kills it when it does not end."""
        self.hang_up()
        self._reaped(patience_s)
        self.free()

    def free(self) -> None:
        """SIGKILL where it still runs, and everything that belongs to it closed. Once."""
        self._process.kill()
        self._process.wait()
        self.hang_up()
        os.close(self._reports)

    def _receive(self) -> None:
        part = os.read(self._reports, MAX_LINE)
        if not part:
            code = self._reaped(REAP_S)
            raise ChildEnded(Ending(Cause.GAVE_UP if code == DRIVER_FAILED else Cause.DIED, code))
        self._received += part
        if len(self._received) > MAX_LINE and b"\n" not in self._received:
            raise ChildEnded(Ending(Cause.GARBLED, detail=f"a line of more than {MAX_LINE} bytes"))

    def _reaped(self, patience_s: float) -> int:
        """Its exit status, that of SIGKILL when it has not ended by then."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(patience_s)
        self._process.kill()
        return self._process.wait()


def _pipe(reader: contextlib.ExitStack, writer: contextlib.ExitStack) -> tuple[int, int]:
    """Both ends of a pipe, each closed with its owner."""
    reading, writing = os.pipe()
    reader.callback(os.close, reading)
    writer.callback(os.close, writing)
    return reading, writing


def _message(line: bytes) -> Message:
    try:
        message: Message = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ChildEnded(Ending(Cause.GARBLED, detail=str(error))) from error
    return message
