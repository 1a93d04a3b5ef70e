"""Which readers this machine may have, by what the system tells every user: nothing is opened to look."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from drivers.input_nodes import keyboards
from drivers.usb_readers import readers_at
from terminal.config import ReaderConfig

PCSCD_HAS: Final = (0x072F, 0x2200)
"""ACR122U: nfcpy knows it too, and pcscd reads it better."""


class Candidate(NamedTuple):
    """A reader that could be set up. `what` is the device in words; `likely` where it is surely meant for cards."""

    reader: ReaderConfig
    what: str
    likely: bool


class Machine(NamedTuple):
    """Where the system shows its devices."""

    sysfs: Path = Path("/sys")
    dev: Path = Path("/dev")


def candidates(configured: Iterable[ReaderConfig], machine: Machine) -> list[Candidate]:
    """First those of the config that was there, then what the machine shows and the config has not."""
    known = [Candidate(one, _what(one), likely=True) for one in configured]
    taken = {one.reader.name for one in known}
    for one in _found(machine):
        if any((one.reader.driver, one.reader.options) == (it.reader.driver, it.reader.options) for it in known):
            continue
        name = _free(one.reader.name, taken)
        taken.add(name)
        known.append(one._replace(reader=ReaderConfig(name, one.reader.driver, one.reader.options)))
    return known


def _found(machine: Machine) -> Iterator[Candidate]:
    yield _candidate("pcsc", "pcsc", "every smart-card and contactless reader that pcscd knows", likely=True)
    for usb in readers_at("usb", machine.sysfs / "bus/usb/devices"):
        if (usb.vendor, usb.product) != PCSCD_HAS:
            path = f"usb:{usb.vendor:04x}:{usb.product:04x}"
            yield _candidate("nfc", "contactless", usb.name, likely=True, path=path)
    for port in sorted((machine.dev / "serial/by-id").glob("*")):
        yield _candidate("scanner", "serial_line", f"a device on {port.name}", likely=True, port=str(port))
    for node in keyboards(machine.sysfs / "class/input", machine.dev / "input"):
        if node.usb.strip("0:"):
            what = f"{node.name}: a scanner in keyboard mode? never choose a keyboard"
            yield _candidate("keys", "keyboard_wedge", what, likely=False, usb=node.usb)
    for camera in sorted((machine.sysfs / "class/video4linux").glob("video*")):
        if _first_of_its_camera(camera):
            name, source = _text(camera / "name"), str(machine.dev / camera.name)
            yield _candidate("camera", "camera", f"the camera {name}", likely=False, source=source)
    yield _candidate("simulated", "simulated", "no device: for training, by `tilld tap CARD`", likely=False)


def _candidate(name: str, driver: str, what: str, *, likely: bool, **options: Any) -> Candidate:
    return Candidate(ReaderConfig(name, driver, options), what, likely)


def _what(reader: ReaderConfig) -> str:
    options = ", ".join(f"{key} = {value}" for key, value in reader.options.items())
    return f"of the config that was there{f': {options}' if options else ''}"


def _free(name: str, taken: set[str]) -> str:
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(one for one in numbered if one not in taken)


def _first_of_its_camera(entry: Path) -> bool:
    """A camera has a second node for its metadata (linux, uvcvideo)."""
    return _text(entry / "index") in {"0", ""}


def _text(file: Path) -> str:
    """ "" when the device has gone meanwhile."""
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""
