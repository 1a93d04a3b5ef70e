"""A backlog of a million sales of one till, in batches of 1,000: does the ledger stay as fast as the books grow?

The same batches go to SQLite and PostgreSQL in turn, and their rows to PostgreSQL as a bare load.
"""

import resource
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path

from rich.table import Table

from bench.ledger_batches import BARE, POLICY, POSTGRES, PRODUCTION, SQLITE, BareLoad, Books
from ledger.postgres_book import PostgresBook
from ledger.sqlite_book import SqliteBook
from tests.ledger.cluster import cluster

BATCH = 1000
PARTS = 10


def run(*, quick: bool) -> Table:
    """A row for each contender, a column for each tenth of the way."""
    batches = 40 if quick else 1000
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tilld-bench-", dir="/var/tmp")))
        folder.chmod(0o755)  # the servers run as a user of their own
        books, bare = (stack.enter_context(cluster(*PRODUCTION, within=folder)) for _ in range(2))
        field: dict[str, Books | BareLoad] = {
            SQLITE: Books(stack.enter_context(closing(SqliteBook(folder / "books.db", policy=POLICY)))),
            POSTGRES: Books(stack.enter_context(closing(PostgresBook(books.url, policy=POLICY)))),
            BARE: stack.enter_context(closing(BareLoad(bare))),
        }
        spent: dict[str, list[float]] = {name: [] for name in field}
        memory = [_memory_mb()]
        for _ in range(batches):
            for name, contender in field.items():
                deliver = contender.firsts(BATCH)
                started = time.perf_counter()
                deliver()
                spent[name].append(time.perf_counter() - started)
        memory.append(_memory_mb())
    return table(spent, memory)


def _memory_mb() -> float:
    """The most that this process has used, all three contenders in it."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def table(spent: dict[str, list[float]], memory: list[float]) -> Table:
    number = len(spent[BARE])
    step = number // PARTS
    shown = Table(title=f"{number * BATCH:,} sales of one till: thousands a second in each tenth of the way")
    shown.add_column("")
    for part in range(PARTS):
        shown.add_column(f"{part + 1}", justify="right")
    shown.add_column("whole", justify="right")
    for name, times in spent.items():
        tenths = [times[first : first + step] for first in range(0, number, step)]
        speeds = [BATCH * len(part) / sum(part) for part in tenths]
        shown.add_row(name, *(f"{speed / 1000:.1f}" for speed in speeds), f"{BATCH * number / sum(times) / 1000:.1f}")
    shown.caption = f"Memory of the process, books of all: {memory[0]:.0f} MB before, {memory[1]:.0f} MB at most."
    return shown
