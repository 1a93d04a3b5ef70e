"""A backlog of a million sales of one till, in batches of 1,000: does the ledger stay as fast as the books grow?

Batches of the same kind go to SQLite and PostgreSQL in turn, and their rows to both as a bare load.
"""

import resource
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path

from rich.table import Table

from bench.ledger_batches import (
    BARE,
    BARE_BEFORE,
    BARE_FILE,
    BARE_OF,
    POLICY,
    POSTGRES,
    PRODUCTION,
    SQLITE,
    BareFile,
    BareServer,
    Books,
)
from ledger.commands.serve import collect_seldom
from ledger.postgres.book import PostgresBook
from ledger.sqlite.book import SqliteBook
from tests.ledger.cluster import cluster

BATCH = 1000
PARTS = 10


def run(*, quick: bool) -> Table:
    """A row for each contender, a column for each tenth of the way."""
    batches = 40 if quick else 1000
    collect_seldom()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tilld-bench-", dir="/var/tmp")))
        folder.chmod(0o755)  # the servers run as a user of their own
        books, bare, before = (stack.enter_context(cluster(*PRODUCTION, within=folder)) for _ in range(3))
        field: dict[str, Books | BareFile | BareServer] = {
            SQLITE: Books(stack.enter_context(closing(SqliteBook(folder / "books.db", policy=POLICY)))),
            POSTGRES: Books(stack.enter_context(closing(PostgresBook(books.url, policy=POLICY)))),
            BARE_FILE: stack.enter_context(closing(BareFile(folder / "bare.db"))),
            BARE: stack.enter_context(closing(BareServer(bare))),
            BARE_BEFORE: stack.enter_context(closing(BareServer(before, beforehand=True))),
        }
        spent: dict[str, list[float]] = {name: [] for name in field}
        memory = list[float]()
        for number in range(batches):
            if number % (batches // PARTS) == 0:
                memory.append(_memory_mb())
            for name, contender in field.items():
                deliver = contender.firsts(BATCH)
                started = time.perf_counter()
                deliver()
                spent[name].append(time.perf_counter() - started)
    return table(spent, memory)


def _memory_mb() -> float:
    """What this process has in memory: all contenders, with SQLite's two caches of up to 256 MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def table(spent: dict[str, list[float]], memory: list[float]) -> Table:
    number = len(spent[BARE])
    step = number // PARTS
    shown = Table(title=f"{number * BATCH:,} sales of one till: thousands a second in each tenth of the way")
    shown.add_column("")
    for part in range(PARTS):
        shown.add_column(f"{part + 1}", justify="right")
    shown.add_column("whole", justify="right")
    shown.add_column("last ÷ first", justify="right")
    speeds = {name: _speeds(times, step) for name, times in spent.items()}
    for name, tenths in speeds.items():
        shown.add_row(name, *(f"{speed:.1f}" for speed in tenths), f"{tenths[-2] / tenths[0]:.2f}")
    for name, bare in [(name, bare) for name, bares in BARE_OF.items() for bare in bares]:
        shares = [own / load for own, load in zip(speeds[name], speeds[bare], strict=True)]
        shown.add_row(f"{name} ÷ {bare}", *(f"{share:.2f}" for share in shares), style="bold")
    told = ", ".join(f"{size:.0f}" for size in memory)
    shown.caption = f"Memory of the process with all of them in it, MB at the beginning of each tenth: {told}."
    return shown


def _speeds(times: list[float], step: int) -> list[float]:
    """Thousands a second in each part, and then in the whole."""
    parts = [times[first : first + step] for first in range(0, len(times), step)]
    return [BATCH * len(part) / sum(part) / 1000 for part in (*parts, times)]
