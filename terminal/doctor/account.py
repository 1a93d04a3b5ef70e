"""The daemon's user: who it is, its groups, and what it may open."""

import os
import stat
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from terminal.doctor.machine import Machine
from terminal.doctor.patient import Patient
from terminal.instance import Holder

READ_WRITE: Final = 0o6


class Account(NamedTuple):
    """`groups` are names where the system has one, else numbers; `gids` includes the user's own group."""

    name: str
    uid: int
    gids: frozenset[int]
    groups: tuple[str, ...]

    @property
    def is_root(self) -> bool:
        return self.uid == 0

    def may_open(self, status: os.stat_result) -> bool:
        """For reading and writing, by the file's mode (path_resolution(7)); an access list or a sandbox may differ."""
        mode = stat.S_IMODE(status.st_mode)
        if self.is_root:
            return True
        if status.st_uid == self.uid:
            return mode >> 6 & READ_WRITE == READ_WRITE
        if status.st_gid in self.gids:
            return mode >> 3 & READ_WRITE == READ_WRITE
        return mode & READ_WRITE == READ_WRITE


def account_of(patient: Patient) -> Account:
    """Of the running daemon; with the till down of the state folder's owner. Raises OSError."""
    machine = patient.machine
    pid = daemon_pid(patient)
    passwd, group = machine.text("/etc/passwd"), machine.text("/etc/group")
    if pid is not None:
        uid, gids = process_ids(machine.text(f"/proc/{pid}/status"))
        return _named(uid, gids, passwd, group)
    uid = patient.state.stat().st_uid
    name, own = user_named(uid, passwd)
    return _named(uid, memberships(name, group) | own, passwd, group)


def daemon_pid(patient: Patient) -> int | None:
    """None where the till is down."""
    if patient.held is not None:
        return patient.held.pid
    if not patient.running:
        return None
    try:
        return msgspec.json.decode((patient.state / "lock").read_bytes(), type=Holder).pid
    except (OSError, msgspec.DecodeError):
        return None


def sees_others(machine: Machine) -> bool:
    """False where other users' processes are hidden (systemd's ProtectProc, proc(5) hidepid)."""
    return machine.word("/proc/1/comm") is not None


def processes(machine: Machine, names: Iterable[str]) -> dict[str, int]:
    """The ids of running programs of these names, as `ps` shows them; of each the first."""
    wanted, found = set(names), dict[str, int]()
    for file in machine.glob("/proc/[0-9]*/comm"):
        word = machine.word(f"/proc/{file.parent.name}/comm")
        if word in wanted:
            found.setdefault(word, int(file.parent.name))
    return found


def process_ids(status: str) -> tuple[int, frozenset[int]]:
    """Pure: the effective user and all groups of /proc/PID/status (proc(5)). Raises OSError for another text."""
    fields = dict(line.partition(":")[::2] for line in status.splitlines())
    try:
        uid, gid = (int(fields[name].split()[1]) for name in ("Uid", "Gid"))
        return uid, frozenset({gid, *map(int, fields["Groups"].split())})
    except (KeyError, IndexError, ValueError) as error:
        raise OSError(f"/proc says nothing of the process's user: {error!r}") from None


def user_named(uid: int, passwd: str) -> tuple[str, frozenset[int]]:
    """Pure: the name and own group of a user in /etc/passwd (passwd(5)); its number where it has none."""
    for fields in (line.split(":") for line in passwd.splitlines()):
        if len(fields) > 3 and fields[2] == str(uid) and fields[3].isdecimal():
            return fields[0], frozenset({int(fields[3])})
    return str(uid), frozenset()


def group_names(group: str) -> dict[int, tuple[str, frozenset[str]]]:
    """Pure: name and members by number, of /etc/group (group(5)); lines that are none are passed over."""
    found = {}
    for fields in (line.split(":") for line in group.splitlines()):
        if len(fields) > 3 and fields[2].isascii() and fields[2].isdecimal():
            members = frozenset(name for name in fields[3].split(",") if name)
            found[int(fields[2])] = (fields[0], members)
    return found


def memberships(user: str, group: str) -> frozenset[int]:
    """Pure."""
    return frozenset(gid for gid, (_, members) in group_names(group).items() if user in members)


def _named(uid: int, gids: frozenset[int], passwd: str, group: str) -> Account:
    names = group_names(group)
    shown = tuple(names[gid][0] if gid in names else str(gid) for gid in sorted(gids))
    return Account(user_named(uid, passwd)[0], uid, gids, shown)
