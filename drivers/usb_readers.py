"""NFC readers on USB that speak no CCID: which there are, and why one of them does not open. Reads sysfs only."""

import os
import re
from pathlib import Path
from typing import Final, NamedTuple

from drivers.base import DriverError, ReaderAbsent, ReaderForbidden, ReaderHeld
from drivers.device_node import holders

SYSFS: Final = Path("/sys/bus/usb/devices")
NODES: Final = Path("/dev/bus/usb")

MODELS: Final = {
    (0x054C, 0x0193): "Sony PN531",
    (0x04CC, 0x0531): "NXP PN531",
    (0x04CC, 0x2533): "NXP PN533",
    (0x04E6, 0x5591): "SCM SCL3711",
    (0x04E6, 0x5593): "SCM SCL3712",
    (0x054C, 0x02E1): "Sony RC-S330/360/370",
    (0x054C, 0x06C1): "Sony RC-S380/S",
    (0x054C, 0x06C3): "Sony RC-S380/P",
    (0x072F, 0x2200): "ACS ACR122U",
}
"""By vendor and product: what nfcpy 1.0.4 has a driver for (nfc/clf/device.py)."""

_PROGRAMS: Final = "usbfs"
"""The kernel's name for a program that has claimed the interface."""
_LEAVE_TO_PCSCD: Final = 'end it; a reader that pcscd has is read with driver = "pcsc"'
_PERMISSION: Final = (
    "sudo cp udev/70-tilld.rules /etc/udev/rules.d/ && sudo udevadm control --reload, put the daemon's user into the "
    "group tilld, then plug the reader in again"
)
_WANTED: Final = re.compile(
    r"usb(?::(?P<vendor>[0-9a-fA-F]{4})(?::(?P<product>[0-9a-fA-F]{4}))?|:(?P<bus>[0-9]{1,3})(?::(?P<number>[0-9]{1,3}))?)?"
)
"""nfcpy's own way to name a reader: usb, usb:054c:06c3 or usb:001:023."""


class UsbReader(NamedTuple):
    """`folder` is its place in sysfs; `node()` the file that programs open."""

    folder: Path
    vendor: int
    product: int
    bus: int
    number: int

    @property
    def name(self) -> str:
        model = MODELS[self.vendor, self.product]
        return f"{model} ({self.vendor:04x}:{self.product:04x})"

    def node(self, nodes: Path) -> Path:
        return nodes / f"{self.bus:03d}" / f"{self.number:03d}"


def is_usb_path(path: str) -> bool:
    return _WANTED.fullmatch(path) is not None


def readers_at(path: str, sysfs: Path = SYSFS) -> list[UsbReader]:
    """Those that are plugged in and fit a path of nfcpy's; in the order of their ports."""
    wanted = _WANTED.fullmatch(path)
    if wanted is None:
        return []
    asked = {key: int(value, 16 if key in {"vendor", "product"} else 10) for key, value in _given(wanted)}
    found = [_reader(folder) for folder in sorted(sysfs.glob("*-*")) if ":" not in folder.name]
    return [one for one in found if one and all(getattr(one, key) == value for key, value in asked.items())]


def trouble_with(path: str, sysfs: Path = SYSFS, nodes: Path = NODES) -> DriverError:
    """Why the reader at `path` did not open, the cause that can be mended first."""
    readers = readers_at(path, sysfs)
    if not readers:
        return ReaderAbsent(f"no NFC reader on {path}", "plug it in; `lsusb` shows it when the cable is good")
    reader = readers[0]
    driver, node = kernel_driver(reader.folder), reader.node(nodes)
    if driver not in (None, _PROGRAMS):
        remedy = (
            f"sudo cp udev/tilld-blacklist.conf /etc/modprobe.d/tilld.conf && sudo modprobe -r {driver} && "
            "sudo udevadm control --reload, then plug the reader in again"
        )
        return ReaderHeld(f"the kernel's driver {driver} has taken the {reader.name}", remedy)
    if not os.access(node, os.R_OK | os.W_OK):
        return ReaderForbidden(f"this user may not open the {reader.name} at {node}", _PERMISSION)
    names = ", ".join(f"{holder.name} (process {holder.pid})" for holder in holders(node))
    if names or driver == _PROGRAMS:
        return ReaderHeld(f"the {reader.name} is in use by {names or 'another program'}", _LEAVE_TO_PCSCD)
    return DriverError(f"the {reader.name} does not answer", "unplug it and plug it in again")


def kernel_driver(usb_device: Path) -> str | None:
    """The driver that has taken an interface of the device with this sysfs folder."""
    for interface in sorted(usb_device.glob(f"{usb_device.name}:*")):
        if (interface / "driver").exists():
            return (interface / "driver").resolve().name
    return None


def _given(wanted: re.Match[str]) -> list[tuple[str, str]]:
    return [(key, value) for key, value in wanted.groupdict().items() if value is not None]


def _reader(folder: Path) -> UsbReader | None:
    """None for any other device, or one that is being unplugged."""
    try:
        vendor, product = (int((folder / name).read_text(), 16) for name in ("idVendor", "idProduct"))
        bus, number = (int((folder / name).read_text()) for name in ("busnum", "devnum"))
    except (OSError, ValueError):
        return None
    return UsbReader(folder, vendor, product, bus, number) if (vendor, product) in MODELS else None
