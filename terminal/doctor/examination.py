"""Runs the sections: each in its own thread with its own deadline, so that none that breaks or hangs hides another."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from terminal.doctor.findings import Check, Finding, Section, Who, section_of
from terminal.doctor.patient import Patient

AT_ONCE: Final = 4
"""Most of them wait; a small machine has four cores."""

BROKE: Final = Check(
    "doctor.broke",
    "The section could be examined",
    "Send the bundle: tilld doctor --bundle /tmp/tilld.tar.gz",
    Who.TECHNICIAN,
)
HUNG: Final = Check(
    "doctor.hung",
    "The section was examined in time",
    "Look at the device or mount that it names: a disk, network drive or reader that never answers. dmesg | tail",
    Who.TECHNICIAN,
)
CHECKS: Final = (BROKE, HUNG)

Look = Callable[[Patient], Iterator[Finding]]


class Part(NamedTuple):
    """A section: its name, what looks, all that it may find, and how many seconds it may take."""

    name: str
    look: Look
    checks: tuple[Check, ...]
    deadline_s: float = 10.0


class Examination:
    """Remembers which sections still hang, so that examining again and again piles up no threads."""

    def __init__(self) -> None:
        self._hanging: dict[str, threading.Thread] = {}

    def sections(self, parts: Sequence[Part], patient: Patient) -> Iterator[Section]:
        """In the order of `parts`, each as soon as it and those before it are there."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="doctor") as pool:
            yield from pool.map(lambda part: self.section(part, patient), parts)

    def section(self, part: Part, patient: Patient) -> Section:
        """What was found before a section broke or its time was over stays."""
        began, found = time.monotonic(), list[Finding]()
        earlier = self._hanging.get(part.name)
        if earlier is not None and earlier.is_alive():
            return section_of(part.name, 0, [_of(part, HUNG, "it still hangs since an examination before")])
        thread = threading.Thread(target=_look, args=(part, patient, found), name=f"doctor {part.name}", daemon=True)
        thread.start()
        thread.join(part.deadline_s)
        told = found.copy()
        if thread.is_alive():
            self._hanging[part.name] = thread
            told.append(_of(part, HUNG, f"it did not end within {part.deadline_s:g} s"))
        return section_of(part.name, round((time.monotonic() - began) * 1000), told)


def _look(part: Part, patient: Patient, found: list[Finding]) -> None:
    try:
        for finding in part.look(patient):
            found.append(finding)  # noqa: PERF402 - one by one: what was found before it breaks stays
    except Exception as error:  # noqa: BLE001 - whatever breaks a look at broken things is itself a finding
        found.append(_of(part, BROKE, f"{type(error).__name__}: {error}"))


def _of(part: Part, check: Check, evidence: str) -> Finding:
    """About the section itself."""
    finding = check.attention(evidence)
    return Finding(
        part.name, finding.code, finding.what, finding.verdict, finding.evidence, part.name, finding.remedy, finding.who
    )
