"""Keyboards and what types like one: those that there are, and those that readers want."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from drivers.input_nodes import InputNode, keyboards
from terminal.doctor.devices import Device, Trio, examined, wanted
from terminal.doctor.findings import Check, Finding, Who
from terminal.doctor.patient import Patient

DEVICE: Final = Check(
    "inputs.device",
    "The scanner or stripe reader that types is there",
    "Plug it in, in keyboard mode; ls -l /dev/input/by-id /dev/input/by-path",
    Who.CASHIER,
)
ACCESS: Final = Check(
    "inputs.access",
    "The daemon's user may open it",
    "sudo cp udev/71-tilld-scanners.rules /etc/udev/rules.d/; sudo udevadm control --reload; sudo udevadm trigger",
    Who.ROOT,
)
CHECKS: Final = (DEVICE, ACCESS)
TRIO: Final = Trio(DEVICE, ACCESS)
"""The desktop has every keyboard open; the till takes its own from it by a grab, so others are no fault."""


def look(patient: Patient) -> Iterator[Finding]:
    machine, none = patient.machine, True
    there = keyboards(machine.path("/sys/class/input"), Path("/dev/input"))
    seen = [f"{node.path} ({node.usb} {node.name})" for node in there]
    for reader, device in wanted(patient, "keyboard_wedge", "device"):
        none = False
        usb = str(reader.options.get("usb", ""))
        path = Path(device) if device else only(there, usb)
        if path is None:
            yield DEVICE.broken(
                f"{count(there, usb)} of {usb}; there is {', '.join(seen) or 'no keyboard'}", reader.name
            )
        else:
            yield from examined(patient, Device(reader.name, path), TRIO, seen)
    if none:
        yield DEVICE.ok(f"no reader wants one; there is {', '.join(seen) or 'none'}")


def only(there: list[InputNode], usb: str) -> Path | None:
    """Pure: the one keyboard with this VID:PID, None where there is none or the choice is not clear."""
    found = [node.path for node in there if node.usb == usb]
    return found[0] if len(found) == 1 else None


def count(there: list[InputNode], usb: str) -> str:
    """Pure."""
    found = sum(node.usb == usb for node in there)
    return "no keyboard" if not found else f"{found} keyboards, say which with `device`:"
