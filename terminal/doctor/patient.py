"""Who is examined: a till by its state folder and config, with what it says of itself while it runs."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from offline_queue.config_file import Problem
from terminal.api.shapes import Status
from terminal.config import Config
from terminal.doctor.findings import Level
from terminal.doctor.machine import Machine


@dataclass(frozen=True)
class Held:
    """What the running till alone knows: its `status`, and SQLite's `synchronous` of the connection that writes (2 is
    FULL).
    """

    status: Status
    synchronous: int
    pid: int


@dataclass(frozen=True)
class Patient:
    """`held` is there where the till examines itself; `running` is true where it answers somebody else, too.

    `silence` is why it does not answer. `config` is the default where the file has `problems`; `config_file` is None
    where nobody says which it is.
    """

    state: Path
    config: Config = field(default_factory=Config)
    level: Level = Level.INTERNAL
    machine: Machine = field(default_factory=Machine)
    held: Held | None = None
    running: bool = False
    silence: str = ""
    config_file: Path | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def journal(self) -> Path:
        return self.state / "journal.db"

    @property
    def external(self) -> bool:
        """Whether hardware, network and disk may be touched."""
        return self.level is not Level.INTERNAL

    def at(self, level: Level) -> "Patient":
        return replace(self, level=level)

    def uses(self, *drivers: str) -> bool:
        """Whether a configured reader has one of these drivers."""
        return any(reader.driver in drivers for reader in self.config.readers)
