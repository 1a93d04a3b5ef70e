"""What the rules ask of the books, from their tables: one statement per question, however many keys it has.

As it stands it is for an engine with one writer at a time, where nothing needs to be held.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Final

from ledger.facts.cards import CardStatus, Listing
from ledger.facts.case import Enrolled, First, Item, Original, Shown
from ledger.facts.codes import Code
from ledger.facts.rights import Right
from ledger.points.lots import Lot
from ledger.points.standing import Standing
from ledger.rules.claims import as_told
from ledger.rules.confirming import Link
from ledger.rules.corrections import Dispute, Spoken, original
from ledger.rules.instants import Anchor
from ledger.rules.own_entries import OFFICE, own_stream
from ledger.rules.records import bounded
from ledger.sheet.offline_days import Day
from ledger.sheet.source import Asked, Asking
from ledger.tables import circumstances, disputes
from ledger.tables.engine import SEQ_BITS, SEQ_MASK, Tables
from ledger.tables.hashes import short_hash
from ledger.tables.keys import terminal_keys
from ledger.tables.rights import TablesRights
from ledger.tables.streams import TablesStreams, generation_in
from offline_queue.entry import State, Undecodable, decode
from offline_queue.wire import MAX_BATCH

FIRSTS = f"""
    SELECT c.record, r.bytes, d.state, d.code, c.hash FROM claim c
    JOIN record r ON r.no = c.record JOIN stream s ON s.no = c.record >> {SEQ_BITS}
    JOIN decision d ON d.terminal = s.terminal AND d.n = (
        SELECT o.n FROM decision o WHERE o.terminal = s.terminal AND o.record <= c.record
        AND o.record > c.record - {MAX_BATCH} AND o.record + o.count > c.record
        ORDER BY o.record DESC, o.n DESC LIMIT 1)
    WHERE c.hash = ANY(?)"""  # noqa: S608 - numbers of our own
"""Who has a key, with the last decision on that record."""

NOBODY: Final[Asking] = {}
LISTING = "number, account, marked, successor, told"
CARDS = f"SELECT {LISTING} FROM card WHERE number = ANY(?)"  # noqa: S608 - our own columns
STANDING = "no, balance, reserved, usable_from, usable_until, merged_into"
STANDINGS = f"SELECT {STANDING} FROM account WHERE no = ANY(?) ORDER BY no FOR UPDATE"  # noqa: S608 - our own columns
LOT = "record, earned_at, points, remaining, active_at, expires_at, written_off"


def merged_into(tables: Tables, account: int) -> list[int]:
    """Accounts whose points went to this one, on whatever way."""
    query = """
        WITH RECURSIVE giver (no) AS (
            SELECT no FROM account WHERE merged_into = ?
            UNION SELECT a.no FROM account a JOIN giver g ON a.merged_into = g.no)
        SELECT no FROM giver ORDER BY no"""
    return [no for (no,) in tables.rows(query, account)]


def listings(rows: Iterable[Sequence[Any]]) -> dict[str, Listing]:
    """Rows of LISTING."""
    return {
        number: Listing(account, CardStatus(marked) if marked else None, successor, told)
        for number, account, marked, successor, told in rows
    }


def firsts(keys: Container[str], rows: Iterable[Sequence[Any]], asking: Asking = NOBODY) -> dict[str, First]:
    """Rows of FIRSTS, as far as they are about these keys; see Source.claim for `asking`."""
    found: dict[str, First] = {}
    read = {item.raw: entry for item, entry in asking.values()}
    for record, raw, state, code, *_ in rows:
        try:
            entry = read.get(raw) or as_told(decode(raw))
        except Undecodable:  # a key is only ever claimed by what an equal or older version could read
            continue
        if entry.key in keys:
            found[entry.key] = First(record, entry, State(state), Code(code))
    return found


class TablesSource:
    """See source.Source. Reads within the running transaction."""

    keeps_names = False

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._rights = TablesRights(tables)
        self._gave: dict[int, list[int]] = {}
        """Accounts that this batch has emptied into each; the books do not say so yet."""

    def enrolled(self, terminals: Sequence[str]) -> dict[str, Enrolled]:
        return circumstances.enrolled(self._tables, terminals)

    def anchors(self, boots: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Anchor]:
        return circumstances.anchors(self._tables, boots)

    def offline_days(self, days: Sequence[Day]) -> dict[Day, int]:
        return circumstances.offline_days(self._tables, days)

    def receipts(self, names: Mapping[str, int]) -> dict[str, int]:
        held = circumstances.receipts(self._tables, names)
        free = {name: record for name, record in names.items() if name not in held}
        self._tables.insert("receipt", circumstances.receipt_rows(free))
        return held

    def shown(self, subjects: Sequence[str]) -> dict[str, Shown]:
        return circumstances.shown(self._tables, subjects)

    def let_go(self, keys: Mapping[str, int], receipts: Mapping[str, int]) -> None:
        query = "DELETE FROM claim WHERE hash = ANY(?) AND record = ANY(?) RETURNING record"
        self._tables.rows(query, [self.key_hash(key) for key in keys], list(keys.values()))
        circumstances.let_receipts_go(self._tables, receipts)

    @staticmethod
    def key_hash(key: str) -> int | bytes:
        """What the index of idempotency keys knows of one."""
        return short_hash(key)

    def keys(self, terminals: Sequence[str]) -> dict[str, list[bytes]]:
        return terminal_keys(self._tables, terminals)

    def kin(self, number: str) -> list[str]:
        query = "SELECT k.number FROM card c JOIN card k ON k.account = c.account WHERE c.number = ?"
        return [found for (found,) in self._tables.rows(query, number)]

    def claim(self, keys: Mapping[str, int], asking: Asking = NOBODY) -> Asked[dict[str, First]]:
        """The index knows 64 bits of a key; only a record whose whole key is equal has it."""
        hashes = list(map(short_hash, keys))
        found = firsts(keys, self._tables.rows(FIRSTS, hashes), asking)
        wanted = zip(hashes, keys.items(), strict=True)
        self._tables.insert("claim", [(hash_, record) for hash_, (key, record) in wanted if key not in found])
        return lambda: found

    def announce(self, entries: Mapping[str, int]) -> Asked[list[str]]:
        awaited = list(entries) if self._tables.rows("SELECT 1 FROM waiting LIMIT 1") else []
        return lambda: awaited

    def take_back(self, entries: Mapping[str, int]) -> None:
        """They are only written with all that a batch has done."""

    def rights(self, ids: Sequence[str]) -> dict[str, Right]:
        return self._rights.held(ids)

    def cards(self, numbers: Sequence[str]) -> Asked[dict[str, Listing]]:
        asked = self._tables.many(LISTING, CARDS, numbers)
        return lambda: listings(asked())

    def expect(self, numbers: Sequence[str]) -> dict[str, Listing]:
        return self.cards(numbers)()

    def homes(self, entries: Sequence[str]) -> dict[str, int]:
        return dict(self._tables.rows("SELECT entry, account FROM posting WHERE entry = ANY(?)", entries))

    def named(self, names: Sequence[str]) -> dict[str, int]:
        return disputes.named(self._tables, names)

    def disputes(self, records: Sequence[int]) -> dict[int, Dispute]:
        return disputes.disputes(self._tables, records)

    def spoken(self, records: Sequence[int]) -> dict[int, tuple[int, Spoken]]:
        return disputes.spoken(self._tables, records)

    def duplicates(self, entries: Sequence[str]) -> dict[str, str]:
        names = {bounded(entry): entry for entry in entries}
        rows = self._tables.rows("SELECT entry, first FROM duplicate WHERE entry = ANY(?)", list(names))
        return {names[name]: first for name, first in rows}

    def standings(self, accounts: Sequence[int]) -> dict[int, Standing]:
        return {row[0]: Standing(*row) for row in self._tables.many(STANDING, STANDINGS, accounts)()}

    def originals(self, entries: Sequence[str]) -> dict[str, Original]:
        """The first posting of each entry, with what reversals took of it."""
        return self._originals("p.entry = ANY(?)", entries)

    def waiting(self, reasons: Sequence[str]) -> dict[str, list[Item]]:
        query = f"""
            SELECT w.reason, w.record, s.uid, s.terminal, r.bytes, s.flag FROM waiting w
            JOIN record r ON r.no = w.record JOIN stream s ON s.no = w.record >> {SEQ_BITS}
            WHERE w.reason = ANY(?) ORDER BY w.record"""  # noqa: S608 - a number of our own
        found: dict[str, list[Item]] = {}
        for reason, record, uid, terminal, raw, flag in self._tables.rows(query, reasons):
            branch = Code(flag) if flag else None
            found.setdefault(reason, []).append(Item(record, uid, record & SEQ_MASK, terminal, raw, branch))
        return found

    def take_up(self, records: Sequence[int]) -> set[int]:
        rows = self._tables.rows("DELETE FROM waiting WHERE record = ANY(?) RETURNING record", records)
        return {record for (record,) in rows}

    def open_lots(self, account: int) -> list[Lot]:
        query = f"SELECT {LOT} FROM lot WHERE account = ? AND remaining <> 0"  # noqa: S608 - our own columns
        return [Lot(*row) for row in self._tables.rows(query, account)]

    def written_off(self, account: int) -> list[Lot]:
        query = f"SELECT {LOT} FROM lot WHERE account = ? AND written_off > 0"  # noqa: S608 - our own columns
        return [Lot(*row) for row in self._tables.rows(query, account)]

    def makers(self, account: int, records: Sequence[int]) -> dict[int, str]:
        query = "SELECT record, entry FROM posting WHERE account = ANY(?) AND record = ANY(?)"
        return dict(self._tables.rows(query, self._makers_of(account), records))

    def entered(self) -> int:
        return TablesStreams(self._tables).mark(own_stream(generation_in(self._tables) or ""))

    def enter(self, record: bytes) -> Item:
        streams, uid = TablesStreams(self._tables), own_stream(generation_in(self._tables) or "")
        _, (item,) = streams.keep(OFFICE, uid, streams.end(OFFICE, uid, record), [record])
        return item

    def trail(self, account: int, redemption: int) -> tuple[list[tuple[int, int]], list[Lot]]:
        rows = self._tables.rows("SELECT record FROM posting WHERE original = ?", redemption)
        moves = self._tables.rows(
            "SELECT lot, points FROM move WHERE account = ? AND record = ANY(?)",
            account,
            [redemption, *(record for (record,) in rows)],
        )
        touched = list(dict.fromkeys([redemption, *(lot for lot, _ in moves)]))
        query = f"SELECT {LOT} FROM lot WHERE account = ? AND record = ANY(?)"  # noqa: S608 - our own columns
        return moves, [Lot(*row) for row in self._tables.rows(query, account, touched)]

    def new_account(self) -> int:
        return self._tables.next_account()

    def move_account(self, giver: int, taker: int) -> None:
        """Postings stay where they were made; lots are found by them."""
        made = self._makers_of(giver)
        self._gave[taker] = [*self._gave.get(taker, ()), *made]
        for table in ("lot", "move"):
            self._tables.change(
                f"UPDATE {table} SET account = ? WHERE account = ?"  # noqa: S608 - our own names
                " AND record IN (SELECT record FROM posting WHERE account = ANY(?))",
                *(taker, giver, made),
            )
        self._tables.change("UPDATE card SET account = ? WHERE account = ?", taker, giver)
        open_ = "account = ? AND state IN ('open', 'locked')"
        self._tables.change(f"UPDATE allowance SET account = ? WHERE {open_}", taker, giver)  # noqa: S608

    def _makers_of(self, account: int) -> list[int]:
        """The accounts under whose postings the lots of this one were made."""
        return [account, *merged_into(self._tables, account), *self._gave.get(account, ())]

    def links(self, terminal: str, uid: str, end: str) -> list[Link]:
        return self._rights.links(terminal, uid, end)

    def spent(self, uid: str) -> int:
        return self._rights.spent(uid)

    def _originals(self, condition: str, values: Sequence[object]) -> dict[str, Original]:
        query = f"""
            SELECT p.entry, p.record, p.account, p.points, r.bytes,
                   (SELECT CAST(coalesce(sum(v.points), 0) AS BIGINT) FROM posting v WHERE v.original = p.record)
            FROM posting p JOIN record r ON r.no = p.record WHERE {condition} ORDER BY p.record DESC"""  # noqa: S608
        rows = self._tables.rows(query, values)
        words = disputes.words(self._tables, [record for _, record, *_ in rows])
        return {
            entry: original(record, decode(raw).kind, account, points, undone, words.get(record, ()))
            for entry, record, account, points, raw, undone in rows
        }
