"""Sixty-four tills at once over HTTP into one ledger process on PostgreSQL, each on its own cards or some on one card.

Batches are made beforehand. Who is turned away comes again when the ledger says so, as a till does.
"""

import itertools
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.table import Table

from bench.figures import percentile
from bench.ledger_batches import PRODUCTION, Queue, middle
from bench.ledger_http import serving
from bench.ledger_tills import MODES, SIZE, TILLS, till_sales
from offline_queue.ledger_answers import TransientLedgerError
from offline_queue.ledger_client import HttpLedger
from offline_queue.terminal_key import public_key
from offline_queue.timepiece import rfc3339
from offline_queue.wire import BatchHeader, Hello
from tests.ledger.cluster import cluster

ANSWER_S: Final = 60.0


class Told(NamedTuple):
    """Of one till: seconds of each batch as the till waited for it, and how often it was turned away."""

    waits: list[float]
    turned_away: int


class Till:
    """A till with a key of its own and batches to deliver."""

    def __init__(self, url: str, number: int) -> None:
        self._number, self.terminal = number, f"S{number:03d}-T01"
        key = Ed25519PrivateKey.generate()
        self._ledger = HttpLedger(url, self.terminal, key, answer_s=ANSWER_S)
        hello = Hello("r", self.terminal, public_key(key), 1, 1, "bench", [], rfc3339(time.time_ns() // 1_000_000))
        self._generation = self._ledger.hello(hello).generation
        self._queue = Queue(self.terminal)

    def batches(self, count: int, *, hot: bool) -> list[tuple[BatchHeader, list[bytes]]]:
        made = (till_sales(self._number, self.terminal, hot=hot) for _ in range(count))
        return [self._queue.batch(entries, self._generation) for entries in made]

    def deliver(self, batches: list[tuple[BatchHeader, list[bytes]]]) -> Told:
        waits, turned_away = [], 0
        for header, records in batches:
            started = time.perf_counter()
            while True:
                try:
                    self._ledger.send(header, records)
                except TransientLedgerError as busy:
                    turned_away += 1
                    time.sleep(busy.retry_after_s or 1.0)
                else:
                    break
            waits.append(time.perf_counter() - started)
        return Told(waits, turned_away)

    def close(self) -> None:
        self._ledger.close()


def run(*, quick: bool) -> Table:
    """A row for each kind of load, rounds of each in turn."""
    rounds, count = (2, 2) if quick else (5, 6)
    rates: dict[str, list[float]] = {mode: [] for mode in MODES}
    told: dict[str, list[Told]] = {mode: [] for mode in MODES}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tilld-bench-", dir="/var/tmp")))
        folder.chmod(0o755)  # the servers run as a user of their own
        books = stack.enter_context(cluster(*PRODUCTION, within=folder))
        ledger = stack.enter_context(serving(folder / "ledger", books.url))
        url = f"http://127.0.0.1:{ledger.port}"
        tills = [stack.enter_context(closing(Till(url, number))) for number in range(TILLS)]
        threads = stack.enter_context(ThreadPoolExecutor(TILLS))
        for mode, hot in itertools.chain(MODES.items(), *(MODES.items() for _ in range(rounds))):
            batches = [till.batches(count, hot=hot) for till in tills]
            started = time.perf_counter()
            answers = list(threads.map(Till.deliver, tills, batches))
            rates[mode].append(TILLS * count * SIZE / (time.perf_counter() - started))
            told[mode] += answers
        deadlocks = books.log().count("deadlock detected")
    return table({mode: samples[1:] for mode, samples in rates.items()}, told, deadlocks)


def table(rates: dict[str, list[float]], told: dict[str, list[Told]], deadlocks: int) -> Table:
    shown = Table(title=f"{TILLS} tills at once over HTTP, batches of {SIZE}, one ledger process, one PostgreSQL")
    for heading in ("", "records a second", "÷ own cards", "p50 ms", "p99 ms", "turned away"):
        shown.add_column(heading, justify="right" if heading else "left")
    own = middle(next(iter(rates.values())))
    for mode, samples in rates.items():
        waits = list(itertools.chain.from_iterable(each.waits for each in told[mode]))
        times = (f"{percentile(waits, percent) * 1e3:,.0f}" for percent in (50, 99))
        away = sum(each.turned_away for each in told[mode])
        shown.add_row(mode, f"{middle(samples):,.0f}", f"{middle(samples) / own:.2f}", *times, f"{away:,}")
    shown.caption = (
        f"Deadlocks in the server's log: {deadlocks}. Waits as the tills saw them, second attempts included."
    )
    return shown
