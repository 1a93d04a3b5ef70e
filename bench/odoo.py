"""What Odoo's point of sale gets from a proxy: tilld beside odoo-driver, in the same run on the same machine.

odoo-driver is installed from PyPI into a virtual environment that lives as long as this bench. It has no scanner route:
what happens at its devices reaches the point of sale when that asks for the status, every 5 s.
"""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.table import Table

from bench.figures import percentile
from bench.http_sale import wait_for
from bench.idle import children, memory
from drivers.simulated import Tap, tap
from tests.acceptance.rig import Process, TillProcess, free_port

ORIGIN: Final = "https://shop.odoo.com"
ODOO_DRIVER: Final = "odoo-driver==3.1.1"
ODOO: Final = f'[hw_proxy]\nenabled = true\ncard_numbers = true\norigins = ["{ORIGIN}"]'
STATUS_EVERY_S: Final = 5
"""Odoo's own interval (hardware_proxy_service.js)."""
SETTLE_S: Final = 5
STARTS: Final = 5
ASKED: Final = 300
CARDS: Final = 60


@dataclass(frozen=True)
class Contender:
    """`start` returns when hello is answered; `pids` are all of its processes."""

    name: str
    port: int
    start: Callable[[], None]
    stop: Callable[[], object]
    pids: Callable[[], list[int]]


def run(*, quick: bool) -> Table:
    """Seconds from the command to the first `ping`, MB when idle, and milliseconds of Odoo's own calls."""
    share = 5 if quick else 1
    table = Table(title="A hardware proxy for Odoo's point of sale, no device attached")
    for heading in ("proxy", "start s", "RSS MB", "PSS MB", "hello p50 ms", "status p50 ms", "card to POS p50 ms"):
        table.add_column(heading, justify="left" if heading == "proxy" else "right")
    with tempfile.TemporaryDirectory(prefix="tilld-bench-") as name:
        folder = Path(name)
        till = tilld(folder / "tilld")
        figures(table, till, share, lambda: [f"{1e3 * card_to_pos(folder / 'tilld', till.port, CARDS // share):.1f}"])
        try:
            rival = odoo_driver(folder / "odoo-driver")
        except subprocess.CalledProcessError as error:
            table.caption = f"odoo-driver is not measured, it could not be installed: {(error.stderr or '')[-200:]}"
            return table
        figures(table, rival, share, lambda: [f"polled: 0 to {STATUS_EVERY_S * 1000:,}"])
    return table


def figures(table: Table, contender: Contender, share: int, event: Callable[[], list[str]]) -> None:
    starts = []
    for _ in range(max(1, STARTS // share)):
        begun = time.perf_counter()
        contender.start()
        starts.append(time.perf_counter() - begun)
        contender.stop()
    contender.start()
    try:
        time.sleep(SETTLE_S)
        pids = contender.pids()
        sizes = [f"{sum(memory(pid, kind) for pid in pids):.0f}" for kind in ("Rss", "Pss")]
        calls = [
            f"{1e3 * percentile(asked(contender.port, *call, ASKED // share), 50):.2f}"
            for call in (("GET", "hello"), ("POST", "status_json"))
        ]
        table.add_row(contender.name, f"{percentile(starts, 50):.2f}", *sizes, *calls, *event())
    finally:
        contender.stop()


def tilld(folder: Path) -> Contender:
    till = TillProcess(folder, "http://127.0.0.1:9", extra=ODOO)

    def pids() -> list[int]:
        assert till.child is not None
        return [till.child.pid, *children(till.child.pid)]

    return Contender("tilld", till.port, till.start, till.stop, pids)


def odoo_driver(folder: Path) -> Contender:
    """Raises CalledProcessError where it cannot be installed."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
    python = folder / "bin" / "python"
    install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", ODOO_DRIVER]
    subprocess.run(install, check=True, capture_output=True, text=True)
    port, process = free_port(), Process(folder / "odoo-driver.log")
    command = [str(folder / "bin" / "odoo-driver"), "--address", "127.0.0.1", "--port", str(port), "--unsecure"]

    def start() -> None:
        process.spawn(command, {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"})
        wait_for(port)

    def pids() -> list[int]:
        assert process.child is not None
        return [process.child.pid, *children(process.child.pid)]

    return Contender(ODOO_DRIVER.replace("==", " "), port, start, process.kill, pids)


def asked(port: int, method: str, name: str, count: int) -> list[float]:
    """Seconds of each call, on one connection, as Odoo's page sends it."""
    took = []
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        for _ in range(count):
            begun = time.perf_counter()
            ask(connection, method, name)
            took.append(time.perf_counter() - begun)
    return took


def ask(connection: http.client.HTTPConnection, method: str, name: str) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": {}, "id": 1}) if method == "POST" else None
    headers = {"Origin": ORIGIN, **({"Content-Type": "application/json"} if body else {})}
    connection.request(method, f"/hw_proxy/{name}", body, headers)
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status == 200, (answer.status, text)
    return text


def card_to_pos(folder: Path, port: int, cards: int) -> float:
    """Median seconds from a tap at the simulated reader to Odoo's answer, which waits for it."""
    [socket] = (folder / "state").rglob("simulated.sock")
    took = []
    for number in range(cards):
        card = f"2990{number:09d}"
        with waiting(port, card) as heard:
            begun = time.perf_counter()
            tap(socket, Tap(card))
            took.append(heard() - begun)
    return percentile(took, 50)


@contextlib.contextmanager
def waiting(port: int, card: str) -> Iterator[Callable[[], float]]:
    """A page that waits for this card; the time at which it had it."""
    at: list[float] = []

    def wait() -> None:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            while card.encode() not in ask(connection, "POST", "scanner"):
                pass
            at.append(time.perf_counter())

    page = threading.Thread(target=wait)
    page.start()
    # The page's question must be there first; nothing at the till tells when it is.
    time.sleep(0.05)

    def heard() -> float:
        page.join(30)
        return at[0]

    yield heard
