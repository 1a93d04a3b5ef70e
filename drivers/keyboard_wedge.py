"""Scanners and magnetic-stripe readers that type like a keyboard: USB HID and Bluetooth (evdev).

| device | what is read |
|---|---|
| bar code scanner in keyboard mode | the code; its kind where the scanner types AIM identifiers |
| the same with GS1 codes | as drivers/serial_line.py, if it types FNC1 as Ctrl+], F8 or Alt+029 |
| magnetic-stripe reader in keyboard mode | the number on one track; payment cards are dropped unread |
| certified wallet reader in keyboard mode | the pass's value, with `technology = "phone"` |

Only the chosen device is opened, and it is grabbed: what it types reaches no other program, so a scanner that
the POS needs too cannot be read here. Tried with evdev 2.0 on recorded events, on no real scanner yet
(docs/readers.md).
"""

import contextlib
import select
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from drivers.base import CardUnreadable, DriverError, Place, ReaderAbsent, Report
from drivers.device_node import refusal
from drivers.framing import Framer, Scan
from drivers.input_nodes import InputNode, keyboards
from drivers.keyboard_layouts import LAYOUTS, LayoutName, in_every_layout, layout_of
from drivers.keystrokes import Keystrokes
from drivers.magstripe import is_payment
from drivers.scanner import Scanner
from drivers.scans import PAYMENT, ScanOptions, Silence, UsbId, report_of, text_of

LOOK: Final = "ls -l /dev/input/by-id /dev/input/by-path"
SETTLE_S: Final = 1.0
"""How long a key that stays pressed is waited for before the device is taken from the desktop."""

Device = Annotated[str, msgspec.Meta(pattern="^(/.*)?$", max_length=512, description="a path from the root on, or ''")]


class Options(ScanOptions, frozen=True, forbid_unknown_fields=True):
    """`device` is a path, best one below /dev/input/by-id or by-path; `usb` its VID:PID; one of them or both.

    `layout` is the keyboard that the scanner is set to imitate. Keys come slower than bytes, so `silence_ms` is
    longer than on a serial line: Bluetooth scanners pause up to 100 ms between keys.
    """

    device: Device = ""
    usb: UsbId = ""
    layout: LayoutName = "us"
    silence_ms: Silence = 250

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.device and not self.usb:
            raise ValueError(
                'a scanner is chosen by `device` or by `usb`, like "0c2e:0b61" (see lsusb), never any keyboard'
            )


def chosen(options: Options, there: Sequence[InputNode]) -> Path:
    """Raises DriverError where the choice is not clear."""
    if options.device:
        return Path(options.device)
    found = [node for node in there if node.usb == options.usb]
    if not found:
        raise ReaderAbsent(f"no keyboard of a {options.usb} is there", f"plug it in, in keyboard mode; see {LOOK}")
    if len(found) > 1:
        which = ", ".join(f"{node.path} ({node.port or node.name})" for node in found)
        raise DriverError(
            f"there are {len(found)} keyboards of a {options.usb}: {which}", f"say which with `device`: {LOOK}"
        )
    return found[0].path


def judged(scan: Scan, options: Options) -> Report | None:
    """As for every scanner; the set-up code tells which layout the scanner types.

    A payment card must not get through because a layout is configured that its reader does not type.
    """
    text = "" if scan.flaw else text_of(scan.text)
    if any(is_payment(one, options.stripes) for one in in_every_layout(text, options.layout)):
        return PAYMENT
    typed = layout_of(text, options.layout)
    if typed is None:
        return report_of(scan, options)
    if typed == options.layout:
        return CardUnreadable("setup_code", f"The scanner types the layout {typed}, as it is configured.")
    return CardUnreadable("wrong_layout", f'The scanner types another layout: write layout = "{typed}" in its config.')


class Keyboard:
    """An opened keyboard that types for the till alone. Raises OSError."""

    def __init__(self, path: Path, options: Options) -> None:
        import evdev

        self._path = path
        self._device: Any = evdev.InputDevice(str(path))
        self._keystrokes = Keystrokes(LAYOUTS[options.layout], options.silence_ms / 1000)

    @property
    def name(self) -> str:
        return f"{self._device.name} at {self._path}"

    @property
    def usb(self) -> str:
        return f"{self._device.info.vendor:04x}:{self._device.info.product:04x}"

    def fileno(self) -> int:
        return int(self._device.fd)

    def grab(self, silence_s: float) -> None:
        """Takes it from every other program, between two scans.

        A key that is down meanwhile would stay down for the desktop, and what a customer before has scanned half
        would be the beginning of the next scan.
        """
        until = time.monotonic() + SETTLE_S
        while time.monotonic() < until and (select.select([self], [], [], silence_s)[0] or self._device.active_keys()):
            self._drain()
        self._device.grab()
        self._drain()

    def take(self, framer: Framer) -> list[Scan]:
        scans = []
        for event in self._device.read():
            missing = self._keystrokes.dropping
            scans += self._keystrokes.take(framer, event.type, event.code, event.value, event.timestamp())
            if missing and not self._keystrokes.dropping:
                self._keystrokes.hold(self._device.active_keys())
        return scans

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._device.close()

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):  # nothing there
            for _ in self._device.read():
                pass


def attach(options: Options) -> Keyboard:
    """Raises DriverError."""
    path = chosen(options, keyboards() if options.usb else ())
    try:
        keyboard = Keyboard(path, options)
    except OSError as error:
        raise refusal(path, error.errno, "used as a keyboard", LOOK) from error
    try:
        if options.usb not in {"", keyboard.usb}:
            raise DriverError(f"{path} is a {keyboard.usb}, no {options.usb}", f"mend `device` or `usb`: {LOOK}")
        keyboard.grab(options.silence_ms / 1000)
    except DriverError:
        keyboard.close()
        raise
    except OSError as error:
        keyboard.close()
        raise refusal(path, error.errno, "grabbed", LOOK) from error
    return keyboard


class Reader:
    """One keyboard, by one thread that does nothing else: the kernel keeps about twenty characters for it."""

    def __init__(self, _place: Place, options: Options) -> None:
        self._scanner = Scanner(options, lambda: attach(options), lambda scan: judged(scan, options))

    def open(self) -> None:
        try:
            import evdev  # noqa: F401 - whether it is there
        except ImportError as error:
            raise ReaderAbsent(f"evdev is not usable: {error}", "pip install 'tilld[wedge]'") from error

    def read(self, timeout_s: float) -> Report | None:
        return self._scanner.read(timeout_s)

    def close(self) -> None:
        self._scanner.close()
