"""Listens to the kernel and to udev for devices that have come, so that an absent reader is tried at once.

Where nobody may listen, the supervisors' own attempts stay: every 15 s at the latest.
"""

import logging
import os
import select
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Final

from terminal.readers.uevents import LONGEST, parse

KOBJECT_UEVENT: Final = 15
"""NETLINK_KOBJECT_UEVENT of linux/netlink.h."""
KERNEL, UDEV = 1, 2
"""Multicast groups, as bits. udev's word comes after its rules, so it tells of the device's group and links too."""
SETTLE_S: Final = 0.3
"""One plug is announced many times: for the device, its interfaces and its nodes."""
STOP_S: Final = 5.0

_log = logging.getLogger(__name__)


def announcements() -> socket.socket:
    """Raises OSError where this process may not listen."""
    listening = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, KOBJECT_UEVENT)
    try:
        listening.bind((0, KERNEL | UDEV))
    except OSError:
        listening.close()
        raise
    return listening


class Hotplug:
    """Each of `on_arrival` is called from its thread, once for all that comes within SETTLE_S."""

    def __init__(
        self, on_arrival: Sequence[Callable[[], None]], listen: Callable[[], socket.socket] = announcements
    ) -> None:
        self._on_arrival, self._listen = on_arrival, listen
        self._stop = os.eventfd(0, os.EFD_CLOEXEC)
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Without permission to listen it does nothing, and says so in the log."""
        try:
            source = self._listen()
        except OSError as error:
            _log.info("devices that are plugged in are not announced to the till (%s): it looks for itself", error)
            return
        self._thread = threading.Thread(target=self._run, args=(source,), name="hotplug", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread. Once."""
        os.eventfd_write(self._stop, 1)
        if self._thread is not None:
            self._thread.join(STOP_S)
        os.close(self._stop)

    def _run(self, source: socket.socket) -> None:
        with source:
            while self._ready(source, None):
                if not _arrival(source):
                    continue
                # Further announcements are of the same plug; what comes too late for it is the next.
                select.select([self._stop], [], [], SETTLE_S)
                while self._ready(source, 0):
                    _arrival(source)
                for told in self._on_arrival:
                    told()

    def _ready(self, source: socket.socket, patience_s: float | None) -> bool:
        """False when nothing has come, or at the end."""
        ready, _, _ = select.select([source.fileno(), self._stop], [], [], patience_s)
        return source.fileno() in ready and self._stop not in ready


def _arrival(source: socket.socket) -> bool:
    """Takes one message; whether a device that may be a reader has come."""
    try:
        message, sender = source.recvfrom(LONGEST)
    except OSError:
        return True  # ENOBUFS: so many came that some are lost; one look too many does no harm
    # Only root may speak to a group; a message to this socket alone is any user's.
    if isinstance(sender, tuple) and not sender[1]:
        return False
    event = parse(message)
    return event is not None and event.may_be_reader
