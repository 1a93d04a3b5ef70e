"""What the rules ask of the books, from SQLite: one statement per question, however many keys it has."""

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from ledger.facts import Code, First, Original, Right, RightState, Standing
from ledger.lots import Lot
from ledger.source import Item
from ledger.sqlite_file import SEQ_BITS
from offline_queue.entry import State, Undecodable, decode
from offline_queue.wire import MAX_BATCH

SEQ_MASK = (1 << SEQ_BITS) - 1


def key_hash(key: str) -> int:
    """64 bits of a key, with sign as SQLite has it."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)


def as_array(values: Iterable[str] | Iterable[int]) -> str:
    """For `json_each`: a list of any length as one parameter."""
    return msgspec.json.encode(list(values)).decode()


class SqliteSource:
    """Reads through the connection of the running transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._next_account: int | None = None

    def _rows(self, query: str, *parameters: object) -> list[Any]:
        return self._connection.execute(query, parameters).fetchall()

    def firsts(self, keys: Sequence[str]) -> dict[str, First]:
        """Only a record whose whole key is equal counts; the index knows 64 bits of it."""
        wanted = set(keys)
        found: dict[str, First] = {}
        for number, raw in self._rows(
            "SELECT r.no, r.bytes FROM json_each(?) k CROSS JOIN claim c ON c.hash = k.value"
            " JOIN record r ON r.no = c.record",
            as_array(map(key_hash, keys)),
        ):
            try:
                entry = decode(raw)
            except Undecodable:  # a key is only ever claimed by what an equal or older version could read
                continue
            if entry.key in wanted:
                state, code = self.ruling(number)
                found[entry.key] = First(number, entry, state, code)
        return found

    def ruling(self, record: int) -> tuple[State, Code]:
        """The last decision on a record."""
        state, code = self._connection.execute(
            "SELECT state, code FROM decision WHERE record <= ? AND record > ? AND record + count > ?"
            " ORDER BY record DESC, n DESC LIMIT 1",
            (record, record - MAX_BATCH, record),
        ).fetchone()
        return State(state), Code(code)

    def cards(self, numbers: Sequence[str]) -> dict[str, int]:
        return dict(
            self._rows(
                "SELECT c.number, c.account FROM json_each(?) k CROSS JOIN card c ON c.number = k.value",
                as_array(numbers),
            )
        )

    def standings(self, accounts: Sequence[int]) -> dict[int, Standing]:
        query = "SELECT a.no, a.balance, a.reserved FROM json_each(?) k CROSS JOIN account a ON a.no = k.value"
        return {row[0]: Standing(*row) for row in self._rows(query, as_array(accounts))}

    def originals(self, entries: Sequence[str]) -> dict[str, Original]:
        """The first posting of each entry, with what reversals took of it."""
        query = """
            SELECT p.entry, p.record, p.account, p.points, r.bytes,
                   (SELECT coalesce(sum(abs(v.points)), 0) FROM posting v WHERE v.original = p.record)
            FROM json_each(?) k CROSS JOIN posting p ON p.entry = k.value JOIN record r ON r.no = p.record
            ORDER BY p.record DESC"""
        return {
            entry: Original(record, decode(raw).kind, account, points, undone)
            for entry, record, account, points, raw, undone in self._rows(query, as_array(entries))
        }

    def duplicates(self, entries: Sequence[str]) -> dict[str, str]:
        query = "SELECT d.entry, d.first FROM json_each(?) k CROSS JOIN duplicate d ON d.entry = k.value"
        return dict(self._rows(query, as_array(entries)))

    def rights(self, ids: Sequence[str]) -> dict[str, Right]:
        query = """
            SELECT a.id, a.terminal, a.stream, a.card, a.points, a.account, a.state, a.code
            FROM json_each(?) k CROSS JOIN allowance a ON a.id = k.value"""
        rows = self._rows(query, as_array(ids))
        return {row[0]: _right(*row) for row in rows}

    def waiting(self, reasons: Sequence[str]) -> dict[str, list[Item]]:
        if not self._rows("SELECT 1 FROM waiting LIMIT 1"):
            return {}
        query = """
            SELECT w.reason, w.record FROM json_each(?) k
            CROSS JOIN waiting w ON w.reason = k.value ORDER BY w.record"""
        found: dict[str, list[Item]] = {}
        for reason, record in self._rows(query, as_array(reasons)):
            found.setdefault(reason, []).append(self.item(record))
        return found

    def item(self, record: int) -> Item:
        uid, terminal, raw = self._connection.execute(
            "SELECT s.uid, s.terminal, r.bytes FROM record r JOIN stream s ON s.no = r.no >> ? WHERE r.no = ?",
            (SEQ_BITS, record),
        ).fetchone()
        return Item(record, uid, record & SEQ_MASK, terminal, raw)

    def enrolled(self, terminals: Sequence[str]) -> dict[str, bool]:
        query = "SELECT t.name FROM json_each(?) k CROSS JOIN terminal t ON t.name = k.value"
        return {name: True for (name,) in self._rows(query, as_array(terminals))}

    def open_lots(self, account: int) -> list[Lot]:
        query = "SELECT record, earned_at, points, remaining FROM lot WHERE account = ? AND remaining <> 0"
        return [Lot(*row) for row in self._rows(query, account)]

    def trail(self, redemption: int) -> tuple[list[tuple[int, int]], list[Lot]]:
        moves = self._rows(
            "SELECT lot, points FROM move"
            " WHERE record IN (SELECT ?1 UNION ALL SELECT record FROM posting WHERE original = ?1)",
            redemption,
        )
        query = """
            SELECT l.record, l.earned_at, l.points, l.remaining FROM json_each(?) k
            CROSS JOIN lot l ON l.record = k.value"""
        lots = self._rows(query, as_array(dict.fromkeys([redemption, *(lot for lot, _ in moves)])))
        return moves, [Lot(*row) for row in lots]

    def new_account(self) -> int:
        """The caller holds the only write transaction, so counting on is safe."""
        if self._next_account is None:
            self._next_account = self._rows("SELECT coalesce(max(no), 0) FROM account")[0][0]
        self._next_account += 1
        return self._next_account


def _right(
    name: str, terminal: str, stream: str, card: str, points: int, account: int | None, state: str, code: str | None
) -> Right:
    return Right(name, terminal, stream, card, points, account, RightState(state), code)
