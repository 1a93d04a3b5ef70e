"""Kernel drivers that take NFC readers away from pcscd and tilld."""

from collections.abc import Iterator
from typing import Final

from terminal.doctor import shipped
from terminal.doctor.findings import Check, Finding, Who
from terminal.doctor.patient import Patient

LOADED: Final = Check(
    "kernel.loaded",
    "No driver of the kernel holds an NFC reader",
    "sudo modprobe -r pn533_usb port100; sudo udevadm control --reload",
    Who.ROOT,
)
BLACKLIST: Final = Check(
    "kernel.blacklist",
    "The kernel is told to leave NFC readers alone",
    "sudo install -m 644 udev/tilld-blacklist.conf /etc/modprobe.d/tilld.conf; sudo udevadm control --reload",
    Who.ROOT,
)
CHECKS: Final = (LOADED, BLACKLIST)

THIEVES: Final = ("pn533_usb", "port100")
"""For the ACR122U, SCL3711 and PN533 boards; for Sony's RC-S380 (linux, drivers/nfc)."""
FOLDERS: Final = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")
"""Each with a folder modprobe.d (modprobe.d(5))."""


def look(patient: Patient) -> Iterator[Finding]:
    if not patient.uses("pcsc", "contactless"):
        yield LOADED.ok("no reader is one that they take")
        return
    try:
        yield loaded(modules(patient.machine.text("/proc/modules")))
    except FileNotFoundError:
        yield LOADED.ok("this kernel has no modules")
        return
    yield blacklist(blacklisted("\n".join(told(patient))))


def told(patient: Patient) -> Iterator[str]:
    """What all files of modprobe.d say."""
    for folder in FOLDERS:
        for file in patient.machine.glob(f"{folder}/modprobe.d/*.conf"):
            yield patient.machine.word(f"{folder}/modprobe.d/{file.name}") or ""


def modules(text: str) -> frozenset[str]:
    """Pure: names in /proc/modules (proc(5)), which are those of lsmod."""
    return frozenset(line.split()[0] for line in text.splitlines() if line.split())


def blacklisted(text: str) -> frozenset[str]:
    """Pure: modules that modprobe.d(5) keeps from loading by themselves; `-` and `_` are the same there."""
    lines = [line.split() for line in text.splitlines()]
    barred = {words[1] for words in lines if len(words) > 1 and words[0] == "blacklist"}
    barred |= {words[1] for words in lines if len(words) > 2 and words[0] == "install" and words[2].endswith(_NOTHING)}
    return frozenset(name.replace("-", "_") for name in barred)


_NOTHING: Final = ("/true", "/false")


def loaded(found: frozenset[str]) -> Finding:
    """Pure."""
    held = [name for name in THIEVES if name in found]
    return LOADED.broken(f"{', '.join(held)} is loaded") if held else LOADED.ok(f"neither {' nor '.join(THIEVES)}")


def blacklist(found: frozenset[str]) -> Finding:
    """Pure."""
    free = [name for name in THIEVES if name not in found]
    if not free:
        return BLACKLIST.ok(", ".join(THIEVES))
    remedy = f"{shipped.install('tilld-blacklist.conf', '/etc/modprobe.d/tilld.conf')}; sudo udevadm control --reload"
    evidence = f"nothing keeps {', '.join(free)} from loading when a reader is plugged in"
    return BLACKLIST.attention(evidence, remedy=remedy)
