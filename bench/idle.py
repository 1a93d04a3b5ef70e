"""What a till costs while nobody is at the counter: memory and processor time of the daemon and its readers."""

import os
import tempfile
import time
from pathlib import Path

from rich.table import Table

from tests.acceptance.rig import LedgerProcess, TillProcess
from tests.virtual.pcscd import VirtualPcscd, missing

SECONDS = 20
READERS = '[[reader]]\nname = "counter"\ndriver = "pcsc"\n[[reader]]\nname = "simulated"\ndriver = "simulated"\n'
TICKS = os.sysconf("SC_CLK_TCK")


def run(*, quick: bool) -> Table:
    """MB of resident memory (and of this process's share of it), and percent of one core."""
    seconds = SECONDS // 4 if quick else SECONDS
    table = Table(title=f"Idle till over {seconds} s, the ledger reachable")
    for heading in ("process", "RSS MB", "PSS MB", "CPU % of a core"):
        table.add_column(heading, justify="left" if heading == "process" else "right")
    if why := missing():
        table.caption = f"not measured: {why}"
        return table
    with tempfile.TemporaryDirectory(prefix="tilld-bench-") as name, VirtualPcscd() as pcscd:
        folder = Path(name)
        ledger = LedgerProcess(folder)
        till = TillProcess(folder, f"http://127.0.0.1:{ledger.port}", readers=READERS)
        try:
            ledger.start("--enrolment", "open")
            till.start(pcscd.environment)
            till.drain()
            assert till.child is not None
            fill(table, till.child.pid, seconds)
        finally:
            till.stop()
            ledger.stop()
    return table


def fill(table: Table, daemon: int, seconds: int) -> None:
    family = {daemon: "daemon"} | {child: role(child) for child in children(daemon)}
    before = {pid: ticks(pid) for pid in family}
    time.sleep(seconds)
    total = [0.0, 0.0, 0.0]
    for pid, name in family.items():
        spent = (ticks(pid) - before[pid]) / TICKS / seconds * 100
        figures = [memory(pid, "Rss"), memory(pid, "Pss"), spent]
        total = [a + b for a, b in zip(total, figures, strict=True)]
        table.add_row(name, *(f"{figure:.1f}" for figure in figures[:2]), f"{spent:.2f}")
    table.add_row("together", *(f"{figure:.1f}" for figure in total[:2]), f"{total[2]:.2f}", style="bold")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()] + [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        if task.name != str(pid)
        for child in (task / "children").read_text().split()
    ]


def role(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return "reader " + words[words.index(b"drivers.worker") + 1].decode()


def ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def memory(pid: int, kind: str) -> float:
    """From smaps_rollup, in MB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no {kind} of {pid}")
