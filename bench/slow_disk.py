"""The same appends on a disk as tills have them: every sync takes longer, by a library loaded before libc.

The disk of a bench machine often syncs in 30 microseconds, because its cache is safe or its promise is not. What is
slow in a shop is the sync, and that is what a group commit shares.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.table import Table

from bench.append import QUICK, RAW, Samples, Size, race
from bench.contenders import BareFile, Journal, RawSqlite
from bench.figures import percentile

SIZE = Size(alone=50, together=10, rounds=24, behind=0)
DELAYS_US = (150, 1000)
SOURCE = Path(__file__).with_name("slow_sync.c")
FIELD = {"fdatasync of a bare file": BareFile, RAW: RawSqlite, "tilld": Journal}


def run(*, quick: bool) -> Table:
    """A row for each delay, contender and number of callers; ratios within one delay."""
    table = Table(title="Durable appends where every sync takes longer")
    for heading in ("sync +", "contender", "callers", "a second", "x raw, 1 caller", "p50 µs", "p99 µs"):
        table.add_column(heading, justify="left" if heading == "contender" else "right")
    with tempfile.TemporaryDirectory(prefix="tilld-bench-", dir="/var/tmp") as name:
        library = Path(name) / "slow_sync.so"
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
        for delay in DELAYS_US:
            add(table, delay, measured(library, delay, "quick" if quick else "full"))
            table.add_section()
    return table


def measured(library: Path, delay_us: int, how: str) -> dict[str, dict[str, list[float]]]:
    """Appends a second and seconds of each, by callers and contender, from a process of its own."""
    environment = {**os.environ, "LD_PRELOAD": str(library), "DELAY_US": str(delay_us)}
    command = [sys.executable, "-m", "bench.slow_disk", how]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def add(table: Table, delay_us: int, figures: dict[str, dict[str, list[float]]]) -> None:
    raw = figures["1"][RAW][0]
    for callers, by_name in figures.items():
        for name, (rate, *each) in by_name.items():
            times = [f"{percentile(each, percent) * 1e6:,.0f}" for percent in (50, 99)]
            ratio = f"{rate / raw:.2f}"
            style = "bold" if name == "tilld" else ""
            table.add_row(f"{delay_us} µs", name, callers, f"{rate:,.0f}", ratio, *times, style=style)


def main(how: str) -> None:
    with tempfile.TemporaryDirectory(prefix="tilld-bench-", dir="/var/tmp") as name:
        contenders = {}
        for number, (title, make) in enumerate(FIELD.items()):
            folder = Path(name) / str(number)
            folder.mkdir()
            contenders[title] = make(folder)
        alone, together = race(contenders, QUICK if how == "quick" else SIZE)
        for contender in contenders.values():
            contender.close()
    json.dump({"1": told(alone), "64": told(together)}, sys.stdout)


def told(samples: dict[str, Samples]) -> dict[str, list[float]]:
    return {name: [of_one.rate, *of_one.each] for name, of_one in samples.items()}


if __name__ == "__main__":
    main(sys.argv[1])
