"""The tables of the books in an open transaction of PostgreSQL."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ledger.postgres.arrays import Packed, listed, packed
from ledger.postgres.schema import TABLES
from ledger.sheet.source import Asked

if TYPE_CHECKING:
    from psycopg import Connection, Pipeline

SCANNED_AT_ONCE: Final = 1000
BLOCK: Final = 50
"""Account numbers asked for at once."""


class PostgresTables:
    """See tables.Tables. Rows travel as one array for each column, so a statement costs the same for any number.

    In a `pipeline` statements are sent without waiting for the ones before: the server works on them while we go on.
    `again`: the work was begun before, and others came in between or it took for granted what was not so.
    """

    def __init__(
        self, connection: "Connection[Any]", pipeline: "Pipeline | None" = None, *, again: bool = False
    ) -> None:
        self._connection, self._pipeline, self.again = connection, pipeline, again
        self._cursors = count(1)
        self._numbers: list[int] = []
        self._block = 1

    def rows(self, query: str, *values: object) -> list[Any]:
        return self._connection.execute(_spoken(query), [_value(value) for value in values]).fetchall()

    def many(self, columns: str, query: str, *values: object) -> Asked[list[Any]]:
        """As one value: the driver's loaders take a while for each."""
        whole = f"SELECT json_agg(json_build_array({columns}))::text FROM ({query}) AS found"  # noqa: S608
        asked = self._connection.execute(_spoken(whole), [_value(value) for value in values])

        def found() -> list[Any]:
            ((told,),) = asked.fetchall()
            return msgspec.json.decode(told) if told else []

        return found

    def scan(self, query: str, *values: object) -> Iterator[Any]:
        with self._connection.cursor(f"scan{next(self._cursors)}") as cursor:
            cursor.itersize = SCANNED_AT_ONCE
            yield from cursor.execute(_spoken(query), [_value(value) for value in values])

    def change(self, statement: str, *values: object) -> None:
        self._connection.execute(_spoken(statement), [_value(value) for value in values])

    def insert(self, table: str, rows: Iterable[Sequence[object]], conflict: str = "", columns: str = "") -> None:
        if rows := list(rows):
            self._connection.execute(*self.prepared(table, rows, conflict, columns))

    def update(self, table: str, columns: str, rows: Iterable[Sequence[object]]) -> None:
        if rows := list(rows):
            self._connection.execute(_alteration(table, columns), _arrays(rows, _types(table, columns)))

    def insert_new(self, table: str, rows: Sequence[Sequence[object]]) -> Asked[int]:
        """Leaves rows alone that are there, after waiting for whoever is about to write them; how many are new."""
        asked = self._connection.execute(*self.prepared(table, rows, "ON CONFLICT DO NOTHING"))

        def new() -> int:
            if self._pipeline is not None and asked.pgresult is None:
                self._pipeline.sync()
            return asked.rowcount

        return new

    @staticmethod
    def prepared(
        table: str, rows: Sequence[Sequence[object]], conflict: str, columns: str = ""
    ) -> tuple[bytes, list[Packed]]:
        """The statement that inserts these rows, and an array for each column."""
        return _insertion(table, conflict, columns), _arrays(rows, _types(table, columns))

    def next_account(self) -> int:
        """One alone is asked alone; a batch that opens more gets them by the block, and what is left over is lost."""
        if not self._numbers:
            rows = self.rows("SELECT nextval('account_no') FROM generate_series(1, ?)", self._block)
            self._numbers, self._block = [number for (number,) in reversed(rows)], BLOCK
        return int(self._numbers.pop())

    def damage(self) -> Iterator[str]:
        """Page checksums, where the server has them, have been checked by then: everything was read."""
        yield from ()


@lru_cache(maxsize=256)
def _spoken(query: str) -> bytes:
    return query.replace("?", "%s").encode()


@lru_cache(maxsize=64)
def _insertion(table: str, conflict: str, columns: str) -> bytes:
    into = f"{table} ({columns})" if columns else table
    given = _given(_types(table, columns))
    return f"INSERT INTO {into} SELECT * FROM {given} {conflict}".encode()  # noqa: S608 - names of our own


@lru_cache(maxsize=64)
def _alteration(table: str, columns: str) -> bytes:
    name, *others = columns.split(", ")
    told = ", ".join(f"{other} = told.{other}" for other in others)
    given = _given(_types(table, columns))
    return f"UPDATE {table} SET {told} FROM {given} AS told({columns}) WHERE {table}.{name} = told.{name}".encode()  # noqa: S608


@lru_cache(maxsize=64)
def _types(table: str, columns: str) -> tuple[str, ...]:
    """Of these columns, or of all."""
    types = TABLES[table].types
    return tuple(types[column] for column in columns.split(", ")) if columns else tuple(types.values())


def _given(types: Sequence[str]) -> str:
    return f"unnest({', '.join(f'%s::{type_}[]' for type_ in types)})"


def _arrays(rows: Sequence[Sequence[object]], types: Sequence[str]) -> list[Packed]:
    return list(map(packed, zip(*rows, strict=True), types))


def _value(value: object) -> object:
    return listed(value) if isinstance(value, Sequence) and not isinstance(value, str | bytes) else value
