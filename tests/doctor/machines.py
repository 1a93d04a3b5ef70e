"""Machines for the doctor to look at: a folder as their root, and what their commands say."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from terminal.config import Config, ReaderConfig
from terminal.doctor.findings import Finding, Level, Verdict
from terminal.doctor.machine import Machine, Said
from terminal.doctor.patient import Patient

PASSWD = "root:x:0:0:root:/root:/bin/sh\ntilld:x:990:990::/var/lib/tilld:/usr/sbin/nologin\npcscd:x:991:991:::\n"
GROUP = "root:x:0:\ndialout:x:20:\ninput:x:104:\nvideo:x:44:\ntilld:x:990:\n"


class ToldMachine(Machine):
    """`files` by their names, `commands` by their words; every other command is not installed."""

    def __init__(self, root: Path, files: Mapping[str, str] = {}, commands: Mapping[str, Said] = {}) -> None:
        self._said = dict(commands)
        super().__init__(root, self._answer)
        for name, text in {"/etc/passwd": PASSWD, "/etc/group": GROUP, "/proc/1/comm": "systemd\n", **files}.items():
            file = self.path(name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def _answer(self, command: Sequence[str]) -> Said:
        said = self._said.get(" ".join(command))
        if said is None:
            raise FileNotFoundError(f"there is no program {command[0]}")
        return said


def process(uid: int, *gids: int) -> str:
    """A /proc/PID/status, as far as it matters."""
    ids, groups = "\t".join([str(uid)] * 4), " ".join(map(str, gids))
    return f"Name:\ttilld\nUid:\t{ids}\nGid:\t{ids}\nGroups:\t{groups}\n"


def reader(driver: str, name: str = "counter", **options: object) -> ReaderConfig:
    return ReaderConfig(name, driver, dict(options))


def patient(state: Path, machine: Machine, *readers: ReaderConfig, level: Level = Level.INTERNAL) -> Patient:
    """A till that is down, whose folder belongs to whoever runs the test."""
    return Patient(state, Config(readers=readers), level, machine)


def verdicts(findings: Sequence[Finding]) -> dict[str, Verdict]:
    return {finding.code: finding.verdict for finding in findings}


def only(findings: Sequence[Finding], code: str) -> Finding:
    (found,) = [finding for finding in findings if finding.code == code]
    return found
