"""The disk under the journal: does it keep what it says it keeps, has it room, how long does a commit take."""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from offline_queue.room import MIB, Room, Space, space
from terminal.doctor.findings import Check, Finding, Verdict, Who, worst
from terminal.doctor.mounts import Mount, mount_of, mounts
from terminal.doctor.patient import Patient

MOUNT: Final = Check(
    "disk.mount",
    "The disk keeps what it has confirmed, also through a power cut",
    "Put the state folder on a local disk of its own, mounted with its defaults: --state DIR; see /etc/fstab",
    Who.ROOT,
)
ROOM: Final = Check(
    "disk.room", "There is room for weeks of sales", "sudo journalctl --vacuum-size=100M; df -h", Who.ROOT
)
INODES: Final = Check(
    "disk.inodes", "The disk has room for new files", "Remove files that nobody needs: df -i", Who.ROOT
)
ERRORS: Final = Check(
    "disk.errors",
    "The file system has noted no errors",
    "Copy the journal away first (tilld queue export --output FILE), then change the disk; sudo dmesg | grep -i error",
    Who.ROOT,
)
SYNC: Final = Check(
    "disk.sync",
    "The disk confirms a write in a few milliseconds",
    "Use an SSD or an industrial SD card; `sudo iotop -o` shows what else writes",
    Who.TECHNICIAN,
)
CHECKS: Final = (MOUNT, ROOM, INODES, ERRORS, SYNC)

LYING: Final = frozenset({"nobarrier", "barrier=0", "volatile"})
"""Writes are confirmed before they are on the disk (ext4(5), overlayfs): measured, even synchronous=FULL loses rows."""
FORGETFUL: Final = frozenset({"tmpfs", "ramfs", "zram"})
FAR: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "vfat", "exfat", "fuseblk", "ntfs3"})
"""Network drives, whose locks SQLite cannot trust, and file systems without a journal or owners."""
SLOW_MS, DEAD_MS = 50.0, 1000.0
"""A poor SD card was measured at 92 ms a commit; at a second each a queue at the counter notices."""
TRIES: Final = 5
RECORD: Final = bytes(4096)
FEW_INODES: Final = 1000


def look(patient: Patient) -> Iterator[Finding]:
    folder = existing(patient.state)
    yield mounted(mount_of(str(folder), mounts(patient.machine.text("/proc/self/mountinfo"))))
    yield room_in(folder)
    yield inodes(os.statvfs(folder))
    yield errors(patient, folder)
    if patient.external:
        yield sync(folder)


def existing(folder: Path) -> Path:
    """Itself, or the nearest folder above that is there already."""
    resolved = folder.resolve()
    return next(each for each in (resolved, *resolved.parents) if each.is_dir())


def mounted(mount: Mount | None) -> Finding:
    """Pure."""
    if mount is None:
        return MOUNT.unknown("the system does not say on which file system the state folder is")
    evidence = f"{mount.source} on {mount.point}, {mount.kind} ({','.join(sorted(mount.options))})"
    verdict, why = disk_verdict(mount)
    return MOUNT.judged(verdict, f"{why}: {evidence}" if why else evidence)


def disk_verdict(mount: Mount) -> tuple[Verdict, str]:
    """Pure: the worst of what is wrong with it, and why."""
    wrong = []
    if "ro" in mount.options:
        wrong.append((Verdict.BROKEN, "nothing can be written"))
    if mount.options & LYING:
        wrong.append((Verdict.BROKEN, "a power cut loses sales that were answered"))
    if mount.kind in FORGETFUL:
        wrong.append((Verdict.BROKEN, "it is memory: a power cut loses everything"))
    if mount.kind in FAR:
        wrong.append((Verdict.ATTENTION, "a journal is not safe on this kind of file system"))
    if "data=writeback" in mount.options:
        wrong.append((Verdict.ATTENTION, "after a power cut new files may hold old bytes"))
    return worst(verdict for verdict, _ in wrong), "; ".join(why for _, why in wrong)


def room_in(folder: Path) -> Finding:
    try:
        return room(space(folder / "journal.db"))
    except PermissionError:
        return ROOM.unknown(f"this user may not look into {folder}; ask as root: sudo tilld doctor")


def room(found: Space) -> Finding:
    """Pure."""
    evidence = f"the journal takes {found.size // MIB} MiB, {found.free // MIB} MiB are free"
    verdict = {Room.FINE: Verdict.OK, Room.LOW: Verdict.ATTENTION, Room.SCARCE: Verdict.BROKEN}[found.room]
    return ROOM.judged(verdict, evidence)


def inodes(found: os.statvfs_result) -> Finding:
    """Pure. File systems that have no fixed number say 0."""
    if found.f_files == 0 or found.f_favail >= FEW_INODES:
        return INODES.ok(f"{found.f_favail} free of {found.f_files}")
    return INODES.attention(f"{found.f_favail} free of {found.f_files}")


def errors(patient: Patient, folder: Path) -> Finding:
    """ext4 counts its errors over restarts, and stays mounted rw after them (sysfs-fs-ext4)."""
    device = folder.stat().st_dev
    name = patient.machine.path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve().name
    counted = patient.machine.word(f"/sys/fs/ext4/{name}/errors_count")
    if counted is None:
        return ERRORS.unknown("this file system does not count its errors; sudo dmesg | grep -i error")
    return ERRORS.ok("0") if counted == "0" else ERRORS.broken(f"{counted} errors since the last check of the disk")


def sync(folder: Path) -> Finding:
    try:
        return sync_time([_written(folder) for _ in range(TRIES)])
    except OSError as error:
        return SYNC.broken(f"{folder} takes no file: {error.strerror}")


def _written(folder: Path) -> float:
    """Milliseconds for one block to be confirmed, as a commit of the journal waits for it."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(RECORD)
        file.flush()
        began = time.perf_counter()
        os.fsync(file.fileno())
        return (time.perf_counter() - began) * 1000


def sync_time(times_ms: list[float]) -> Finding:
    """Pure: by the median, for a single slow one is somebody else's."""
    median = statistics.median(times_ms)
    evidence = f"median {median:.1f} ms, longest {max(times_ms):.1f} ms of {len(times_ms)}"
    if median >= DEAD_MS:
        return SYNC.broken(evidence)
    return SYNC.attention(evidence) if median >= SLOW_MS else SYNC.ok(evidence)
