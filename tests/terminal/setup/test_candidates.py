"""Which readers a machine may have, told from what the system shows of it."""

from pathlib import Path

import pytest

from terminal.config import ReaderConfig
from terminal.config_problems import driver_problems
from terminal.setup.candidates import Candidate, Machine, candidates

DIGITS = "fffffffe"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A shop's machine: an RC-S380, an ACR122U, a scanner on a port, a wedge, a power button, a camera of two nodes."""
    files = {
        **usb("sys/bus/usb/devices/1-1", "054c", "06c3"),
        **usb("sys/bus/usb/devices/1-2", "072f", "2200"),
        "dev/serial/by-id/usb-Honeywell_3310": "",
        **node("event3", "Symbol Scanner", "05e0", "1200", DIGITS),
        **node("event4", "Power Button", "0000", "0001", "10000"),
        **node("event5", "AT keyboard", "0000", "0000", DIGITS),
        **camera("video0", "HD Webcam", "0"),
        **camera("video1", "HD Webcam", "1"),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return Machine(tmp_path / "sys", tmp_path / "dev")


def usb(folder: str, vendor: str, product: str) -> dict[str, str]:
    values = {"idVendor": vendor, "idProduct": product, "busnum": "1", "devnum": "2"}
    return {f"{folder}/{name}": value for name, value in values.items()}


def node(name: str, called: str, vendor: str, product: str, keys: str) -> dict[str, str]:
    folder = f"sys/class/input/{name}/device"
    values = {"name": called, "id/vendor": vendor, "id/product": product, "capabilities/key": keys}
    return {f"{folder}/{key}": value for key, value in values.items()}


def camera(name: str, called: str, index: str) -> dict[str, str]:
    return {f"sys/class/video4linux/{name}/{key}": value for key, value in {"name": called, "index": index}.items()}


def drivers(found: list[Candidate]) -> list[str]:
    return [one.reader.driver for one in found]


def test_every_device_that_may_be_a_reader_is_offered(machine: Machine) -> None:
    """Once each, with options that its driver takes; no power button, no camera twice, what pcscd has left to pcscd."""
    found = candidates((), machine)
    assert drivers(found) == ["pcsc", "contactless", "serial_line", "keyboard_wedge", "camera", "simulated"]
    assert found[1].reader.options == {"path": "usb:054c:06c3"}
    assert found[3].reader.options == {"usb": "05e0:1200"}
    for one in found:
        assert driver_problems(one.reader.driver, one.reader.options, "f") == []


def test_nothing_is_chosen_by_itself_that_people_type_or_are_seen_by(machine: Machine) -> None:
    """A grabbed keyboard locks its user out; a camera looks at people."""
    likely = {one.reader.driver for one in candidates((), machine) if one.likely}
    assert likely == {"pcsc", "contactless", "serial_line"}


def test_what_was_set_up_comes_first_and_keeps_its_name(machine: Machine) -> None:
    """The same device is not offered again under another name; names stay unique."""
    port = str(machine.dev / "serial/by-id/usb-Honeywell_3310")
    was = (ReaderConfig("till-scanner", "serial_line", {"port": port}), ReaderConfig("pcsc", "pcsc", {"match": "ACR"}))
    found = candidates(was, machine)
    assert tuple(one.reader for one in found[:2]) == was
    assert "match = ACR" in found[1].what
    names = [one.reader.name for one in found]
    assert names == ["till-scanner", "pcsc", "pcsc-2", "nfc", "keys", "camera", "simulated"]


def test_each_of_many_devices_has_a_name_of_its_own(machine: Machine) -> None:
    """Numbered from the second on, past the names that are taken."""
    for number in range(2, 5):
        (machine.dev / f"serial/by-id/usb-Honeywell_{number}").write_text("")
    was = (ReaderConfig("scanner-2", "serial_line", {"port": "/dev/ttyS0"}),)
    names = [one.reader.name for one in candidates(was, machine) if one.reader.driver == "serial_line"]
    assert names == ["scanner-2", "scanner", "scanner-3", "scanner-4", "scanner-5"]


def test_a_bare_machine_offers_what_needs_no_device(tmp_path: Path) -> None:
    """And what is read as soon as it is plugged in."""
    assert drivers(candidates((), Machine(tmp_path, tmp_path))) == ["pcsc", "simulated"]
