"""The books as the office uses them: cards, tills, statements and checks. What it changes is an entry of its own."""

import sqlite3
from pathlib import Path
from typing import BinaryIO, NoReturn

from ledger.audit import invariants
from ledger.books import backup
from ledger.books.export import BooksExport
from ledger.books.receipts import Signer
from ledger.books.settling import Settling
from ledger.facts.case import Decision
from ledger.facts.policy import Policy
from ledger.port.cards import Registration
from ledger.port.conflicts import Conflict, Flagged, Settled
from ledger.port.explanation import Explanation
from ledger.port.problems import refused
from ledger.port.refusals import NotRecorded
from ledger.port.statements import Statement
from ledger.port.terminals import Terminal
from ledger.port.upkeep import Cleared, Verification
from ledger.rules.own_entries import OFFICE, own_entry
from ledger.rules.records import MAX_NUMBER, plausible
from ledger.rules.write_offs import cutoff
from ledger.sheet.sheet import Sheet
from ledger.tables import changes, clearing, keys, office, revocation
from ledger.tables.balances import TablesBalances
from ledger.tables.engine import Engine, Tables
from ledger.tables.explanation import TablesExplanation
from ledger.tables.feed import TablesFeed
from ledger.tables.lineage import TablesLineage
from ledger.tables.pen import TablesPen
from ledger.tables.streams import generation_in
from offline_queue.entry import MAX_POINTS, Card, Correction, Entry, Kind, Resolution, encode
from offline_queue.timepiece import Timepiece, rfc3339


class _Seen(Exception):
    """Ends a transaction that was for looking alone, so that nothing of it stays."""

    def __init__(self, conflict: Conflict | None) -> None:
        super().__init__()
        self.conflict = conflict


