"""Every configured reader: its state, what opening it says, and how well it reads."""

import os
import tempfile
import time
from collections.abc import Iterator
from typing import Final

from drivers.base import Condition, ReaderState
from drivers.worker import Assignment
from terminal.config import ReaderConfig
from terminal.doctor.findings import Check, Finding, Verdict, Who
from terminal.doctor.patient import Patient
from terminal.inbox import Counters, ReaderStatus
from terminal.readers.child import ChildEnded, ReaderChild
from terminal.readers.life import Limits

STATE: Final = Check("readers.state", "The reader is ready for cards", "tilld readers", Who.TECHNICIAN)
READING: Final = Check(
    "readers.reading",
    "Nearly every card is read at once",
    "Clean the reader's surface or glass, then try known good cards: tilld test-card",
    Who.TECHNICIAN,
)
STEADY: Final = Check(
    "readers.steady",
    "The reader's process stays alive",
    "Change cable and USB port, then look: journalctl -u tilld | grep reader",
    Who.TECHNICIAN,
)
CHECKS: Final = (STATE, READING, STEADY)

OPENING_S: Final = Limits().opening_s
"""As long as the till itself waits for the first word of a driver."""
FEW: Final = 20
"""Presentations below which a share says nothing."""
POOR: Final = 0.2
"""Of presentations that fail: with good cards and a clean reader it is a few of a hundred."""
DISMISSAL_S: Final = 2.0
_SEE_LOG: Final = "replug the reader; journalctl -u tilld | grep reader"
RESTLESS: Final = 1.0
"""Restarts of its process an hour that it was ready."""

GRAVE: Final = {
    ReaderState.READY: Verdict.OK,
    ReaderState.RECONNECTING: Verdict.ATTENTION,
    ReaderState.STOPPED: Verdict.ATTENTION,
    ReaderState.ABSENT: Verdict.BROKEN,
    ReaderState.HELD: Verdict.BROKEN,
    ReaderState.FORBIDDEN: Verdict.BROKEN,
    ReaderState.FAILING: Verdict.BROKEN,
}


def look(patient: Patient) -> Iterator[Finding]:
    if patient.held is not None:
        for status in patient.held.status.readers:
            yield from judged(status)
    elif patient.running:
        for reader in patient.config.readers:
            yield STATE.unknown("the running till has it open, and has not answered", reader.name)
    elif patient.external:
        for reader in patient.config.readers:
            yield state(opened(reader, notes=patient.config.cards.notes), reader.name)
    else:
        for reader in patient.config.readers:
            yield STATE.unknown("the till is down; `tilld doctor --level external` opens it", reader.name)


def judged(status: ReaderStatus) -> Iterator[Finding]:
    """Pure: a reader as the till shows it."""
    condition = Condition(status.status, f"{status.detail}, since {status.since}", status.remedy)
    yield state(condition, status.name)
    yield reading(status.counters, status.name)
    yield steady(status.counters, status.name)


def state(condition: Condition, name: str) -> Finding:
    """Pure."""
    evidence, remedy = f"{condition.state}: {condition.detail}", condition.remedy
    return STATE.judged(GRAVE[condition.state], evidence, name, remedy=remedy, who=who_does(remedy))


def who_does(remedy: str | None) -> Who:
    """Pure: by the words of the remedy."""
    if remedy and "sudo " in remedy:
        return Who.ROOT
    return Who.CASHIER if remedy and remedy.startswith(("plug", "take the card")) else Who.TECHNICIAN


def reading(counters: Counters, name: str) -> Finding:
    """Pure."""
    bad = counters.failed + counters.unreadable
    shown = counters.good + bad
    evidence = f"{counters.good} read, {counters.failed} broke off, {counters.unreadable} could not be read"
    if shown < FEW:
        return READING.ok(f"{evidence}: too few to tell", name)
    return READING.attention(evidence, name) if bad / shown > POOR else READING.ok(evidence, name)


def steady(counters: Counters, name: str) -> Finding:
    """Pure."""
    evidence = f"{counters.restarts} restarts in {counters.hours:.1f} hours of work"
    restless = counters.restarts > FEW and counters.restarts > counters.hours * RESTLESS
    return STEADY.attention(evidence, name) if restless else STEADY.ok(evidence, name)


def opened(reader: ReaderConfig, *, notes: bool) -> Condition:
    """What the driver says when it is opened in a process of its own, which is ended again."""
    with tempfile.TemporaryDirectory(prefix="tilld-doctor-") as folder:
        try:
            child = ReaderChild(reader.driver, reader.name, Assignment(folder, reader.options, notes=notes))
        except OSError as error:
            return Condition(ReaderState.FAILING, f"its process could not be started: {error}")
        try:
            return _first_word(child)
        finally:
            child.dismiss(DISMISSAL_S)


def _first_word(child: ReaderChild) -> Condition:
    """The first report of a driver is its condition (drivers/base.py)."""
    wake, end = os.eventfd(0, os.EFD_CLOEXEC), time.monotonic() + OPENING_S
    try:
        while (left := end - time.monotonic()) > 0:
            message = child.next(wake, left)
            if isinstance(message, Condition):
                return message
    except ChildEnded as ended:
        return Condition(ReaderState.FAILING, f"{ended.ending.cause.value} {ended.ending.detail}".strip(), _SEE_LOG)
    finally:
        os.close(wake)
    return Condition(ReaderState.FAILING, f"its driver has said nothing for {OPENING_S:g} s", _SEE_LOG)
