"""Devices that are plugged in: what the kernel and udev say of them, and who is told."""

import os
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.readers.hotplug import Hotplug, announcements
from terminal.readers.uevents import Uevent, parse

KERNEL = (
    b"add@/devices/pci0000:00/0000:00:14.0/usb1/1-2\0ACTION=add\0DEVPATH=/devices/pci0000:00/0000:00:14.0/usb1/1-2\0"
    b"SUBSYSTEM=usb\0MAJOR=189\0MINOR=6\0DEVNAME=bus/usb/001/007\0DEVTYPE=usb_device\0PRODUCT=72f/2200/100\0SEQNUM=4121\0"
)
PAIRS = b"ACTION=add\0DEVPATH=/devices/usb1/1-2/ttyUSB0\0SUBSYSTEM=tty\0DEVNAME=/dev/ttyUSB0\0TAGS=:systemd:\0"
UDEV = b"libudev\0" + struct.pack(">I", 0xFEEDCAFE) + struct.pack("=III4xIII", 40, 40, len(PAIRS), 0, 0, 0) + PAIRS
PATIENCE_S = 30.0


def test_both_voices_are_understood() -> None:
    """The kernel's own message, and udev's with its header."""
    assert parse(KERNEL) == Uevent("add", "usb")
    assert parse(UDEV) == Uevent("add", "tty")


@pytest.mark.parametrize(
    ("event", "worth"),
    [
        (Uevent("add", "hidraw"), True),
        (Uevent("bind", "usb"), True),
        (Uevent("remove", "usb"), False),
        (Uevent("change", "tty"), False),
        (Uevent("add", "net"), False),
    ],
)
def test_what_is_worth_a_look(event: Uevent, worth: bool) -> None:
    """A device that has come and that a reader may be."""
    assert event.may_be_reader is worth


@given(st.binary(max_size=300))
def test_no_message_breaks_the_parser(message: bytes) -> None:
    """Whatever comes, with or without a header."""
    for begun in (message, b"libudev\0" + message, UDEV[:12] + message, KERNEL[:60] + message):
        assert parse(begun) is None or isinstance(parse(begun), Uevent)


@given(st.integers(0, len(UDEV)), st.integers(0, len(UDEV) - 1), st.integers(0, 255))
def test_a_cut_or_changed_message_is_harmless(length: int, place: int, byte: int) -> None:
    """Lengths that lie point nowhere."""
    changed = bytearray(UDEV[:length])
    if place < length:
        changed[place] = byte
    found = parse(bytes(changed))
    assert found is None or (found.action and found.subsystem)


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The kernel's end and ours."""
    kernel, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with kernel:
        yield kernel, ours


def test_a_plug_is_told_once(line: tuple[socket.socket, socket.socket]) -> None:
    """The many announcements of one device are one arrival; what has left, and noise, are none."""
    kernel, ours = line
    told, calls = threading.Event(), []

    def arrived() -> None:
        calls.append(1)
        told.set()

    hotplug = Hotplug([arrived], lambda: ours)
    for message in (b"", b"noise", KERNEL.replace(b"add", b"remove"), KERNEL, KERNEL, UDEV):
        kernel.send(message)
    hotplug.start()
    assert told.wait(PATIENCE_S)
    hotplug.stop()
    assert calls == [1]


def test_without_permission_the_till_looks_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    """It starts and stops all the same."""

    def forbidden() -> socket.socket:
        raise PermissionError("not here")

    with caplog.at_level("INFO"):
        hotplug = Hotplug([], forbidden)
        hotplug.start()
        hotplug.stop()
    assert "looks for itself" in caplog.text


def test_the_real_kernel_is_heard() -> None:
    """Root may ask the kernel to announce a device again: the real socket, the real message."""
    again = next(iter(sorted(Path("/sys/class/tty").glob("*/uevent"))), None)
    if again is None or not os.access(again, os.W_OK):
        pytest.skip("the kernel announces nothing to us here")
    told = threading.Event()
    hotplug = Hotplug([told.set], announcements)
    hotplug.start()
    try:
        again.write_text("add")
        assert told.wait(PATIENCE_S)
    finally:
        hotplug.stop()
