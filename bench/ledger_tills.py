"""Sixty-four tills that sync at once through several ledger processes on one PostgreSQL database.

Each till sells on cards of its own; in every second round one row of ten is on the same card for all of them. Run as
`python -m bench.ledger_tills URL FIRST COUNT BATCHES HOT` it is one ledger process with the tills FIRST, FIRST + 1…
"""

import itertools
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec
from rich.table import Table

from bench.figures import percentile
from bench.ledger_batches import POLICY, PRODUCTION, BareServer, Queue, middle, rate
from bench.sales import sale
from ledger.commands.serve import collect_seldom
from ledger.postgres.book import PostgresBook
from offline_queue.entry import Card, Entry
from tests.ledger.cluster import Cluster, cluster

TILLS = 64
PROCESSES = 2
CLERKS = 4
SIZE = 100
HOT_CARD = Card("2990000000017")
MODES = {"each on its own cards": False, "one row of ten on a card shared by all": True}
BARE = "bare UNNEST load, one connection"


def run(*, quick: bool) -> Table:
    """A row for each kind of load, a round of each in turn."""
    rounds, batches = (2, 2) if quick else (6, 6)
    rates: dict[str, list[float]] = {}
    waits: dict[str, list[float]] = {mode: [] for mode in MODES}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tilld-bench-", dir="/var/tmp")))
        folder.chmod(0o755)  # the servers run as a user of their own
        books, bare = (stack.enter_context(cluster(*PRODUCTION, within=folder)) for _ in range(2))
        load = stack.enter_context(closing(BareServer(bare)))
        storm(books, batches, hot=True)
        for _ in range(rounds):
            for mode, hot in MODES.items():
                speed, each = storm(books, batches, hot=hot)
                rates.setdefault(mode, []).append(speed)
                waits[mode] += each
            rates.setdefault(BARE, []).append(rate([load.firsts(SIZE) for _ in range(TILLS)], SIZE))
        deadlocks = books.log().count("deadlock detected")
        with closing(PostgresBook(books.url)) as book:
            sound = book.verify().ok
    return table(rates, waits, deadlocks, sound=sound)


def storm(books: Cluster, batches: int, *, hot: bool) -> tuple[float, list[float]]:
    """Rows a second of all tills together, and how long each batch waited for its answer."""
    share = TILLS // PROCESSES
    command = [sys.executable, "-m", "bench.ledger_tills", books.url]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [*command, *map(str, (first, share, batches, int(hot)))],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=Path(__file__).parents[1],
                )
            )
            for first in range(0, TILLS, share)
        ]
        assert all(process.stdout and process.stdout.readline() == "ready\n" for process in processes)
        started = time.perf_counter()
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        told = [answered(process) for process in processes]
        took = time.perf_counter() - started
    return TILLS * batches * SIZE / took, list(itertools.chain.from_iterable(told))


def answered(process: "subprocess.Popen[str]") -> list[float]:
    assert process.stdout
    return msgspec.json.decode(process.stdout.readline(), type=list[float])


def main(url: str, first: int, count: int, batches: int, *, hot: bool) -> None:
    """As many calls at once as a ledger process makes; the batches are made beforehand."""
    collect_seldom()
    with closing(PostgresBook(url, policy=POLICY)) as book:
        ready = []
        for number in range(first, first + count):
            terminal = f"S{number:03d}-T01"
            book.enrol(terminal, bytes(32))
            queue = Queue(terminal)
            sold = [till_sales(number, terminal, hot=hot) for _ in range(batches)]
            ready.append([(terminal, *queue.batch(entries, book.generation)) for entries in sold])
        rounds = list(itertools.chain.from_iterable(zip(*ready, strict=True)))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()

        def deliver(index: int) -> float:
            """The batches of one till come one after the other: each clerk keeps to its own tills."""
            started = time.perf_counter()
            book.take(*rounds[index])
            return time.perf_counter() - started

        def serve(clerk: int) -> list[float]:
            return [deliver(index) for index in range(len(rounds)) if index % count % CLERKS == clerk]

        with ThreadPoolExecutor(CLERKS) as clerks:
            waits = list(itertools.chain.from_iterable(clerks.map(serve, range(CLERKS))))
        sys.stdout.write(msgspec.json.encode(waits).decode() + "\n")


def till_sales(till: int, terminal: str, *, hot: bool) -> list[Entry]:
    return [
        msgspec.structs.replace(
            sale(),
            terminal=terminal,
            card=HOT_CARD if hot and number % 10 == 0 else Card(f"29{till:03d}{number:08d}"),
        )
        for number in range(SIZE)
    ]


def table(rates: dict[str, list[float]], waits: dict[str, list[float]], deadlocks: int, *, sound: bool) -> Table:
    shown = Table(title=f"{TILLS} tills at once, batches of {SIZE}, {PROCESSES} ledger processes, one PostgreSQL")
    for heading in ("", "records a second", "÷ own cards", "p50 ms", "p99 ms"):
        shown.add_column(heading, justify="right" if heading else "left")
    own = middle(rates[next(iter(MODES))])
    for name, samples in rates.items():
        times = [f"{percentile(waits[name], percent) * 1e3:,.0f}" for percent in (50, 99)] if name in waits else []
        shown.add_row(name, f"{middle(samples):,.0f}", f"{middle(samples) / own:.2f}", *times)
    shown.caption = f"Deadlocks in the server's log: {deadlocks}. The books verify: {'yes' if sound else 'NO'}."
    return shown


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]), hot=sys.argv[5] == "1")
