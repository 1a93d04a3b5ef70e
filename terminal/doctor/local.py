"""An examination from the command line: what the running till says of itself, and what can be seen beside it."""

import http.client
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec

from offline_queue.config_file import ConfigUnusable, Problem
from terminal.api.sockets import CannotListen, parse_listen
from terminal.commands.client import NotRunning, ask
from terminal.commands.console import Place
from terminal.config import Config, load
from terminal.doctor.examination import AT_ONCE, Examination, Part
from terminal.doctor.findings import Diagnosis, Level, Section, Verdict, merged, worst
from terminal.doctor.machine import Machine
from terminal.doctor.patient import Patient

ANSWER_S: Final = 5.0
"""A till that does not say that it is well within this time is told to be silent."""
GRACE_S: Final = 10.0
"""Beyond a section's own deadline: a till that is busy answers late."""
MOST_BYTES: Final = 4096
ALSO_HERE: Final = "till"
"""The section that the shell looks at too: the config's file as it is now is not the running till's."""


@dataclass(frozen=True)
class Opinion:
    """Asks the till, section by section, and looks for itself where it is silent or does not know."""

    patient: Patient
    socket: Path
    examination: Examination

    def sections(self, parts: Sequence[Part]) -> Iterator[Section]:
        """In the order of `parts`, each as soon as it and those before it are there."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ask") as pool:
            yield from pool.map(self._section, parts)

    def _section(self, part: Part) -> Section:
        theirs = self._theirs(part) if self.patient.running else None
        if theirs is None:
            return self.examination.section(part, self.patient)
        unsure = any(finding.verdict is Verdict.UNKNOWN for finding in theirs.findings)
        if not unsure and part.name != ALSO_HERE:
            return theirs
        return merged(theirs, self.examination.section(part, self.patient))

    def _theirs(self, part: Part) -> Section | None:
        """None where the till has fallen silent, or is of a version that does not examine itself."""
        level = Level.INTERNAL if self.patient.level is Level.INTERNAL else Level.EXTERNAL
        target = f"/v1/diagnostics?level={level}&section={part.name}"
        try:
            reply = ask(self.socket, "GET", target, time_s=part.deadline_s + GRACE_S)
            return msgspec.convert(reply.body, Diagnosis).sections[0]
        except (NotRunning, ValueError, LookupError):  # ValueError: what is no diagnosis, msgspec's too
            return None


def patient_of(place: Place, level: Level, machine: Machine | None = None) -> Patient:
    """As it is now; whether a till answers is asked once."""
    file = place.config_file
    config, problems = _config(file)
    patient = Patient(
        place.state,
        config,
        level,
        machine or Machine(),
        config_file=file,
        problems=tuple(problems),
    )
    try:
        ask(place.socket, "GET", "/healthz", time_s=ANSWER_S)
    except NotRunning as why:
        hangs = isinstance(why.__cause__, TimeoutError)
        return replace(patient, silence=str(why), running=not hangs and answers_at(config.api.listen))
    return replace(patient, running=True)


def answers_at(listen: str) -> bool:
    """Whether a till answers there: its socket is for its own user and root, this question is for everybody."""
    try:
        connection = http.client.HTTPConnection(*parse_listen(listen), timeout=ANSWER_S)
        with closing(connection):
            connection.request("GET", "/healthz")
            return bool(json.loads(connection.getresponse().read(MOST_BYTES)) == {"status": "ok"})
    except (CannotListen, OSError, http.client.HTTPException, ValueError):
        return False


def _config(file: Path | None) -> tuple[Config, list[Problem]]:
    """The defaults where the file cannot be used: the rest of the machine can be looked at all the same."""
    try:
        return load(file), []
    except ConfigUnusable as unusable:
        return Config(), unusable.problems


def diagnosis(patient: Patient, sections: Sequence[Section]) -> Diagnosis:
    return Diagnosis(
        terminal=patient.config.terminal.id,
        version=version("tilld"),
        level=patient.level,
        made_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        running=patient.running,
        verdict=worst(section.verdict for section in sections),
        sections=tuple(sections),
    )


def exit_code(found: Diagnosis) -> int:
    """Pure: 1 where something needs attention, else 3 where the till is down, else 0."""
    faults = {Verdict.ATTENTION, Verdict.BROKEN}
    codes = [each.code for section in found.sections for each in section.findings if each.verdict in faults]
    if any(code != "till.running" for code in codes):
        return 1
    return 0 if found.running else 3
