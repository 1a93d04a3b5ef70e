"""What the kernel and udev announce of devices, as messages of NETLINK_KOBJECT_UEVENT. Pure.

The kernel says `add@/devices/...` and then pairs, all ended by NUL (lib/kobject_uevent.c); udev, when its rules are
done, a header and then the same pairs (libudev's monitor, `struct monitor_netlink_header`).
"""

import struct
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 16_384
"""Bytes: eight times what the kernel puts into one."""

_UDEV: Final = b"libudev\0"
_UDEV_MAGIC: Final = 0xFEEDCAFE
_HEADER: Final = struct.Struct("=8x4sIII")
"""Magic (in network order), the header's own length, where the pairs begin, and how long they are."""
_MAGIC: Final = struct.Struct(">I")

ARRIVALS: Final = frozenset({"add", "bind"})
READERS: Final = frozenset({"usb", "tty", "input", "hidraw", "video4linux"})
"""The subsystems through which readers come."""


@dataclass(frozen=True)
class Uevent:
    """`action` is add, remove, bind, ...; `subsystem` the kernel's word for the kind of device."""

    action: str
    subsystem: str

    @property
    def may_be_reader(self) -> bool:
        """Whether something has come that a driver could open now."""
        return self.action in ARRIVALS and self.subsystem in READERS


def parse(message: bytes) -> Uevent | None:
    """None for what is no such message."""
    pairs = dict(_pair(part) for part in _body(message[:LONGEST]).split(b"\0") if b"=" in part)
    action, subsystem = pairs.get("ACTION"), pairs.get("SUBSYSTEM")
    return Uevent(action, subsystem) if action and subsystem else None


def _pair(part: bytes) -> tuple[str, str]:
    name, _, value = part.partition(b"=")
    return name.decode("utf-8", "replace"), value.decode("utf-8", "replace")


def _body(message: bytes) -> bytes:
    if not message.startswith(_UDEV):
        head, _, pairs = message.partition(b"\0")
        return pairs if b"@" in head else b""
    if len(message) < _HEADER.size:
        return b""
    magic, _, begin, length = _HEADER.unpack_from(message)
    return message[begin : begin + length] if _MAGIC.unpack(magic) == (_UDEV_MAGIC,) else b""
