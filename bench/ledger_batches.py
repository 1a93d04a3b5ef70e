"""How many records a second the ledger takes into its books, decides and answers for, on SQLite and on PostgreSQL.

Beside it each engine alone: a bare load of the same rows into the same tables, one statement a table, one commit a
batch; and pgbench's TPC-B. The contenders take turns in short rounds. Server and clients share one machine
and its disk.
"""

import functools
import itertools
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import msgspec
from rich.table import Table

from bench.sales import sale
from ledger.commands.serve import collect_seldom
from ledger.facts.policy import Policy, UnknownCards
from ledger.port.book import Book
from ledger.postgres.arrays import Packed, teach
from ledger.postgres.book import PostgresBook
from ledger.postgres.tables import PostgresTables
from ledger.sqlite.book import SqliteBook
from ledger.sqlite.file import SqliteFile
from ledger.tables.engine import SEQ_BITS, Tables
from ledger.tables.hashes import long_hash, short_hash
from offline_queue.entry import GENESIS_HASH, Card, Entry, chain, encode
from offline_queue.wire import BatchHeader
from tests.ledger.cluster import Cluster, cluster, programs

BATCHES = (1, 100, 500, 1000)
CARDS = 5000
CLIENTS = 8
POLICY = Policy(UnknownCards.REGISTER)
PRODUCTION = ("shared_buffers=512MB", "max_wal_size=4GB", "checkpoint_timeout=15min")


class Queue:
    """A till's stream: numbers, hashes and bytes as it would send them."""

    _numbers = itertools.count(1)

    def __init__(self, terminal: str) -> None:
        self.terminal, self.uid = terminal, f"{next(self._numbers):032x}"
        self.sent, self.head = 0, GENESIS_HASH

    def batch(self, entries: Sequence[Entry], generation: str) -> tuple[BatchHeader, list[bytes]]:
        records = [encode(entry) for entry in entries]
        for record in records:
            self.head = chain(self.head, record)
        first = self.sent + 1
        self.sent += len(records)
        return BatchHeader("r", self.uid, first, len(records), self.head.hex(), generation), records


def sales(count: int, terminal: str, numbers: "itertools.count[int]") -> list[Entry]:
    return [
        msgspec.structs.replace(sale(), terminal=terminal, card=Card(f"29900{next(numbers) % CARDS:08d}"))
        for _ in range(count)
    ]


