"""Every section of an examination, in the order in which they are shown."""

from typing import Final

from terminal.doctor import examination, journal, readers, till
from terminal.doctor.examination import Part
from terminal.doctor.findings import Check

PARTS: Final[tuple[Part, ...]] = (
    Part("till", till.look, till.CHECKS),
    Part("readers", readers.look, readers.CHECKS, 30.0),
    Part("journal", journal.look, journal.CHECKS, 45.0),
)
NAMES: Final = tuple(part.name for part in PARTS)


def every_check() -> tuple[Check, ...]:
    """All that can be found, as docs/doctor.md lists it."""
    return (*examination.CHECKS, *(check for part in PARTS for check in part.checks))


def chosen(name: str | None) -> tuple[Part, ...]:
    """One section, or all. Raises LookupError."""
    found = tuple(part for part in PARTS if name in {None, part.name})
    if not found:
        raise LookupError(f"there is no section {name!r}; there are {', '.join(NAMES)}")
    return found
