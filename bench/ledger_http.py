"""The whole way of a backlog: a till's journal, its courier, HTTP, the ledger as a process of its own, its database.

Beside it, in the same run, the bare load of the same rows into PostgreSQL, and pgbench's TPC-B. Till, ledger, server
and client of the database share one machine and its disk.
"""

import functools
import itertools
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.table import Table

from bench.append import with_rows_behind
from bench.figures import percentile
from bench.ledger_batches import (
    BATCHES,
    CARDS,
    POSTGRES,
    PRODUCTION,
    SQLITE,
    BareServer,
    middle,
    pgbench,
    rate,
    transactions,
)
from bench.sales import TIMEPIECE, sale
from offline_queue.courier import Courier, Exchange
from offline_queue.entry import Card, Entry
from offline_queue.ledger_client import HttpLedger
from offline_queue.requests import Identity
from offline_queue.steps import SendRecords
from offline_queue.terminal_key import public_key
from tests.acceptance.rig import LedgerProcess
from tests.ledger.cluster import cluster

PARTS: Final = 10
TRIAL: Final = ("--enrolment", "open", "--unknown-cards", "register")
BARE_BATCH: Final = BATCHES[-1]


@dataclass
class Drained:
    """`moments`: after each batch, the seconds since the start and the records in custody; seconds of each batch."""

    moments: list[tuple[float, int]] = field(default_factory=list)
    batches: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)

    @property
    def speed(self) -> float:
        took, records = self.moments[-1]
        return records / took

    def tenths(self) -> list[float]:
        """Records a second in each tenth of the way."""
        total = self.moments[-1][1]
        ends = [next(moment for moment in self.moments if moment[1] >= total * n / PARTS) for n in range(1, PARTS + 1)]
        return [(b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.pairwise([(0.0, 0), *ends])]


@contextmanager
def serving(folder: Path, url: str | None = None) -> Iterator[LedgerProcess]:
    """A ledger process with open enrolment; on SQLite, or on the database that `url` names."""
    folder.mkdir()
    ledger = LedgerProcess(folder)
    ledger.database = url or ledger.database
    ledger.start(*TRIAL)
    try:
        yield ledger
    finally:
        ledger.stop()


def run(*, quick: bool) -> Table:
    """A row for each database."""
    rows = 20_000 if quick else 1_000_000
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tilld-bench-", dir="/var/tmp")))
        folder.chmod(0o755)  # the servers run as a user of their own
        books, bare, yard = (stack.enter_context(cluster(*PRODUCTION, within=folder)) for _ in range(3))
        load = stack.enter_context(closing(BareServer(bare)))
        pgbench(yard, "-i", "-s", "10", "-q")
        yards, drained = [], {}
        for name, url in {SQLITE: None, POSTGRES: books.url}.items():
            home = folder / name.replace(" ", "-").replace(",", "")
            with serving(home, url) as ledger:
                drained[name] = drain(home, f"http://127.0.0.1:{ledger.port}", rows)
            yards.append(transactions(yard, 1, 2 if quick else 5))
        bare = loaded(load, rows)
    return table(drained, rows, bare, middle(yards))


def loaded(load: BareServer, rows: int) -> float:
    """Rows a second of as many as a till's backlog has: books that grow take them more slowly."""
    took = [1 / rate([load.firsts(BARE_BATCH)], BARE_BATCH) for _ in range(rows // BARE_BATCH)]
    return len(took) / sum(took)


def drain(home: Path, url: str, rows: int) -> Drained:
    """Appends a backlog and lets the courier carry it; how the till's own memory grew meanwhile."""
    numbers = itertools.count()
    journal = with_rows_behind(rows, home, functools.partial(on_many_cards, numbers))
    key = Ed25519PrivateKey.generate()
    done = Drained(memory_mb=[resident_mb()])
    identity = Identity("S001-T01", public_key(key), "bench")
    ledger = HttpLedger(url, identity.terminal, key)
    with closing(journal), closing(journal.store.reader()) as reader, closing(ledger):
        courier = Courier(journal.store, reader, ledger, TIMEPIECE, identity, lambda *_: None)
        started, accepted = time.perf_counter(), 0
        while accepted < rows:
            begun = time.perf_counter()
            exchange = courier.step()
            assert isinstance(exchange, Exchange), "a ledger for one till alone has no reason to make it wait"
            assert exchange.trouble is None, exchange.trouble
            if isinstance(exchange.step, SendRecords):
                accepted += exchange.accepted
                done.moments.append((time.perf_counter() - started, accepted))
                done.batches.append(time.perf_counter() - begun)
                if len(done.moments) % 50 == 0:
                    done.memory_mb.append(resident_mb())
    done.memory_mb.append(resident_mb())
    return done


def on_many_cards(numbers: "itertools.count[int]") -> Entry:
    return msgspec.structs.replace(sale(), card=Card(f"29900{next(numbers) % CARDS:08d}"))


def resident_mb() -> float:
    """What this process holds in memory now (proc(5), statm)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def table(drained: dict[str, Drained], rows: int, bare: float, tpc_b: float) -> Table:
    shown = Table(title=f"{rows:,} queued sales of one till, by its courier over HTTP into the ledger")
    headings = ("", "records/s", "÷ bare load", "slowest tenth ÷ mean", "batch p50 ms", "p99 ms", "TPC-B", "memory")
    for heading in headings:
        shown.add_column(heading, justify="right" if heading else "left")
    for name, done in drained.items():
        p50, p99 = (percentile(done.batches, percent) for percent in (50, 99))
        shown.add_row(
            name.removesuffix(", one stream"),
            f"{done.speed:,.0f}",
            f"{done.speed / bare:.2f}",
            f"{min(done.tenths()) / done.speed:.2f}",
            f"{p50 * 1e3:.0f}",
            f"{p99 * 1e3:.0f}",
            f"{p50 * tpc_b:.0f}",
            f"{done.memory_mb[0]:.0f} + {max(done.memory_mb) - done.memory_mb[0]:.0f} MB",
        )
    shown.caption = (
        f"Bare UNNEST load of as many rows in the same run: {bare:,.0f} records/s. TPC-B: pgbench transactions in a"
        f" batch's time, of {tpc_b:,.0f}/s with one client. Memory: the till's, before and what it grew by. Batches"
        " grow to 1,000 by themselves; a sale is 580 bytes, gzip on the wire."
    )
    return shown