class Office:
    """See port.book.Book for what each call does."""

    def __init__(self, engine: Engine, policy: Policy, timepiece: Timepiece) -> None:
        self._engine, self._policy, self._timepiece = engine, policy, timepiece
        self.clerks = engine.clerks
        self.generation = engine.read(generation_in) or engine.write(self._named)

    def public_key(self, terminal: str) -> bytes | None:
        return self._engine.read(lambda tables: _key(tables, terminal))

    def terminal_keys(self, terminal: str) -> list[bytes]:
        return self._engine.read(lambda tables: keys.terminal_keys(tables, [terminal]).get(terminal, []))

    def credited(self, entry: str) -> str | None:
        def look(tables: Tables) -> str | None:
            source = self._engine.source(tables)
            names = [entry, *source.duplicates([entry]).values()]
            accounts = list(source.homes(names).values())
            rows = tables.rows("SELECT number FROM card WHERE account = ANY(?) ORDER BY number", accounts)
            return rows[0][0] if rows else None

        return self._engine.write(look)

    def enrol(self, terminal: str, public_key: bytes, *, replace: bool = False) -> bool:
        def let_in(tables: Tables) -> bool:
            known = _key(tables, terminal, hold=True)
            if known is None:
                tables.change(
                    "INSERT INTO terminal (name, public_key, enrolled_at) VALUES (?, ?, ?)",
                    *(terminal, public_key, self._timepiece.unix_ms()),
                )
            elif known != public_key:
                if not replace or terminal == OFFICE:
                    return False
                tables.change("UPDATE terminal SET public_key = ? WHERE name = ?", public_key, terminal)
            if known != public_key:
                self._keep_key(tables, terminal, public_key)
            if replace:
                revocation.lift(tables, terminal, public_key)
            return True

        return self._engine.write(let_in)

    def backup(self, path: Path) -> int:
        self._engine.copy(path)
        try:
            marks = backup.marks_in(path)
        except sqlite3.Error as error:
            raise NotRecorded(f"the backup at {path} is not sound ({error}); it counts for nothing") from error
        return self._engine.write(lambda tables: backup.cover(tables, marks))

    def begin_backup(self) -> str:
        now = rfc3339(self._timepiece.unix_ms())
        return self._engine.write(lambda tables: backup.begin(tables, now))

    def declare_backup(self) -> int:
        return self._engine.write(backup.declare)

    def revoke(self, terminal: str, reason: str) -> bool:
        now = self._timepiece.unix_ms()
        return self._engine.write(lambda tables: revocation.revoke(tables, terminal, now, reason))

    def acknowledge(self, terminal: str) -> int | None:
        def looked(tables: Tables) -> int | None:
            known = _key(tables, terminal, hold=True) is not None
            return TablesLineage(tables, self._timepiece.unix_ms()).acknowledge(terminal) if known else None

        return self._engine.write(looked)

    def _keep_key(self, tables: Tables, terminal: str, public_key: bytes) -> None:
        """A terminal may come back to a key that it had before."""
        had = tables.rows("SELECT 1 FROM terminal_key WHERE terminal = ? AND public_key = ?", terminal, public_key)
        if not had:
            tables.insert("terminal_key", [(terminal, public_key, self._timepiece.unix_ms(), None, None)])
            changes.tell_key(tables, terminal, public_key)

    def register(self, number: str, points: int = 0) -> Registration:
        if not plausible(number) or not 0 <= points <= MAX_POINTS:
            raise refused("malformed", f"1 to {MAX_NUMBER} printable characters and 0 to {MAX_POINTS} points")

        def open_account(tables: Tables) -> Registration:
            sheet = self._sheet(tables)
            opened = sheet.register(number)
            given = self._enter(self._opening(number, points), sheet, tables) if points else None
            TablesPen(tables).write(sheet)
            if given is None:
                return Registration(number, opened, 0, None, None)
            return Registration(number, opened, given.effect, given.code, given.detail)

        return self._engine.write(open_account)

    def expire(self, after: tuple[int, int] = (0, 0)) -> Cleared:
        before = cutoff(self._timepiece.unix_ms(), self._policy.programme.write_off_after_days)
        return self._engine.write(lambda tables: clearing.clear(tables, self._sheet(tables), before, after))

    def statement(self, number: str) -> Statement | None:
        return self._engine.read(lambda tables: office.statement(tables, number, self._feed(tables)))

    def explanation(self, number: str) -> Explanation | None:
        return self._engine.read(
            lambda tables: TablesExplanation(tables, self._feed(tables), self._policy).explanation(number)
        )

    def terminals(self) -> list[Terminal]:
        return self._engine.read(office.terminals)

    def flagged(self) -> list[Flagged]:
        return self._engine.read(office.flagged)

    def conflict(self, name: str) -> Conflict | None:
        def look(tables: Tables) -> NoReturn:
            raise _Seen(self._settling(tables).look(name))

        try:
            self._engine.write(look)
        except _Seen as seen:
            return seen.conflict

    def resolve(self, name: str, resolution: Resolution, points: int | None, author: str, reason: str) -> Settled:
        def settle(tables: Tables) -> Settled:
            settled, sheet = self._settling(tables).settle(Correction(author, reason, name, resolution, points))
            TablesPen(tables).write(sheet)
            return settled

        return self._engine.write(settle)

    def _settling(self, tables: Tables) -> Settling:
        return Settling(
            tables,
            self._engine.source(tables),
            lambda: self._sheet(tables),
            lambda entry, sheet: self._enter(entry, sheet, tables),
            self._timepiece.unix_ms(),
        )

    def verify(self) -> Verification:
        now, programme = self._timepiece.unix_ms(), self._policy.programme

        def look(tables: Tables) -> Verification:
            return invariants.verify(tables, now, programme, self._engine.source(tables).key_hash)

        return self._engine.read(look)

    def export(
        self, out: BinaryIO, terminal: str | None = None, stream: str | None = None, signer: Signer | None = None
    ) -> int:
        return BooksExport(self._engine, signer, rfc3339(self._timepiece.unix_ms())).write(out, terminal, stream)

    def close(self) -> None:
        self._engine.close()

    def _named(self, tables: Tables) -> str:
        """New books get their generation, and the office its terminal, from whoever comes first."""
        generation = self._timepiece.random(16).hex()
        first = [("generation", generation), ("recovered", generation)]
        tables.insert("fact", first, "ON CONFLICT (name) DO NOTHING")
        tables.change(
            "INSERT INTO terminal (name, public_key, enrolled_at) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING",
            *(OFFICE, b"", self._timepiece.unix_ms()),
        )
        return generation_in(tables) or generation

    def _sheet(self, tables: Tables) -> Sheet:
        return Sheet(self._engine.source(tables), self._policy, self._timepiece.unix_ms())

    def _feed(self, tables: Tables) -> TablesFeed:
        return TablesFeed(tables, TablesBalances(tables, self._timepiece.unix_ms(), self._policy.programme.zone))

    def _opening(self, number: str, points: int) -> Entry:
        """Opening points, once per card because the key names the card."""
        now = self._timepiece.unix_ms()
        return own_entry(Kind.EARN, f"opening:{number}", now, points=points, card=Card(number), rule="opening@1")

    def _enter(self, entry: Entry, sheet: Sheet, tables: Tables) -> Decision:
        """Takes an entry of the office's own into the log, and decides it like any other."""
        item = self._engine.source(tables).enter(encode(entry))
        sheet.judge([item])
        return next(ruling.decision for ruling in reversed(sheet.rulings) if ruling.item == item)


def _key(tables: Tables, terminal: str, *, hold: bool = False) -> bytes | None:
    query = "SELECT public_key FROM terminal WHERE name = ?"
    rows = tables.rows(f"{query} FOR UPDATE" if hold else query, terminal)
    return bytes(rows[0][0]) if rows else None
