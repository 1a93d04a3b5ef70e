"""The serial line of a PN532: taken for this process alone, and its chip brought back to the speed it starts with.

nfcpy moves the chip to a faster speed. When its process is killed the chip stays there, and nobody who speaks
115200 baud reaches it again until its power is cut. So every speed is tried first.
"""

import fcntl
import os
import select
import termios
import time
import tty
from pathlib import Path
from typing import Final, Self

from drivers.device_node import held, holders, refusal
from drivers.pn532_frames import ACK, WAKE_UP, answer_in, frame

LOOK: Final = "ls /dev/serial/by-id"

START_SPEED: Final = 115200
"""Baud of a chip that has just got power (UM0701-02 section 7.2.8)."""

_SPEEDS: Final = {
    115200: termios.B115200,
    921600: termios.B921600,
    460800: termios.B460800,
    230400: termios.B230400,
}
"""Those that nfcpy may leave behind, the likeliest first."""
_PATIENCE_S: Final = 0.1
"""The chip acknowledges within 15 ms (section 6.2.1.1)."""
_ROUNDS: Final = (
    *((speed, _PATIENCE_S) for _ in range(2) for speed in _SPEEDS),  # the first may only end a frame cut off
    (START_SPEED, 1.0),  # USB converters of a Raspberry Pi sometimes hold the first bytes back so long
)

_GET_FIRMWARE_VERSION: Final = b"\x02"
_START_SPEED_AGAIN: Final = b"\x10\x04"
"""SetSerialBaudrate to 115200 (section 7.2.8); the chip obeys when its answer has been acknowledged."""
_MOST: Final = 512
"""Bytes of noise before we stop listening."""


class SerialLine:
    """A lock on the device and a way to speak before nfcpy does."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @classmethod
    def taken(cls, path: Path) -> Self:
        """Raises ReaderAbsent, ReaderForbidden, ReaderHeld or, for any other refusal, DriverError."""
        if others := holders(path):  # also those that know no locks: their words would be mixed with ours
            raise held(path, others)
        try:
            fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise refusal(path, error.errno, "opened", LOOK) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)  # what pyserial's exclusive ports honour too
        except OSError as error:
            os.close(fd)
            raise refusal(path, error.errno, "locked", LOOK) from error
        return cls(fd)

    def wake(self) -> int | None:
        """The speed at which the chip answered, now set back to START_SPEED; None when it does not answer."""
        for speed, patience_s in _ROUNDS:
            self._set(speed)
            self._send(ACK)
            if self._ask(_GET_FIRMWARE_VERSION, patience_s) is None:
                continue
            if speed != START_SPEED:
                self._ask(_START_SPEED_AGAIN, patience_s)
                self._send(ACK)
                self._set(START_SPEED)
            return speed
        return None

    def free(self) -> None:
        os.close(self._fd)

    def _set(self, speed: int) -> None:
        """Eight bits, no parity, no flow control, nothing of the terminal's own."""
        tty.setraw(self._fd, termios.TCSADRAIN)
        settings = termios.tcgetattr(self._fd)
        settings[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
        settings[4] = settings[5] = _SPEEDS[speed]
        termios.tcsetattr(self._fd, termios.TCSADRAIN, settings)
        termios.tcflush(self._fd, termios.TCIFLUSH)

    def _send(self, data: bytes) -> None:
        os.write(self._fd, data)
        termios.tcdrain(self._fd)

    def _ask(self, command: bytes, patience_s: float) -> bytes | None:
        self._send(WAKE_UP + frame(command))
        received, deadline = b"", time.monotonic() + patience_s
        while len(received) < _MOST and (left := deadline - time.monotonic()) > 0:
            if not select.select([self._fd], [], [], left)[0]:
                return None
            received += os.read(self._fd, _MOST)
            if (answer := answer_in(received, command[0])) is not None:
                return answer
        return None
