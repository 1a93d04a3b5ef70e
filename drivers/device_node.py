"""Device files: who else has one open, and in which words a refusal to open it is told."""

import errno
import grp
import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from drivers.base import DriverError, ReaderAbsent, ReaderForbidden, ReaderHeld

_GONE: Final = frozenset({errno.ENOENT, errno.ENXIO, errno.ENODEV, errno.EIO, errno.ENOTDIR})
_HELD: Final = frozenset({errno.EBUSY, errno.EAGAIN})
_PLUG: Final = "plug the reader in; see what is there: {look}"
_CLASSES: Final = "char-ttyACM rw, char-ttyUSB rw, char-input rw, char-video4linux rw"
_SANDBOX: Final = f"let the service use it: DeviceAllow={_CLASSES} in tilld.service"
_SCANNERS: Final = "71-tilld-scanners.rules"


class Holder(NamedTuple):
    """A process that has the device open or locked; `name` as `ps` shows it."""

    pid: int
    name: str


def holders(path: Path, proc: Path = Path("/proc")) -> list[Holder]:
    """Other processes with this file open, or with a lock on it, as far as this user may see.

    Locks of every user are told by /proc/locks, open files only of processes that this user may look into.
    """
    try:
        wanted = path.stat()
    except OSError:
        return []
    pids = {*_openers(wanted, proc), *_lockers(wanted, proc)} - {os.getpid()}
    return [Holder(pid, _name(pid, proc)) for pid in sorted(pids)]


def refusal(path: Path, code: int | None, doing: str, look: str, rules: str = _SCANNERS) -> DriverError:
    """The state and remedy for an errno on a device; `look` lists what is there, `rules` of udev/ give access to it."""
    if code in _GONE:
        return ReaderAbsent(f"there is no {path}", _PLUG.format(look=look))
    if code in _HELD:
        return held(path, holders(path))
    if code == errno.EACCES:
        return ReaderForbidden(f"this user may not open {path}", _permission(path, rules))
    if code == errno.EPERM:
        return ReaderForbidden(f"the system lets nobody here open {path}", _SANDBOX)
    why = os.strerror(code) if code else "no reason given"
    return DriverError(f"{path} cannot be {doing}: {why}", f"choose another device; see what is there: {look}")


def held(path: Path, by: list[Holder]) -> ReaderHeld:
    """Two readers of one device would get half a scan each, so it is taken alone or not at all."""
    names = " or ".join(f"{holder.name} (process {holder.pid})" for holder in by[:3]) or "another program"
    remedy = f"end it: sudo kill {by[0].pid}" if len(by) == 1 else f"close the one that reads it: sudo fuser -v {path}"
    return ReaderHeld(f"{path} is in use by {names}", f"{remedy}; if it comes back, see docs/readers.md")


def _permission(path: Path, rules: str) -> str:
    user = _user()
    try:
        status = path.stat()
        group = grp.getgrgid(status.st_gid).gr_name
    except (OSError, KeyError):
        return f"sudo cp udev/{rules} /etc/udev/rules.d/ and replug the reader"
    if group == "root" or not status.st_mode & 0o040:
        return f"sudo cp udev/{rules} /etc/udev/rules.d/, sudo usermod -aG tilld {user}, replug the reader"
    return f"sudo usermod -aG {group} {user}, then start tilld again"


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _openers(wanted: os.stat_result, proc: Path) -> Iterator[int]:
    for process in proc.iterdir():
        if process.name.isdigit() and any(os.path.samestat(one, wanted) for one in _open_files(process)):
            yield int(process.name)


def _open_files(process: Path) -> Iterator[os.stat_result]:
    try:
        files = list((process / "fd").iterdir())
    except OSError:  # ended meanwhile, or another user's
        return
    for file in files:
        try:
            yield file.stat()
        except OSError:
            continue


def _lockers(wanted: os.stat_result, proc: Path) -> Iterator[int]:
    """From lines like `1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF` (proc_locks(5))."""
    inode = f"{os.major(wanted.st_dev):02x}:{os.minor(wanted.st_dev):02x}:{wanted.st_ino}"
    try:
        lines = (proc / "locks").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        fields = line.split()
        if len(fields) > 5 and fields[5] == inode and fields[4].isdigit() and fields[4] != "0":
            yield int(fields[4])


def _name(pid: int, proc: Path) -> str:
    try:
        return (proc / str(pid) / "comm").read_text().strip()
    except OSError:
        return "a process"
