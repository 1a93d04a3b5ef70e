"""Whose a device is: the processes that have it open, the kernel driver that is bound to it, who may open it."""

import errno
import grp
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from drivers.base import DriverError, ReaderAbsent, ReaderForbidden, ReaderHeld

PROCESSES: Final = Path("/proc")

_GONE: Final = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO, errno.ENOTDIR})


def opened(path: str) -> int:
    """A file descriptor of a character device. Raises ReaderAbsent, ReaderForbidden, ReaderHeld or DriverError."""
    try:
        return os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError as error:
        raise forbidden(path) from error
    except OSError as error:
        if error.errno in _GONE:
            raise ReaderAbsent(f"there is no device at {path}", "plug it in; `ls /dev/serial/by-id`") from error
        if error.errno == errno.EBUSY:
            raise ReaderHeld(f"another program keeps {path} to itself", "end it") from error
        raise DriverError(f"{path} does not open: {error.strerror}", "unplug it and plug it in again") from error


def forbidden(path: str) -> ReaderForbidden:
    """With the remedy that fits the device's group."""
    group = group_of(path)
    remedy = "sudo cp udev/70-tilld.rules /etc/udev/rules.d/ && sudo udevadm control --reload, then plug it in again"
    if group not in (None, "root"):
        remedy = f"sudo usermod -aG {group} tilld (or your own user), then log in anew or restart tilld"
    return ReaderForbidden(f"this user may not open {path}", remedy)


def group_of(path: str) -> str | None:
    """The name of the group that may open it."""
    try:
        return grp.getgrgid(Path(path).stat().st_gid).gr_name
    except (OSError, KeyError):
        return None


def holders(path: str, processes: Path = PROCESSES) -> list[str]:
    """Other processes that have the device open, as "name (PID 1)".

    Only root sees the processes of other users, so an empty answer proves nothing.
    """
    try:
        device = Path(path).stat()
    except OSError:
        return []
    if not stat.S_ISCHR(device.st_mode):
        return []
    own = str(os.getpid())
    return [
        f"{name_of(process)} (PID {process.name})"
        for process in processes.glob("[0-9]*")
        if process.name != own and device.st_rdev in _open_devices(process)
    ]


def name_of(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a process"


def kernel_driver(usb_device: Path) -> str | None:
    """The driver that has taken an interface of the USB device with this sysfs folder; usbfs stands for programs."""
    for interface in sorted(usb_device.glob(f"{usb_device.name}:*")):
        if (interface / "driver").exists():
            return (interface / "driver").resolve().name
    return None


def _open_devices(process: Path) -> Iterator[int]:
    """Device numbers; none of a process that has ended or is another user's."""
    try:
        links = list((process / "fd").iterdir())
    except OSError:
        return
    for link in links:
        try:
            found = link.stat()
        except OSError:  # closed meanwhile, or a socket of another namespace
            continue
        if stat.S_ISCHR(found.st_mode):
            yield found.st_rdev
