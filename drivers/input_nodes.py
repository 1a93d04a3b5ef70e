"""The keyboards that the kernel has, by what sysfs tells every user of them: no device is opened to look."""

from pathlib import Path
from typing import Final, NamedTuple

_DIGITS: Final = sum(1 << code for code in range(2, 12))
"""The keys 1 to 0 of linux/input-event-codes.h: what types them all is a keyboard, not a power button."""
_WORD: Final = 64
"""Bits in each word of a capability mask (linux, drivers/input/input.c: input_print_bitmap)."""


class InputNode(NamedTuple):
    """`path` is its file below /dev, `usb` its VID:PID; `port` the USB port it is on, "" when the system says none."""

    path: Path
    usb: str
    name: str
    port: str


def keyboards(sysfs: Path = Path("/sys/class/input"), dev: Path = Path("/dev/input")) -> list[InputNode]:
    """All that can type digits."""
    found = []
    for entry in sorted(sysfs.glob("event*")):
        device = entry / "device"
        if _mask(_text(device / "capabilities" / "key")) & _DIGITS == _DIGITS:
            usb = f"{_text(device / 'id' / 'vendor')}:{_text(device / 'id' / 'product')}"
            found.append(InputNode(dev / entry.name, usb, _text(device / "name"), _text(device / "phys")))
    return found


def _text(file: Path) -> str:
    """What the file says, "" when the device has gone meanwhile."""
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""


def _mask(words: str) -> int:
    """Hexadecimal words, the highest first."""
    mask = 0
    for word in words.split():
        try:
            mask = mask << _WORD | int(word, 16)
        except ValueError:
            return 0
    return mask
