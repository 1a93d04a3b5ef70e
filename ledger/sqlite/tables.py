"""The tables of the books in an open transaction of SQLite."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeGuard

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

    def insert(self, table: str, rows: Iterable[Sequence[object]], conflict: str = "", columns: str = "") -> None:
        if rows := list(rows):
            places, values = _given(rows)
            into = f"{table} ({columns})" if columns else table
            self._connection.executemany(f"INSERT INTO {into} VALUES ({places}) {conflict}", values)  # noqa: S608

    def update(self, table: str, columns: str, rows: Iterable[Sequence[object]]) -> None:
        name, *others = columns.split(", ")
        told = ", ".join(f"{other} = ?" for other in others)
        values = ((*row[1:], row[0]) for row in rows)
        self._connection.executemany(f"UPDATE {table} SET {told} WHERE {name} = ?", values)  # noqa: S608

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

    For each None and each bytes that it is given the sqlite3 module looks for an adapter, as long as it takes to bind
    five numbers. So a column of nothing but None is said once, and bytes are given as bytearrays, which it takes as
    they are.
    """
    columns = list(zip(*rows, strict=True))
    told = [column for column in columns if column.count(None) < len(rows)]
    places = ", ".join("?" if column.count(None) < len(rows) else "NULL" for column in columns)
    return places, zip(*(map(bytearray, column) if _all_bytes(column) else column for column in told), strict=True)


def _all_bytes(column: Sequence[object]) -> TypeGuard[Sequence[bytes]]:
    return isinstance(column[0], bytes) and None not in column


def _value(value: object) -> Any:
    return (
        msgspec.json.encode(value).decode()
        if isinstance(value, Sequence) and not isinstance(value, str | bytes)
        else value
    )
