"""Scanners and wallet readers that send text on a serial line: RS-232, USB-COM (CDC-ACM), Bluetooth (pyserial).

| device | what is read |
|---|---|
| bar code scanner in serial or USB-COM mode | the code; its kind where the scanner sends AIM identifiers |
| GS1-128, GS1 DataMatrix, GS1 QR, DataBar | element strings, also as parsed elements; Digital Links of any host |
| magnetic-stripe reader on a serial line | the number on one track; payment cards are dropped unread |
| wallet reader that sends text (VTAP, WalletMate, SpringCard) | the pass's value, with `technology = "phone"` |

The line is taken alone. Tried with pyserial 3.5 on pseudo-terminals, on no real scanner yet (docs/readers.md).
"""

import contextlib
import fcntl
import select
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from drivers.base import DriverError, Place, ReaderAbsent, Report
from drivers.device_node import held, holders, refusal
from drivers.framing import Framer, Scan
from drivers.scanner import Scanner
from drivers.scans import ScanOptions, UsbId, report_of

LOOK: Final = "ls -l /dev/serial/by-id"
SETTLE_S: Final = 1.0
"""How long a line that never falls silent is waited for when it is opened."""
_PIECE: Final = 4096

Baud = Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600]
Port = Annotated[str, msgspec.Meta(pattern="^(/.*)?$", max_length=512, description="a path from the root on, or ''")]


class Options(ScanOptions, frozen=True, forbid_unknown_fields=True):
    """`port` is a path, best one below /dev/serial/by-id; `usb` the device's VID:PID; one of them or both.

    `mode` is data bits, parity and stop bits, as scanners' manuals write it; USB-COM ignores it and `baud`.
    """

    port: Port = ""
    usb: UsbId = ""
    baud: Baud = 9600
    mode: Literal["8N1", "8E1", "8O1", "8N2", "7E1", "7O1", "7N2"] = "8N1"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.port and not self.usb:
            raise ValueError('a scanner is chosen by `port` or by `usb`, like "0c2e:0b6a" (see lsusb)')


def chosen(options: Options, with_id: Sequence[str]) -> Path:
    """`with_id` are the ports there are with the wanted VID:PID. Raises DriverError where the choice is not clear."""
    if not options.usb:
        return Path(options.port)
    if options.port:
        wanted = Path(options.port)
        if wanted.exists() and wanted.resolve() not in [Path(one).resolve() for one in with_id]:
            raise DriverError(f"{wanted} is no {options.usb}", f"mend `port` or `usb`: {LOOK}")
        return wanted
    if not with_id:
        raise ReaderAbsent(f"no serial port of a {options.usb} is there", f"plug it in, in USB-COM mode; see {LOOK}")
    if len(with_id) > 1:
        raise DriverError(f"{', '.join(with_id)} are all {options.usb}", f"say which one with `port`: {LOOK}")
    return Path(with_id[0])


class SerialLine:
    """An open port that no other program can open. Raises OSError and termios.error, of pyserial and its own."""

    def __init__(self, path: Path, options: Options) -> None:
        import serial

        self._path = path
        self._port: Any = serial.Serial(
            str(path),
            options.baud,
            bytesize=int(options.mode[0]),
            parity=options.mode[1],
            stopbits=int(options.mode[2]),
            timeout=0,
            exclusive=True,  # a lock that programs of good will look at
        )
        fcntl.ioctl(self._port, termios.TIOCEXCL)  # and the kernel's, for the others

    @property
    def name(self) -> str:
        return str(self._path)

    def fileno(self) -> int:
        return int(self._port.fileno())

    def take(self, framer: Framer) -> list[Scan]:
        return framer.feed(self._port.read(_PIECE))

    def settle(self, silence_s: float) -> None:
        """Drops what comes until the line is silent: the end of a scan that began before, or of another customer."""
        until = time.monotonic() + SETTLE_S
        while time.monotonic() < until and select.select([self], [], [], silence_s)[0]:
            self._port.read(_PIECE)

    def close(self) -> None:
        with contextlib.suppress(OSError, termios.error):  # whatever an unplugged port says
            fcntl.ioctl(self._port, termios.TIOCNXCL)
        with contextlib.suppress(OSError, termios.error):
            self._port.close()


def attach(options: Options) -> SerialLine:
    """Raises DriverError."""
    path = chosen(options, _ports_of(options.usb) if options.usb else ())
    if others := holders(path):
        raise held(path, others)
    try:
        line = SerialLine(path, options)
    except termios.error as error:
        raise refusal(path, error.args[0], "opened", LOOK) from error
    except OSError as error:
        raise refusal(path, error.errno, "used as a serial line", LOOK) from error
    try:
        line.settle(options.silence_ms / 1000)
    except (OSError, termios.error) as error:
        line.close()
        raise ReaderAbsent(f"{path} was unplugged while it was opened", "plug it in again") from error
    return line


def _ports_of(usb: str) -> list[str]:
    from serial.tools import list_ports

    return sorted(
        port.device
        for port in list_ports.comports()
        if port.vid is not None and f"{port.vid:04x}:{port.pid:04x}" == usb
    )


class Reader:
    """One port, by one thread."""

    def __init__(self, _place: Place, options: Options) -> None:
        self._scanner = Scanner(options, lambda: attach(options), lambda scan: report_of(scan, options))

    def open(self) -> None:
        try:
            import serial.tools.list_ports  # noqa: F401 - whether it is there
        except ImportError as error:
            raise ReaderAbsent(f"pyserial is not usable: {error}", "pip install 'tilld[serial]'") from error

    def read(self, timeout_s: float) -> Report | None:
        return self._scanner.read(timeout_s)

    def close(self) -> None:
        self._scanner.close()
