"""The till itself: does it run, which version, what of its config."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Final

from offline_queue.counted import counted
from terminal.api.shapes import Status
from terminal.commands.console import is_closed
from terminal.doctor.findings import Check, Finding, Who
from terminal.doctor.patient import Patient

RUNNING: Final = Check(
    "till.running",
    "The till runs and answers",
    "sudo systemctl restart tilld; journalctl -u tilld -n 50",
    Who.ROOT,
)
VERSION: Final = Check(
    "till.version",
    "The running till is the installed version",
    "sudo systemctl restart tilld",
    Who.ROOT,
)
CONFIG: Final = Check(
    "till.config",
    "The config has no mistakes",
    "tilld check-config",
    Who.TECHNICIAN,
)
ORDERS: Final = Check(
    "till.orders",
    "The ledger has found nothing wrong with this till",
    "Do what the evidence says; `tilld status` shows when it is settled",
    Who.LEDGER_OFFICE,
)
CONFLICTS: Final = Check(
    "till.conflicts",
    "No transaction waits for a person's decision",
    "tilld conflicts list",
    Who.TECHNICIAN,
)
MIRROR: Final = Check(
    "till.mirror",
    "The second copies of unsynced sales are up to date",
    "Look whether the other place answers; sales go on without it",
    Who.TECHNICIAN,
)
CHECKS: Final = (RUNNING, VERSION, CONFIG, ORDERS, CONFLICTS, MIRROR)


def look(patient: Patient) -> Iterator[Finding]:
    yield running(patient)
    installed, held = version("tilld"), patient.held
    if held is not None:
        yield from told(held.status, installed)
    elif not patient.running:
        yield VERSION.ok(f"{installed} is installed")
    yield config(patient)


def running(patient: Patient) -> Finding:
    """A till that is down loses nothing, and takes nothing."""
    if patient.held is not None:
        return RUNNING.ok(f"process {patient.held.pid}")
    if patient.running and patient.silence:
        why = f"it runs, and its socket does not answer this user ({patient.silence}); ask as root: sudo tilld doctor"
        return RUNNING.unknown(why)
    if patient.running:
        return RUNNING.ok(f"it answers at {patient.state / 'tilld.sock'}")
    why = f"no till answers at {patient.state / 'tilld.sock'} ({patient.silence or 'not asked'})"
    return RUNNING.attention(f"{why}; what was recorded is kept")


def told(status: Status, installed: str) -> Iterator[Finding]:
    """Pure: what the till says of itself."""
    if status.version == installed:
        yield VERSION.ok(installed)
    else:
        yield VERSION.attention(f"{status.version} runs, {installed} is installed")
    if not status.ledger.orders:
        yield ORDERS.ok("none")
    for order in status.ledger.orders:
        yield ORDERS.attention(order.detail, order.code)
    waiting = status.queue.conflicts
    yield CONFLICTS.attention(f"{waiting} {'waits' if waiting == 1 else 'wait'}") if waiting else CONFLICTS.ok("none")
    if status.mirror is not None:
        evidence = f"{counted(status.mirror.behind, 'record')} without a copy; {status.mirror.detail}"
        yield MIRROR.ok(evidence) if status.mirror.reachable else MIRROR.attention(evidence)


def config(patient: Patient) -> Finding:
    """Of the file as it is now, which a running till has not read again."""
    file = patient.config_file
    if file is not None and is_closed(file):
        return CONFIG.unknown(f"this user may not read {file}; ask as root: sudo tilld doctor")
    if patient.problems:
        evidence = "; ".join(f"{problem.where} {problem.what}" for problem in patient.problems)
        return CONFIG.broken(evidence, remedy=f"tilld check-config --config {patient.problems[0].where.split(':')[0]}")
    if patient.held is not None:
        return CONFIG.unknown("the running till does not know what became of its file since it started")
    return CONFIG.ok(f"{file or 'no file: the built-in defaults'}")
