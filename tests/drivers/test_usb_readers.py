"""Why an NFC reader on USB does not open, told from folders made to look like the kernel's."""

from pathlib import Path

import pytest

from drivers.base import ReaderAbsent, ReaderForbidden, ReaderHeld
from drivers.usb_readers import is_usb_path, kernel_driver, readers_at, trouble_with

RCS380 = (0x054C, 0x06C3)
ACR122U = (0x072F, 0x2200)


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    folder = tmp_path / "devices"
    folder.mkdir()
    return folder


def plugged(sysfs: Path, port: str, model: tuple[int, int], number: int, driver: str | None = None) -> None:
    """As linux shows a USB device with one interface (Documentation/ABI/testing/sysfs-bus-usb)."""
    device = sysfs / port
    interface = device / f"{port}:1.0"
    interface.mkdir(parents=True)
    for name, value in (("idVendor", f"{model[0]:04x}"), ("idProduct", f"{model[1]:04x}")):
        (device / name).write_text(value + "\n")
    for name, value in (("busnum", "1"), ("devnum", str(number))):
        (device / name).write_text(value + "\n")
    if driver:
        (sysfs.parent / "drivers" / driver).mkdir(parents=True, exist_ok=True)
        (interface / "driver").symlink_to(sysfs.parent / "drivers" / driver)


def node(tmp_path: Path, number: int) -> Path:
    (tmp_path / "nodes" / "001").mkdir(parents=True, exist_ok=True)
    path = tmp_path / "nodes" / "001" / f"{number:03d}"
    path.touch()
    return path


def test_readers_are_found_by_what_nfcpy_calls_them(sysfs: Path) -> None:
    """All, by vendor and product, or by bus and number; keyboards are none."""
    plugged(sysfs, "1-1", RCS380, 4)
    plugged(sysfs, "1-2.3", ACR122U, 5)
    plugged(sysfs, "1-4", (0x046D, 0xC31C), 6)
    assert [reader.number for reader in readers_at("usb", sysfs)] == [4, 5]
    assert [reader.number for reader in readers_at("usb:072f", sysfs)] == [5]
    assert [reader.number for reader in readers_at("usb:054C:06C3", sysfs)] == [4]
    assert [reader.number for reader in readers_at("usb:001:005", sysfs)] == [5]
    assert readers_at("usb:002", sysfs) == []
    assert not is_usb_path("usb:72f:2200x")


@pytest.mark.parametrize(("driver", "model"), [("port100", RCS380), ("pn533_usb", ACR122U)])
def test_a_kernel_driver_that_has_the_reader_is_named_with_its_remedy(
    sysfs: Path, driver: str, model: tuple[int, int]
) -> None:
    """The technician types what is printed there."""
    plugged(sysfs, "1-1", model, 4, driver)
    trouble = trouble_with("usb", sysfs)
    assert isinstance(trouble, ReaderHeld)
    assert driver in str(trouble)
    assert trouble.condition.remedy is not None
    assert f"modprobe -r {driver}" in trouble.condition.remedy


def test_a_program_that_has_the_reader_is_said_so(sysfs: Path, tmp_path: Path) -> None:
    """usbfs is the kernel's word for any program; pcscd is the usual one."""
    plugged(sysfs, "1-1", ACR122U, 4, "usbfs")
    node(tmp_path, 4)
    trouble = trouble_with("usb", sysfs, tmp_path / "nodes")
    assert isinstance(trouble, ReaderHeld)
    assert "ACR122U" in str(trouble)
    assert trouble.condition.remedy is not None
    assert "pcsc" in trouble.condition.remedy


def test_a_reader_that_this_user_may_not_open_is_forbidden(sysfs: Path, tmp_path: Path) -> None:
    """No node that can be written to: our udev rules give it to the group tilld."""
    plugged(sysfs, "1-1", RCS380, 4)
    trouble = trouble_with("usb", sysfs, tmp_path / "nodes")
    assert isinstance(trouble, ReaderForbidden)
    assert trouble.condition.remedy is not None
    assert "70-tilld.rules" in trouble.condition.remedy


def test_a_reader_that_nobody_has_does_not_answer(sysfs: Path, tmp_path: Path) -> None:
    """What is left when nothing else explains it."""
    plugged(sysfs, "1-1", RCS380, 4)
    node(tmp_path, 4)
    assert "does not answer" in str(trouble_with("usb", sysfs, tmp_path / "nodes"))


def test_no_reader_is_absent(sysfs: Path) -> None:
    """Also where the kernel has no USB at all."""
    assert isinstance(trouble_with("usb", sysfs), ReaderAbsent)
    assert isinstance(trouble_with("usb", sysfs / "none"), ReaderAbsent)


def test_a_device_that_is_being_unplugged_is_passed_over(sysfs: Path) -> None:
    """Its files vanish one by one."""
    plugged(sysfs, "1-1", RCS380, 4)
    (sysfs / "1-1" / "devnum").unlink()
    assert readers_at("usb", sysfs) == []
    assert kernel_driver(sysfs / "1-1") is None
