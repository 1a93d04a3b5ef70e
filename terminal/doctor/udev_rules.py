"""The device rules that tilld ships, held against those that are installed."""

from collections.abc import Iterator
from typing import Final

from drivers.usb_readers import is_usb_path
from terminal.doctor import shipped
from terminal.doctor.findings import Check, Finding, Who
from terminal.doctor.patient import Patient

RULES: Final = Check(
    "udev.rules",
    "The device rules for the configured readers are installed as shipped",
    "sudo install -m 644 udev/70-tilld.rules /etc/udev/rules.d/; sudo udevadm control --reload; sudo udevadm trigger",
    Who.ROOT,
)
CHECKS: Final = (RULES,)

INSTALLED: Final = ("/etc/udev/rules.d", "/run/udev/rules.d", "/usr/local/lib/udev/rules.d", "/usr/lib/udev/rules.d")
SCANNERS: Final = ("serial_line", "keyboard_wedge")


def look(patient: Patient) -> Iterator[Finding]:
    source = shipped.folder()
    wanted = needed(patient)
    if not wanted:
        yield RULES.ok("no reader needs any")
    for name in wanted:
        ours = None if source is None else (source / name).read_text()
        yield compared(name, ours, installed(patient, name))


def needed(patient: Patient) -> list[str]:
    """The files of udev/ for the readers of the config."""
    paths = [str(r.options.get("path", "usb")) for r in patient.config.readers if r.driver == "contactless"]
    usb = ["70-tilld.rules"] if any(is_usb_path(path) for path in paths) else []
    scanners = ["71-tilld-scanners.rules"] if patient.uses(*SCANNERS) else []
    return [*usb, *scanners, *(["72-tilld-cameras.rules"] if patient.uses("camera") else [])]


def installed(patient: Patient, name: str) -> tuple[str, str] | None:
    """Folder and text of the one that counts: the first of that name (udev(7))."""
    for folder in INSTALLED:
        text = patient.machine.word(f"{folder}/{name}")
        if text is not None:
            return folder, text
    return None


def compared(name: str, ours: str | None, found: tuple[str, str] | None) -> Finding:
    """Pure. Rules that were changed are somebody's wish, and are only told."""
    remedy = f"{shipped.install(name, f'/etc/udev/rules.d/{name}')}; {_RELOAD}"
    if found is None:
        return RULES.attention(
            "not installed: the reader is found only with groups of Debian's own", name, remedy=remedy
        )
    folder, text = found
    if ours is None:
        return RULES.unknown(f"{folder}: the shipped ones are not here to compare", name)
    if rules_of(text) == rules_of(ours):
        return RULES.ok(folder, name)
    return RULES.attention(f"{folder}: other rules than this version ships", name, remedy=remedy)


_RELOAD: Final = "sudo udevadm control --reload; sudo udevadm trigger"


def rules_of(text: str) -> list[str]:
    """Pure: without comments and empty lines (udev(7))."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
