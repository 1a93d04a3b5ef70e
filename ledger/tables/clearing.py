"""Finds the accounts whose expired points are to leave the books; a few at a time, so that tills hardly wait."""

from typing import Final

from ledger.port.upkeep import Cleared
from ledger.sheet.sheet import Sheet
from ledger.tables.engine import Tables
from ledger.tables.pen import TablesPen

AT_ONCE: Final = 100
"""Accounts of one transaction."""


def clear(tables: Tables, sheet: Sheet, before: int, after: tuple[int, int]) -> Cleared:
    """Writes off what had expired `before` (ms since 1970), on the next accounts `after` a place."""
    rows = tables.rows(
        "SELECT usable_until, no FROM account WHERE usable_until <= ? AND (usable_until, no) > (?, ?)"
        " ORDER BY usable_until, no LIMIT ?",
        *(before, *after, AT_ONCE),
    )
    gone = sheet.write_off([account for _, account in rows])
    TablesPen(tables).write(sheet)
    points = sum(write_off.points for write_off in gone)
    following = tuple(rows[-1]) if len(rows) == AT_ONCE else None
    return Cleared(len({write_off.account for write_off in gone}), len(gone), points, following)
