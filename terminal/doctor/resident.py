"""The doctor inside the running till: sees with its user's rights, in its sandbox, what it holds open."""

import os
from pathlib import Path
from typing import Any, Final

import msgspec

from offline_queue.timepiece import Timepiece, rfc3339
from terminal.api.shapes import Status
from terminal.config import Config
from terminal.doctor.examination import Examination
from terminal.doctor.findings import Diagnosis, Level, worst
from terminal.doctor.patient import Held, Patient
from terminal.doctor.sections import chosen

LEVELS: Final = (Level.INTERNAL, Level.EXTERNAL)
"""Those that need no person."""


class Resident:
    """One for each start of the till. `synchronous` is SQLite's, of the connection that writes the journal."""

    def __init__(self, config: Config, state: Path, synchronous: int, timepiece: Timepiece) -> None:
        self._config, self._state, self._synchronous = config, state, synchronous
        self._timepiece = timepiece
        self._examination = Examination()

    def examine(self, level: Level, section: str | None, status: Any) -> Diagnosis:
        """Blocks for seconds; from any thread. `status` is the till's own (GET /v1/status). Raises LookupError."""
        parts = chosen(section)
        told = msgspec.convert(msgspec.to_builtins(status), Status)
        held = Held(told, self._synchronous, os.getpid())
        patient = Patient(self._state, self._config, level, held=held, running=True)
        found = tuple(self._examination.sections(parts, patient))
        return Diagnosis(
            terminal=told.terminal,
            version=told.version,
            level=level,
            made_at=rfc3339(self._timepiece.unix_ms()),
            running=True,
            verdict=worst(each.verdict for each in found),
            sections=found,
        )
