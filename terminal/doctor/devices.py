"""What serial ports, cameras and keyboards have in common: is the device there, and may the daemon open it."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from drivers.device_node import Holder, holders
from terminal.config import ReaderConfig
from terminal.doctor.account import Account, account_of, group_names
from terminal.doctor.findings import Check, Finding
from terminal.doctor.patient import Patient


class Device(NamedTuple):
    """A device file that a configured reader wants."""

    reader: str
    path: Path


class Trio(NamedTuple):
    """The checks of a kind of device; `alone` where two programs do each other harm."""

    there: Check
    access: Check
    alone: Check | None = None


def wanted(patient: Patient, driver: str, key: str) -> Iterator[tuple[ReaderConfig, str]]:
    """Readers of this driver with what their option `key` says, "" where it says nothing."""
    for reader in patient.config.readers:
        if reader.driver == driver:
            yield reader, str(reader.options.get(key, ""))


def examined(patient: Patient, device: Device, trio: Trio, seen: Iterable[str]) -> Iterator[Finding]:
    """`seen` are the devices of its kind that are there."""
    path = patient.machine.path(str(device.path))
    try:
        status = path.stat()
    except OSError as error:
        there = ", ".join(seen) or "none of its kind"
        yield trio.there.broken(f"{device.path}: {error.strerror}; there is {there}", device.reader)
        return
    yield trio.there.ok(f"{device.path}", device.reader)
    yield access(patient, trio.access, device, status)
    if trio.alone is not None:
        yield alone(patient, trio.alone, device, path)


def access(patient: Patient, check: Check, device: Device, status: os.stat_result) -> Finding:
    try:
        account = account_of(patient)
        groups = group_names(patient.machine.text("/etc/group"))
    except OSError as error:
        return check.unknown(str(error), device.reader)
    return opened_by(account, check, device, status, groups[status.st_gid][0] if status.st_gid in groups else "")


def opened_by(account: Account, check: Check, device: Device, status: os.stat_result, group: str) -> Finding:
    """Pure. `group` is the name of the file's group, "" where it has none."""
    evidence = f"{device.path} is {status.st_mode & 0o777:o}, group {group or status.st_gid}; user {account.name}"
    if account.may_open(status):
        return check.ok(evidence, device.reader)
    if group in {"", "root"}:
        return check.broken(evidence, device.reader)
    remedy = f"sudo usermod -aG {group} {account.name}; sudo systemctl restart tilld"
    return check.broken(evidence, device.reader, remedy=remedy)


def alone(patient: Patient, check: Check, device: Device, path: Path) -> Finding:
    """A till that runs holds the device itself, by the process of its reader."""
    if patient.held is None and patient.running:
        return check.unknown("the running till may hold it", device.reader)
    own = {reader.pid for reader in patient.held.status.readers} if patient.held else set()
    return held_by(check, device, [holder for holder in holders(path) if holder.pid not in own])


def held_by(check: Check, device: Device, others: list[Holder]) -> Finding:
    """Pure."""
    if not others:
        return check.ok(f"{device.path} is held by no other program that can be seen", device.reader)
    names = ", ".join(f"{holder.name} (process {holder.pid})" for holder in others)
    evidence, remedy = f"{device.path} is open in {names}", f"end that program; who it is: sudo fuser -v {device.path}"
    return check.attention(evidence, device.reader, remedy=remedy)
