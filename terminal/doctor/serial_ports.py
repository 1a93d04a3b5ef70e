"""Serial ports: those that there are, those that readers want, and the programs that take them away."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from drivers.contactless import device_of
from drivers.usb_readers import is_usb_path
from terminal.doctor.account import processes, sees_others
from terminal.doctor.devices import Device, Trio, examined, wanted
from terminal.doctor.findings import Check, Finding, Who
from terminal.doctor.patient import Patient

PORT: Final = Check("serial.port", "The reader's port is there", "Plug it in; ls -l /dev/serial/by-id", Who.CASHIER)
ACCESS: Final = Check(
    "serial.access",
    "The daemon's user may open the port",
    "sudo cp udev/71-tilld-scanners.rules /etc/udev/rules.d/; sudo udevadm control --reload; sudo udevadm trigger",
    Who.ROOT,
)
ALONE: Final = Check("serial.alone", "No other program has the port open", "sudo fuser -v PORT", Who.ROOT)
THIEVES: Final = Check(
    "serial.thieves",
    "No program runs that takes every new port for its own kind of device",
    "sudo apt-get purge brltty",
    Who.ROOT,
)
CHECKS: Final = (PORT, ACCESS, ALONE, THIEVES)
TRIO: Final = Trio(PORT, ACCESS, ALONE)

PURGES: Final = {
    "brltty": "sudo apt-get purge brltty",
    "ModemManager": "sudo systemctl disable --now ModemManager",
}
"""brltty takes CH340 and CP210x adapters for braille displays; ModemManager sends to each new port."""


def look(patient: Patient) -> Iterator[Finding]:
    seen = ports(patient)
    devices = list(chosen(patient))
    for device in devices:
        yield from examined(patient, device, TRIO, seen)
    by_usb = [reader.name for reader, port in wanted(patient, "serial_line", "port") if not port]
    for name in by_usb:
        yield PORT.ok("found by its VID:PID; its state is in the section readers", name)
    if not devices and not by_usb:
        yield PORT.ok(f"no reader wants one; there is {', '.join(seen) or 'none'}")
        return
    yield thieves(patient)


def ports(patient: Patient) -> list[str]:
    """By their lasting names, else as the kernel calls those of USB."""
    lasting = patient.machine.glob("/dev/serial/by-id/*")
    names = lasting or [*patient.machine.glob("/dev/ttyUSB*"), *patient.machine.glob("/dev/ttyACM*")]
    return [path.name if not lasting else f"/dev/serial/by-id/{path.name}" for path in names]


def chosen(patient: Patient) -> Iterator[Device]:
    """Ports that the config names."""
    for reader, port in wanted(patient, "serial_line", "port"):
        if port:
            yield Device(reader.name, Path(port))
    for reader, path in wanted(patient, "contactless", "path"):
        device = None if is_usb_path(path or "usb") else device_of(path)
        if device is not None:
            yield Device(reader.name, Path(device))


def thieves(patient: Patient) -> Finding:
    if not sees_others(patient.machine):
        return THIEVES.unknown("the processes of other users are hidden from this one")
    ignores = bool(patient.machine.glob("/etc/udev/rules.d/*tilld-scanners.rules"))
    return taken_by(processes(patient.machine, PURGES), modems_ignored=ignores)


def taken_by(found: dict[str, int], *, modems_ignored: bool) -> Finding:
    """Pure. Our rules keep ModemManager off the scanners that they list."""
    names = [name for name in found if name != "ModemManager" or not modems_ignored]
    if not names:
        return THIEVES.ok("neither brltty nor ModemManager")
    remedy = "; ".join(PURGES[name] for name in names)
    return THIEVES.attention(", ".join(f"{name} (process {found[name]})" for name in names), remedy=remedy)
