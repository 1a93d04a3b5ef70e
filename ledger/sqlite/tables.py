"""The tables of the books in an open transaction of SQLite."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import msgspec

from ledger.sheet.source import Asked


class SqliteTables:
    """See tables.Tables: what is said in PostgreSQL's way is put in SQLite's."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._accounts: int | None = None

    def rows(self, query: str, *values: object) -> list[Any]:
        return self.scan(query, *values).fetchall()

    def many(self, columns: str, query: str, *values: object) -> Asked[list[Any]]:  # noqa: ARG002 - all that it asks for
        """At once, for the engine works in this very thread."""
        found = self.rows(query, *values)
        return lambda: found

    def scan(self, query: str, *values: object) -> sqlite3.Cursor:
        return self._connection.execute(_spoken(query), [_value(value) for value in values])

    def change(self, statement: str, *values: object) -> None:
        self._connection.execute(_spoken(statement), [_value(value) for value in values])

    def insert(self, table: str, rows: Iterable[Sequence[object]], conflict: str = "") -> None:
        if rows := list(rows):
            places, values = _given(rows)
            self._connection.executemany(f"INSERT INTO {table} VALUES ({places}) {conflict}", values)  # noqa: S608

    def next_account(self) -> int:
        """The caller holds the only write transaction, so counting on is safe."""
        if self._accounts is None:
            self._accounts = int(self.rows("SELECT coalesce(max(no), 0) FROM account")[0][0])
        self._accounts += 1
        return self._accounts

    def damage(self) -> Iterator[str]:
        for (line,) in self.scan("PRAGMA integrity_check(10)"):
            if line != "ok":
                yield f"the file is damaged: {line}"


@lru_cache(maxsize=256)
def _spoken(query: str) -> str:
    """Lists travel as JSON; rows need not be held where nobody else writes."""
    return query.replace("= ANY(?)", "IN (SELECT value FROM json_each(?))").replace("FOR UPDATE", "")


def _given(rows: Sequence[Sequence[object]]) -> tuple[str, Iterable[Sequence[object]]]:
    """Places for the values of these rows, and the values.

    A column without any is said once: the sqlite3 module looks for an adapter for each None, for as long as it takes
    to bind five numbers.
    """
    columns = range(len(rows[0]))
    told = [n for n in columns if rows[0][n] is not None or any(row[n] is not None for row in rows)]
    if not 1 < len(told) < len(columns):
        return ", ".join("?" for _ in columns), rows
    return ", ".join("?" if n in told else "NULL" for n in columns), map(itemgetter(*told), rows)


def _value(value: object) -> Any:
    return (
        msgspec.json.encode(value).decode()
        if isinstance(value, Sequence) and not isinstance(value, str | bytes)
        else value
    )
