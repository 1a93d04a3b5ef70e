"""Every section of an examination, in the order in which they are shown."""

from typing import Final

from terminal.doctor import (
    cameras,
    clock,
    disk,
    examination,
    exposure,
    groups,
    hardware,
    inputs,
    journal,
    kernel,
    ledger_line,
    pcscd,
    polkit,
    readers,
    serial_ports,
    state_files,
    taps,
    till,
    udev_rules,
)
from terminal.doctor.examination import Part
from terminal.doctor.findings import Check, Level

PARTS: Final[tuple[Part, ...]] = (
    Part("till", till.look, till.CHECKS),
    Part("readers", readers.look, readers.CHECKS, 60.0),
    Part("serial", serial_ports.look, serial_ports.CHECKS),
    Part("cameras", cameras.look, cameras.CHECKS),
    Part("inputs", inputs.look, inputs.CHECKS),
    Part("pcscd", pcscd.look, pcscd.CHECKS, 20.0),
    Part("polkit", polkit.look, polkit.CHECKS),
    Part("kernel", kernel.look, kernel.CHECKS),
    Part("groups", groups.look, groups.CHECKS),
    Part("udev", udev_rules.look, udev_rules.CHECKS),
    Part("journal", journal.look, journal.CHECKS, 45.0),
    Part("disk", disk.look, disk.CHECKS),
    Part("state", state_files.look, state_files.CHECKS),
    Part("clock", clock.look, clock.CHECKS),
    Part("ledger", ledger_line.look, ledger_line.CHECKS, 40.0),
    Part("api", exposure.look, exposure.CHECKS),
    Part("machine", hardware.look, hardware.CHECKS),
)
TAPS: Final = "taps"
"""The section of the interactive level, for the command line alone."""
NAMES: Final = tuple(part.name for part in PARTS)


def every_check() -> tuple[Check, ...]:
    """All that can be found, as docs/doctor.md lists it."""
    return (*examination.CHECKS, *(check for part in PARTS for check in part.checks), *taps.CHECKS)


def chosen(name: str | None, level: Level = Level.INTERNAL) -> tuple[Part, ...]:
    """One section, or all; none for TAPS, which a person at the till does after them. Raises LookupError."""
    found = tuple(part for part in PARTS if name in {None, part.name})
    if name == TAPS and level is not Level.INTERACTIVE:
        raise LookupError(f"the section {TAPS} asks for cards: add --level {Level.INTERACTIVE}")
    if not found and name != TAPS:
        raise LookupError(f"there is no section {name!r}; there are {', '.join(NAMES)}")
    return found
