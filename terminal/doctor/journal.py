"""The journal: whether an answered sale is on the disk for good, and whether what is there is whole."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Final

from offline_queue import journal_audit
from offline_queue.counted import counted
from offline_queue.journal import JournalUnusable
from offline_queue.opening import open_to_read
from terminal.doctor.findings import Check, Finding, Who
from terminal.doctor.patient import Patient

READABLE: Final = Check(
    "journal.readable",
    "The journal is there and can be opened",
    "tilld queue verify",
    Who.TECHNICIAN,
)
MODE: Final = Check(
    "journal.mode",
    "The journal is written ahead (journal_mode WAL)",
    "sudo systemctl restart tilld",
    Who.ROOT,
)
SYNCHRONOUS: Final = Check(
    "journal.synchronous",
    "Each sale is forced to the disk before it is answered (synchronous FULL)",
    "Install tilld anew and start it: somebody has changed the program",
    Who.ROOT,
)
PAGES: Final = Check(
    "journal.pages",
    "Every page of the journal's file is whole (quick_check)",
    "Keep the file, save what can be read with `tilld queue export`, then change the disk (docs/doctor.md)",
    Who.TECHNICIAN,
)
CHAIN: Final = Check(
    "journal.chain",
    "Every record is as it was written, and none is missing",
    "Tell the ledger office what `tilld queue verify` says: it holds what was sent",
    Who.LEDGER_OFFICE,
)
CHECKS: Final = (READABLE, MODE, SYNCHRONOUS, PAGES, CHAIN)

FULL: Final = 2
"""PRAGMA synchronous."""
WAL: Final = b"\x02"
HEADER: Final = 100
CHECK_S: Final = 20.0
"""A journal of a month is checked in a second or two; a long one is left to `tilld queue verify`."""
OPCODES: Final = 10_000


def look(patient: Patient) -> Iterator[Finding]:
    if not os.access(patient.state, os.R_OK | os.X_OK, effective_ids=True) and os.path.lexists(patient.state):
        yield READABLE.unknown(f"this user may not look into {patient.state}; ask as root: sudo tilld doctor")
        return
    if not patient.journal.exists():
        yield READABLE.unknown(f"there is no {patient.journal}; the till makes it at its first start")
        return
    try:
        connection = open_to_read(patient.journal, alone=not patient.running)
    except JournalUnusable as why:
        yield READABLE.broken(str(why))
        return
    with closing(connection):
        yield from inside(connection, patient)


def inside(connection: sqlite3.Connection, patient: Patient) -> Iterator[Finding]:
    try:
        connection.execute("SELECT max(place) FROM record").fetchone()
    except sqlite3.Error as error:
        yield READABLE.broken(f"{patient.journal}: {error}")
        return
    yield READABLE.ok(f"{patient.journal}")
    with patient.journal.open("rb") as file:
        yield mode(file.read(HEADER))
    yield synchronous(patient.held.synchronous if patient.held else None)
    end = time.monotonic() + CHECK_S
    connection.set_progress_handler(lambda: time.monotonic() > end, OPCODES)
    yield timed(PAGES, lambda: pages(connection))
    if patient.external:
        yield timed(CHAIN, lambda: chain(connection))


def mode(header: bytes) -> Finding:
    """Pure: by the file's own word (SQLite file format, section 1.3.2), which holds whoever has it open."""
    written, read = header[18:19], header[19:20]
    return MODE.ok("wal") if written == read == WAL else MODE.attention("the file is not in WAL mode")


def synchronous(found: int | None) -> Finding:
    """Pure. Only the connection that writes knows; in the file nothing says it."""
    if found is None:
        return SYNCHRONOUS.unknown("only the running till can tell")
    if found >= FULL:
        return SYNCHRONOUS.ok(f"synchronous is {found}")
    return SYNCHRONOUS.broken(f"synchronous is {found}: a power cut loses sales that were answered")


def timed(check: Check, run: Callable[[], Finding]) -> Finding:
    """Unknown where the time was over before the end."""
    try:
        return run()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname == "SQLITE_INTERRUPT":
            return check.unknown(f"longer than {CHECK_S:g} s; run: tilld queue verify")
        return check.broken(str(error))
    except sqlite3.Error as error:
        return check.broken(str(error))


def pages(connection: sqlite3.Connection) -> Finding:
    (line,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    return PAGES.ok("ok") if line == "ok" else PAGES.broken(str(line))


def chain(connection: sqlite3.Connection) -> Finding:
    verified = journal_audit.verify(connection)
    if verified.ok:
        records, receipts = counted(verified.records, "record"), counted(verified.receipts, "receipt")
        return CHAIN.ok(f"{records}, {receipts} of the ledger hold")
    stream, seq, why = verified.first_bad or ("", 0, "")
    if "interrupted" in why:
        return CHAIN.unknown(f"longer than {CHECK_S:g} s; run: tilld queue verify")
    return CHAIN.broken(f"record {seq} of {stream}: {why}")
