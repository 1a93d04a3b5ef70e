"""The groups of the daemon's user, held against what its readers need."""

from collections.abc import Iterator
from typing import Final

from drivers.usb_readers import is_usb_path
from terminal.config import ReaderConfig
from terminal.doctor.account import Account, account_of, group_names
from terminal.doctor.findings import Check, Finding, Who
from terminal.doctor.patient import Patient

EXISTS: Final = Check(
    "groups.exists", "The group that owns the till's devices exists", "sudo groupadd --system tilld", Who.ROOT
)
MEMBER: Final = Check(
    "groups.member",
    "The daemon's user is in the groups that its readers need",
    "sudo usermod -aG dialout tilld; sudo systemctl restart tilld",
    Who.ROOT,
)
CHECKS: Final = (EXISTS, MEMBER)

OURS: Final = "tilld"
NEEDS: Final = {
    "serial_line": ("dialout", OURS),
    "keyboard_wedge": ("input", OURS),
    "camera": ("video", OURS),
}
"""One of them is enough: Debian's own group for that kind of device, or ours with udev/*.rules."""


def look(patient: Patient) -> Iterator[Finding]:
    try:
        account = account_of(patient)
        known = {name for name, _ in group_names(patient.machine.text("/etc/group")).values()}
    except OSError as error:
        yield MEMBER.unknown(str(error))
        return
    needed = {reader.name: needs(reader) for reader in patient.config.readers}
    if not any(needed.values()) or account.is_root:
        why = "root needs none" if account.is_root else "no reader needs one"
        yield MEMBER.ok(f"{account.name} is in {', '.join(account.groups)}; {why}")
        return
    yield EXISTS.ok(OURS) if OURS in known else EXISTS.attention(f"there is no group {OURS}")
    for reader, groups in needed.items():
        if groups:
            yield member(account, groups, reader)


def needs(reader: ReaderConfig) -> tuple[str, ...]:
    """Pure: any of these groups will do; none where the reader needs none."""
    if reader.driver == "contactless":
        path = str(reader.options.get("path", "usb"))
        return (OURS,) if is_usb_path(path) else ("dialout", OURS)
    return NEEDS.get(reader.driver, ())


def member(account: Account, groups: tuple[str, ...], reader: str) -> Finding:
    """Pure."""
    evidence = f"{account.name} is in {', '.join(account.groups)}; {reader} needs {' or '.join(groups)}"
    if set(groups) & set(account.groups):
        return MEMBER.ok(evidence, reader)
    remedy = f"sudo usermod -aG {groups[0]} {account.name}; sudo systemctl restart tilld"
    return MEMBER.broken(evidence, reader, remedy=remedy)