class Books:
    """A ledger that takes batches of a till; `again` sends the same sales in another stream."""

    def __init__(self, book: Book) -> None:
        self._book, self.terminal = book, "S001-T01"
        book.enrol(self.terminal, bytes(32))
        self._queue, self._copy = Queue(self.terminal), Queue(self.terminal)
        self._numbers = itertools.count()
        for _ in range(CARDS // 1000):
            self.load(sales(1000, self.terminal, self._numbers))

    def firsts(self, size: int) -> Callable[[], object]:
        return self._delivery(self._queue, sales(size, self.terminal, self._numbers))

    def load(self, entries: Sequence[Entry]) -> None:
        self._delivery(self._queue, entries)()

    def twice(self, size: int) -> tuple[Callable[[], object], Callable[[], object], Callable[[], object]]:
        """The same sales for the first time, in another stream (as after a restore), and the very same batch again."""
        entries = sales(size, self.terminal, self._numbers)
        first = self._delivery(self._queue, entries)
        return first, self._delivery(self._copy, entries), first

    def _delivery(self, queue: Queue, entries: Sequence[Entry]) -> Callable[[], object]:
        header, records = queue.batch(entries, self._book.generation)
        return lambda: self._book.take(self.terminal, header, records)


class BareLoad:
    """The rows of plain sales on known cards, made beforehand, into empty books of their own."""

    def __init__(self, columns: Callable[[str], dict[str, int | None]]) -> None:
        """`columns` tells those of a table in their order, with what stands where a row says nothing of them."""
        self._records, self._numbers, self._verdicts = itertools.count(1 << SEQ_BITS), itertools.count(), 0
        self._columns = functools.cache(columns)

    def accounts(self) -> list[tuple[Any, ...]]:
        return [self._whole("account", {"no": number + 1}) for number in range(CARDS)]

    def rows(self, size: int, key_hash: Callable[[str], Any]) -> dict[str, list[tuple[Any, ...]]]:
        """What a batch leaves behind, by table."""
        entries = sales(size, "S001-T01", self._numbers)
        made = [(next(self._records), entry, encode(entry)) for entry in entries]
        accounts = [int(entry.card.number[5:]) + 1 for entry in entries if entry.card]
        pairs = list(zip(made, accounts, strict=True))
        self._verdicts += 1
        load: dict[str, list[dict[str, Any]]] = {
            "record": [{"no": no, "hash": bytes(32), "bytes": raw} for no, _, raw in made],
            "claim": [
                {"hash": key, "record": no} for key, no in sorted((key_hash(entry.key), no) for no, entry, _ in made)
            ],
            "entry": [{"id": name, "record": no} for name, no in sorted((entry.id, no) for no, entry, _ in made)],
            "posting": [
                {"record": no, "entry": entry.id, "account": account, "points": 24, "code": "posted"}
                for (no, entry, _), account in pairs
            ],
            "lot": [{"record": no, "account": account, "points": 24, "remaining": 24} for (no, _, _), account in pairs],
            "decision": [
                {"terminal": "S001-T01", "n": self._verdicts, "record": made[0][0], "count": size, **POSTED},
            ],
            "account": [{"no": account, "balance": 24} for account in sorted(set(accounts))],
        }
        return {table: [self._whole(table, row) for row in rows] for table, rows in load.items()}

    def _whole(self, table: str, row: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(row.get(name, default) for name, default in self._columns(table).items())


class BareServer(BareLoad):
    """As arrays, one UNNEST a table; made of the rows in time, or `beforehand`, which no loader can."""

    def __init__(self, running: Cluster, *, beforehand: bool = False) -> None:
        super().__init__(self._asked)
        self._beforehand = beforehand
        with closing(PostgresBook(running.url)) as book:
            book.enrol("S001-T01", bytes(32))
        self._connection = running.connected()
        teach(self._connection)
        self._tables = PostgresTables(self._connection)
        self._tables.insert("account", self.accounts())

    def firsts(self, size: int) -> Callable[[], object]:
        rows = self.rows(size, long_hash)
        made = list(self._packed(rows)) if self._beforehand else None

        def run() -> None:
            with self._connection.transaction(), self._connection.pipeline():
                for statement, arrays in made or self._packed(rows):
                    self._connection.execute(statement, arrays)

        return run

    def _packed(self, load: dict[str, list[tuple[Any, ...]]]) -> Iterator[tuple[bytes, list[Packed]]]:
        for table, rows in load.items():
            yield self._tables.prepared(table, rows, UPSERT.get(table, ""))

    def close(self) -> None:
        self._connection.close()

    def _asked(self, table: str) -> dict[str, int | None]:
        query = """
            SELECT column_name, is_nullable FROM information_schema.columns
            WHERE table_schema = 'tilld' AND table_name = ? ORDER BY ordinal_position"""
        return {name: None if nullable == "YES" else 0 for name, nullable in self._tables.rows(query, table)}


class BareFile(BareLoad):
    """As tuples, one executemany a table; SQLite's books have no row in `entry` for what is posted."""

    def __init__(self, path: Path) -> None:
        super().__init__(self._asked)
        with closing(SqliteBook(path)) as book:
            book.enrol("S001-T01", bytes(32))
        self._engine = SqliteFile(path)
        self._engine.write(lambda tables: tables.insert("account", self.accounts()))

    def firsts(self, size: int) -> Callable[[], object]:
        made = self.rows(size, short_hash)
        del made["entry"]

        def load(_tables: Tables) -> None:
            for table, rows in made.items():
                places = ", ".join("?" * len(rows[0]))
                self._engine.connection.executemany(
                    f"INSERT INTO {table} VALUES ({places}) {UPSERT.get(table, '')}", rows
                )

        return lambda: self._engine.write(load)

    def close(self) -> None:
        self._engine.close()

    def _asked(self, table: str) -> dict[str, int | None]:
        columns = self._engine.connection.execute(f"PRAGMA table_info({table})")
        return {name: 0 if fixed else None for _, name, _, fixed, *_ in columns}


POSTED = {"state": "posted", "code": "posted"}
UPSERT = {"account": "ON CONFLICT (no) DO UPDATE SET balance = account.balance + excluded.balance"}


def rate(work: Sequence[Callable[[], object]], size: int) -> float:
    """Rows a second of these batches, one after the other."""
    started = time.perf_counter()
    for call in work:
        call()
    return len(work) * size / (time.perf_counter() - started)


def run(*, quick: bool) -> Table:
    """A row for each contender, a column for each size of batch; duplicates; the yardstick."""
    rows, rounds = (2000, 2) if quick else (8000, 5)
    collect_seldom()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tilld-bench-", dir="/var/tmp")))
        folder.chmod(0o755)  # the servers run as a user of their own
        with_books, bare, before, yard = (stack.enter_context(cluster(*PRODUCTION, within=folder)) for _ in range(4))
        sqlite = stack.enter_context(closing(SqliteBook(folder / "books.db", policy=POLICY)))
        postgres = stack.enter_context(closing(PostgresBook(with_books.url, policy=POLICY)))
        server = stack.enter_context(closing(BareServer(bare)))
        ready = stack.enter_context(closing(BareServer(before, beforehand=True)))
        file = stack.enter_context(closing(BareFile(folder / "bare.db")))
        field: dict[str, Books | BareFile | BareServer] = {
            SQLITE: Books(sqlite),
            BARE_FILE: file,
            POSTGRES: Books(postgres),
            BARE: server,
            BARE_BEFORE: ready,
        }
        rates: dict[tuple[str, int], list[float]] = {}
        repeats: dict[tuple[str, str], list[float]] = {}
        pgbench(yard, "-i", "-s", "10", "-q")
        tpc: dict[int, list[float]] = {1: [], CLIENTS: []}
        for _ in range(rounds):
            for size in BATCHES:
                number = max(2, min(rows // size, 300))
                for name, contender in field.items():
                    work = [contender.firsts(size) for _ in range(number)]
                    rates.setdefault((name, size), []).append(rate(work, size))
            for name in (SQLITE, POSTGRES):
                triples = [field[name].twice(1000) for _ in range(max(2, rows // 1000))]  # type: ignore[union-attr]
                for what, work in zip(REPEATS, zip(*triples, strict=True), strict=True):
                    repeats.setdefault((name, what), []).append(rate(work, 1000))
            for clients, samples in tpc.items():
                samples.append(transactions(yard, clients, 2 if quick else 5))
        return table(rates, repeats, tpc)


SQLITE, POSTGRES = "tilld on SQLite", "tilld on PostgreSQL"
BARE_FILE, BARE = "bare load of the same rows into SQLite", "bare UNNEST load of the same rows into PostgreSQL"
BARE_BEFORE = "bare UNNEST load, its arrays made beforehand"
BARE_OF = {SQLITE: (BARE_FILE,), POSTGRES: (BARE, BARE_BEFORE)}
REPEATS = ("new sales", "the same sales in another stream", "the same batch again")


def pgbench(running: Cluster, *arguments: str) -> str:
    command = [str(programs() / "pgbench"), "-h", str(running.folder), "-U", "till", *arguments, "postgres"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def transactions(running: Cluster, clients: int, seconds: int) -> float:
    """TPC-B-like transactions a second."""
    told = pgbench(running, "-n", "-c", str(clients), "-T", str(seconds))
    found = re.search(r"tps = ([\d.]+)", told)
    assert found, told
    return float(found[1])


def middle(samples: Sequence[float]) -> float:
    return sorted(samples)[len(samples) // 2]


def table(
    rates: dict[tuple[str, int], list[float]],
    repeats: dict[tuple[str, str], list[float]],
    tpc: dict[int, list[float]],
) -> Table:
    shown = Table(title="Records a second into the books, median of rounds measured in turns")
    shown.add_column("")
    for size in BATCHES:
        shown.add_column(f"batches of {size:,}", justify="right")
    for name, bares in BARE_OF.items():
        for told in (name, *bares):
            shown.add_row(told, *(f"{middle(rates[told, size]):,.0f}" for size in BATCHES))
        for bare in bares:
            shares = [middle(rates[name, size]) / middle(rates[bare, size]) for size in BATCHES]
            shown.add_row(f"{name} ÷ {bare}", *(f"{share:.2f}" for share in shares), style="bold")
    times = [size / middle(rates[POSTGRES, size]) * middle(tpc[1]) for size in BATCHES]
    shown.add_row("TPC-B transactions in the time of a batch", *(f"{cost:.1f}" for cost in times))
    shown.add_section()
    for name in (SQLITE, POSTGRES):
        for what in REPEATS:
            speed = f"{middle(repeats[name, what]):,.0f}"
            shown.add_row(f"{name}: {what}", "", "", "", speed)
    told = ", ".join(f"{clients} clients {middle(samples):,.0f}" for clients, samples in tpc.items())
    shown.caption = f"pgbench TPC-B at scale 10, transactions a second: {told}. A sale is 580 bytes; {CARDS:,} cards."
    return shown
