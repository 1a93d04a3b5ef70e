"""A keyboard scanner for the real evdev library: recorded input events through a pipe, or a device of the kernel.

`RecordedKeyboard` needs a C compiler (tests/virtual/evdev_shim.c), `UinputKeyboard` needs /dev/uinput.
"""

import os
import shutil
import struct
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Final, NamedTuple, Self

from drivers.keyboard_layouts import KEYPAD, LAYOUTS, SPACE, LayoutName, composed, is_dead

USB: Final = "0c2e:0b61"
SOURCE: Final = Path(__file__).with_name("evdev_shim.c")
INPUT_EVENT: Final = struct.Struct("llHHi")
"""struct input_event of 64-bit kernels (linux/input.h)."""

SYN, KEY, MSC = 0, 1, 4
SYN_REPORT, SYN_DROPPED = 0, 3
ENTER, TAB, SHIFT, CTRL, ALT, ALTGR, F8, RIGHT_BRACE = 28, 15, 42, 29, 56, 100, 66, 27
DOWN, UP = 1, 0

KEY_S: Final = 0.002
"""From one key to the next, as a USB scanner types."""


class Event(NamedTuple):
    """One input event; `at` in seconds."""

    kind: int
    code: int
    value: int
    at: float = 0.0

    def __bytes__(self) -> bytes:
        return INPUT_EVENT.pack(int(self.at), round(self.at % 1 * 1_000_000), self.kind, self.code, self.value)


def stroke(code: int, held: tuple[int, ...] = (), at: float = 0.0) -> Iterator[Event]:
    """One key with its modifiers, as hid-input reports it: scan codes in between, a report after each change."""
    for key, value in [*((one, DOWN) for one in held), (code, DOWN), (code, UP), *((one, UP) for one in held)]:
        yield Event(MSC, 4, 0x70000 + key, at)
        yield Event(KEY, key, value, at)
        yield Event(SYN, SYN_REPORT, 0, at)


def keys_of(text: str, layout: LayoutName) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The keys and modifiers for a text; written apart from the driver's own inverse."""
    table = LAYOUTS[layout]
    levels = [(table.plain, ()), (table.shift, (SHIFT,)), (table.altgr, (ALTGR,))]
    for one in text:
        if one == "\x1d":
            yield RIGHT_BRACE, (CTRL,)
        elif found := [(code, held) for keys, held in levels for code, char in keys.items() if char == one]:
            yield found[0]
        else:  # only a dead key has it: that and a blank
            dead = {
                composed(char, " "): (code, held)
                for keys, held in levels
                for code, char in keys.items()
                if is_dead(char)
            }
            yield dead[one]
            yield SPACE, ()


def typed(text: str, layout: LayoutName = "us", start: float = 1000.0, ending: int | None = ENTER) -> list[Event]:
    """A scan as it is recorded."""
    strokes = [*keys_of(text, layout), *([(ending, ())] if ending is not None else [])]
    return [event for n, (code, held) in enumerate(strokes) for event in stroke(code, held, start + n * KEY_S)]


def keypad_digit(digit: str) -> int:
    return next(code for code, one in KEYPAD.items() if one == digit)


def missing() -> str | None:
    """Why recorded events cannot be played here, or None."""
    return None if shutil.which("gcc") else "needs gcc (make setup-dev installs it)"


@cache
def shim() -> Path:
    """The library to preload, built once for each test run."""
    built = Path(mkdtemp(prefix="tilld-shim-")) / "evdev_shim.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", built, SOURCE, "-ldl"], check=True)
    return built


class RecordedKeyboard:
    """Plugged in as long as it is open. A process that opens `path` needs `environment`."""

    def __init__(self, folder: Path, name: str = "usb-Acme_Scanner-event-kbd") -> None:
        self.path = folder / name
        self.environment = {"LD_PRELOAD": str(shim()), "EVDEV_SHIM_USB": USB}
        self._pipe: int | None = None
        self._clock = 1000.0
        self.plug()

    def plug(self) -> None:
        os.mkfifo(self.path)
        self._pipe = os.open(self.path, os.O_RDWR)

    def unplug(self) -> None:
        if self._pipe is not None:
            self.path.unlink()
            os.close(self._pipe)
            self._pipe = None

    def play(self, events: Iterable[Event]) -> None:
        """At once, up to PIPE_BUF at a time, so that no event is ever cut."""
        assert self._pipe is not None
        recorded = b"".join(map(bytes, events))
        step = 4096 // INPUT_EVENT.size * INPUT_EVENT.size
        for at in range(0, len(recorded), step):
            os.write(self._pipe, recorded[at : at + step])

    def scan(self, text: str, layout: LayoutName = "us", ending: int | None = ENTER) -> None:
        """One scan, a second after the last one on the events' own clock."""
        self._clock += 1.0
        self.play(typed(text, layout, self._clock, ending))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unplug()


class UinputKeyboard:
    """A keyboard of the kernel itself, where it lets us make one."""

    def __init__(self) -> None:
        import evdev

        vendor, product = (int(half, 16) for half in USB.split(":"))
        self._device = evdev.UInput(name="tilld test scanner", vendor=vendor, product=product)
        self.path = Path(self._device.device.path)
        self.environment: dict[str, str] = {}

    @staticmethod
    def missing() -> str | None:
        return None if os.access("/dev/uinput", os.W_OK) else "needs /dev/uinput (modprobe uinput, as root)"

    def scan(self, text: str, layout: LayoutName = "us", ending: int | None = ENTER) -> None:
        for event in typed(text, layout, ending=ending):
            self._device.write(event.kind, event.code, event.value)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._device.close()
