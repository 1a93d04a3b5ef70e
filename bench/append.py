"""Durable appends: how many a second and how long each takes, for one caller and for 64.

The contenders take turns in short rounds, so whatever else the machine does hits all of them.
"""

import functools
import shutil
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from rich.table import Table

from bench import jetstream
from bench.contenders import BareFile, Contender, Journal, LiteQueue, PersistQueue, RawSqlite
from bench.figures import percentile
from bench.sales import DIGEST, REPLY, TIMEPIECE, sale
from bench.syncs import per_append
from offline_queue.entry import Entry
from offline_queue.journal import Origin
from offline_queue.store import Store

RAW = "raw sqlite3, WAL + FULL"
CALLERS = 64
BEHIND = 1_000_000
IN_FLIGHT = 512


@dataclass(frozen=True)
class Size:
    """How much is measured: appends of one caller a round, of each of the 64, rounds, and rows behind."""

    alone: int
    together: int
    rounds: int
    behind: int


FULL = Size(alone=100, together=20, rounds=80, behind=BEHIND)
QUICK = Size(alone=50, together=4, rounds=8, behind=20_000)


@dataclass
class Samples:
    """Seconds of each append, and of all rounds."""

    each: list[float] = field(default_factory=list)
    total: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.each) / self.total


def run(*, quick: bool) -> Table:
    """A row for each contender: with one caller, with 64."""
    size = QUICK if quick else FULL
    with ExitStack() as stack:
        # /tmp is often in memory, where a sync costs nothing.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tilld-bench-", dir="/var/tmp")))
        makers = contenders(folder, size.behind)
        syncs = {name: per_append(name, folder) for name in makers if "behind" not in name}
        field_ = {name: make(fresh(folder)) for name, make in makers.items()}
        for contender in field_.values():
            stack.callback(contender.close)
        alone, together = race(field_, size)
        return table(size, folder, alone, together, syncs)


def fresh(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder))


def contenders(folder: Path, behind: int) -> dict[str, Callable[[Path], Contender]]:
    """What is raced, by name."""
    makers: dict[str, Callable[[Path], Contender]] = {
        "fdatasync of a bare file": BareFile,
        RAW: RawSqlite,
        "tilld, empty": Journal,
        f"tilld, {behind:,} rows behind": functools.partial(with_rows_behind, behind),
        "persist-queue, as shipped": PersistQueue,
        "persist-queue, FULL": functools.partial(PersistQueue, synchronous="FULL"),
        "litequeue, as shipped": LiteQueue,
        "litequeue, FULL": functools.partial(LiteQueue, synchronous="FULL"),
    }
    program = jetstream.server()
    if program is not None:
        always = jetstream.can_sync_always(program, folder)
        name = f"NATS {jetstream.version(program)}, sync " + ("always" if always else "every 2 min, knows no other")
        makers[name] = functools.partial(jetstream.JetStream, always=always)
    return makers


def with_rows_behind(rows: int, folder: Path, made: Callable[[], Entry] = sale) -> Journal:
    """A journal that has seen so many sales, appended by the journal itself, without waiting for the disk."""
    store = Store.open(
        folder / "journal.db",
        origin=Origin("S001-T01", "bench", "tilld bench"),
        timepiece=TIMEPIECE,
        synchronous="normal",
    )
    flying = deque(store.submit(made(), REPLY, DIGEST) for _ in range(min(IN_FLIGHT, rows)))
    for _ in range(rows - len(flying)):
        flying.popleft().result()
        flying.append(store.submit(made(), REPLY, DIGEST))
    store.close()
    return Journal(folder)


def race(field_: dict[str, Contender], size: Size) -> tuple[dict[str, Samples], dict[str, Samples]]:
    alone = {name: Samples() for name in field_}
    together = {name: Samples() for name in field_}
    for contender in field_.values():
        append_alone(contender, size.alone * 4, Samples())
    for _ in range(size.rounds):
        for name, contender in field_.items():
            append_alone(contender, size.alone, alone[name])
    for _ in range(max(size.rounds // 8, 2)):
        for name, contender in field_.items():
            append_together(contender, size.together, together[name])
    return alone, together


def append_alone(contender: Contender, number: int, samples: Samples) -> None:
    entries = [sale() for _ in range(number)]
    started = time.perf_counter()
    samples.each += timed(contender, entries)
    samples.total += time.perf_counter() - started


def append_together(contender: Contender, number: int, samples: Samples) -> None:
    entries = [[sale() for _ in range(number)] for _ in range(CALLERS)]
    each: list[list[float]] = []
    ready = threading.Barrier(CALLERS + 1)

    def caller(mine: list[Entry]) -> None:
        ready.wait()
        each.append(timed(contender, mine))

    threads = [threading.Thread(target=caller, args=(mine,)) for mine in entries]
    for thread in threads:
        thread.start()
    ready.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    samples.total += time.perf_counter() - started
    samples.each += [sample for samples_of_one in each for sample in samples_of_one]


def timed(contender: Contender, entries: list[Entry]) -> list[float]:
    samples, before = [], time.perf_counter()
    for entry in entries:
        contender.append(entry)
        after = time.perf_counter()
        samples.append(after - before)
        before = after
    return samples


def table(
    size: Size, folder: Path, alone: dict[str, Samples], together: dict[str, Samples], syncs: dict[str, str]
) -> Table:
    shown = Table(title="Durable appends of a sale of 580 bytes, measured in turns")
    for heading in ("", "a second", "x raw, 1 caller", "p50 µs", "p99 µs", "samples", "syncs an append"):
        shown.add_column(heading, justify="right" if heading else "left", no_wrap=not heading)
    for title, race_of, last in (("1 caller", alone, syncs), (f"{CALLERS} callers", together, {})):
        shown.add_row(f"[bold underline]{title}")
        for name, samples in race_of.items():
            ratio = samples.rate / alone[RAW].rate
            times = [f"{percentile(samples.each, percent) * 1e6:,.0f}" for percent in (50, 99)]
            row = [f"{samples.rate:,.0f}", f"{ratio:.2f}", *times, f"{len(samples.each):,}", last.get(name, "")]
            shown.add_row(name, *row, style="bold" if name.startswith("tilld") else "")
        shown.add_section()
    shown.caption = caption(size, folder, alone)
    return shown


def caption(size: Size, folder: Path, alone: dict[str, Samples]) -> str:
    empty, full = (percentile(samples.each, 99) for name, samples in alone.items() if name.startswith("tilld"))
    return (
        f"{disk(folder)}. p99 with {size.behind:,} rows behind is {full / empty:.2f} times that of an empty journal."
        f" The {CALLERS} callers are threads; the others share one connection. Syncs are fdatasync and fsync as strace"
        " counts them for one caller, start and end included."
    )


def disk(folder: Path) -> str:
    """The file system under test."""
    if shutil.which("findmnt") is None:
        return f"In {folder.parent}"
    command = ["findmnt", "--noheadings", "--output", "FSTYPE,SOURCE", "--target", str(folder)]
    return " on ".join(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[:2])
