"""Whose journal it is. Records name the terminal that wrote them, and only its key can sign for them."""

import sqlite3
from pathlib import Path
from typing import Final

from offline_queue.entry import decode
from offline_queue.journal import AllowanceState, JournalUnusable
from offline_queue.journal_entries import totals
from offline_queue.journal_rights import allowances
from offline_queue.opening import SAVE, aside

_NEWEST_GENESIS: Final = "SELECT record FROM stream JOIN record ON place = no << 40 | 1 ORDER BY no DESC LIMIT 1"


def refuse_heritage(path: Path, connection: sqlite3.Connection, terminal: str) -> None:
    """A terminal that was given another name would send sales that nobody credits. Raises JournalUnusable.

    A journal of which the ledger has decided everything may go on under another name.
    """
    row = connection.execute(_NEWEST_GENESIS).fetchone()
    owner = terminal if row is None else decode(row[0]).terminal
    if owner == terminal:
        return
    waiting = totals(connection)
    rights = allowances(connection, (AllowanceState.ASKED, AllowanceState.GRANTED))
    if waiting.queued + waiting.accepted_undecided + len(rights):
        what = f"terminal {owner} wrote it and has not heard of all its sales yet; now the terminal is {terminal}"
        remedy = f'Name it id = "{owner}" again until `tilld status` shows nothing waiting.'
        raise JournalUnusable(path, what, SAVE, f"{remedy} To start anew instead: {aside(path)}")
