"""What each reader costs while nobody is at the counter: processor time and memory of its process alone.

All drivers that can run here, each with its virtual device; the camera looks at an empty counter, 1280 by 720 pixels
at 15 frames a second, as Motion JPEG from another process.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.idle import memory
from drivers.base import ReaderState
from tests.virtual import keyboard
from tests.virtual.keyboard import RecordedKeyboard
from tests.virtual.pcscd import VirtualPcscd, missing
from tests.virtual.pn532 import Pn532
from tests.virtual.serial_scanner import SerialScanner
from tests.virtual.watching import Watched

SECONDS = 20
SETTLE_S = 4.0
"""Imports, the first look and what a camera takes for a movement are over."""
FRAMES_A_SECOND = 15
BARS = {"camera": 35.0}
BAR = 1.0
"""Percent of one core."""

Options = dict[str, Any]


@contextmanager
def pcsc(_: Path) -> Iterator[Options]:
    with VirtualPcscd() as pcscd, environment(pcscd.environment):
        yield {"match": pcscd.names[0]}


@contextmanager
def contactless(folder: Path) -> Iterator[Options]:
    with Pn532(folder) as chip:
        chip.delay_s = 0.003  # as a real one needs for a command, about
        yield {"path": str(chip.path)}


@contextmanager
def camera(_: Path) -> Iterator[Options]:
    command = [sys.executable, "-m", "bench.idle_readers"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as empty_counter:
        assert empty_counter.stdout is not None
        try:
            yield {"source": f"http://127.0.0.1:{int(empty_counter.stdout.readline())}/camera.mjpg"}
        finally:
            empty_counter.kill()


@contextmanager
def serial_line(folder: Path) -> Iterator[Options]:
    with SerialScanner(folder) as scanner:
        yield {"port": str(scanner.port)}


@contextmanager
def keyboard_wedge(folder: Path) -> Iterator[Options]:
    with RecordedKeyboard(folder) as scanner, environment(scanner.environment):
        yield {"device": str(scanner.path)}


@contextmanager
def simulated(_: Path) -> Iterator[Options]:
    yield {}


Rig = Callable[[Path], "contextlib.AbstractContextManager[Options]"]
RIGS: tuple[tuple[Rig, Callable[[], str | None]], ...] = (
    (pcsc, missing),
    (contactless, lambda: None),
    (camera, lambda: None),
    (serial_line, lambda: None),
    (keyboard_wedge, keyboard.missing),
    (simulated, lambda: None),
)


def run(*, quick: bool) -> Table:
    """Percent of one core, and MB of resident memory."""
    seconds = SECONDS // 4 if quick else SECONDS
    table = Table(title=f"Each reader while nothing is shown, over {seconds} s")
    for heading in ("driver", "CPU % of a core", "bar", "RSS MB", "PSS MB"):
        table.add_column(heading, justify="left" if heading == "driver" else "right")
    for rig, why_not in RIGS:
        name = rig.__name__
        if why := why_not():
            table.add_row(name, why)
            continue
        with tempfile.TemporaryDirectory(prefix="tilld-bench-") as folder, rig(Path(folder)) as options:
            spent, rss, pss = measured(Path(folder), name, options, seconds)
        bar = BARS.get(name, BAR)
        table.add_row(
            name, f"{spent:.2f}", f"< {bar:g}" if spent < bar else f"MISSED: {bar:g}", f"{rss:.1f}", f"{pss:.1f}"
        )
    return table


def measured(folder: Path, driver: str, options: Options, seconds: int) -> tuple[float, float, float]:
    with Watched(folder, driver, options=options) as reader:
        pid = reader.state(ReaderState.READY).pid
        assert pid is not None
        time.sleep(SETTLE_S)
        before, begun = nanoseconds(pid), time.monotonic_ns()
        time.sleep(seconds)
        spent = (nanoseconds(pid) - before) / (time.monotonic_ns() - begun) * 100
        return spent, memory(pid, "Rss"), memory(pid, "Pss")


def nanoseconds(pid: int) -> int:
    """On a processor, all threads: the first figure of schedstat."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


@contextmanager
def environment(wanted: dict[str, str]) -> Iterator[None]:
    """For the children of this process, and put back."""
    before = dict(os.environ)
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class EmptyCounter(BaseHTTPRequestHandler):
    """A camera over a counter with nothing on it but noise, for ever."""

    pictures: tuple[bytes, ...] = ()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        due = time.monotonic()
        with contextlib.suppress(OSError):
            for at in range(1_000_000):
                picture = self.pictures[at % len(self.pictures)]
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                self.wfile.write(head.encode() + picture + b"\r\n")
                due += 1 / FRAMES_A_SECOND
                time.sleep(max(0.0, due - time.monotonic()))

    def log_message(self, *_: Any) -> None:
        """Quiet."""


def serve() -> None:
    import cv2

    from tests.virtual import worn

    wide = (cv2.resize(one, (1280, 720)) for one in worn.empty_frames(30, 1))
    EmptyCounter.pictures = tuple(
        cv2.imencode(".jpg", cv2.cvtColor(one, cv2.COLOR_GRAY2BGR))[1].tobytes() for one in wide
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), EmptyCounter)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve()
