"""Cameras: those that there are, and those that readers want."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from terminal.doctor.devices import Device, Trio, examined, wanted
from terminal.doctor.findings import Check, Finding, Who
from terminal.doctor.patient import Patient

DEVICE: Final = Check("cameras.device", "The reader's camera is there", "Plug it in; ls -l /dev/v4l/by-id", Who.CASHIER)
ACCESS: Final = Check(
    "cameras.access",
    "The daemon's user may open the camera",
    "sudo usermod -aG video tilld; sudo systemctl restart tilld",
    Who.ROOT,
)
ALONE: Final = Check("cameras.alone", "No other program has the camera open", "sudo fuser -v /dev/video0", Who.ROOT)
CHECKS: Final = (DEVICE, ACCESS, ALONE)
TRIO: Final = Trio(DEVICE, ACCESS, ALONE)


def look(patient: Patient) -> Iterator[Finding]:
    seen, none = cameras(patient), True
    for reader, source in wanted(patient, "camera", "source"):
        none = False
        if "://" in source:
            yield DEVICE.unknown(f"{source.partition('://')[0]}: an address is tried by the reader itself", reader.name)
        else:
            number = source or "0"
            path = Path(f"/dev/video{number}" if number.isdecimal() else number)
            yield from examined(patient, Device(reader.name, path), TRIO, seen)
    if none:
        yield DEVICE.ok(f"no reader wants one; there is {', '.join(seen) or 'none'}")


def cameras(patient: Patient) -> list[str]:
    """`/dev/video0 (name)` each, as the kernel knows them."""
    found = []
    for entry in patient.machine.glob("/sys/class/video4linux/video*"):
        name = patient.machine.word(f"/sys/class/video4linux/{entry.name}/name")
        found.append(f"/dev/{entry.name} ({name or 'no name'})")
    return found
