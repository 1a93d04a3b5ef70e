"""The reader's process and its parent's end."""

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import msgspec

from drivers.base import NoteWish
from drivers.worker import LOOK, Orders, serve


class Waiting:
    """A reader without its device: it ends the process's work when it is told to look."""

    def __init__(self, ending: threading.Event, *, told: threading.Event) -> None:
        self._ending, self._told = ending, told

    def open(self) -> None: ...
    def close(self) -> None: ...

    def read(self, timeout_s: float) -> None:
        self._told.wait(timeout_s)

    def look_now(self) -> None:
        self._ending.set()


def test_a_reader_that_waits_for_its_device_hears_that_one_has_come() -> None:
    """The order to look goes between two reads, beside the wishes for notes; neither is taken for the other."""
    source, control = os.pipe()
    orders, ending = Orders(source), threading.Event()
    wish = NoteWish("slot", "04", b"note")
    os.write(control, msgspec.json.encode(wish) + b"\n" + msgspec.json.encode(LOOK) + b"\n")
    threading.Thread(target=orders.follow, args=(ending,), daemon=True).start()
    serve(Waiting(ending, told=orders.look), orders, ending, io.BytesIO(), notes=False)
    assert ending.is_set()
    assert orders.wishes.get(timeout=60) == wish


def test_a_parent_that_was_killed_leaves_no_traceback(tmp_path: Path) -> None:
    """Its log is read by a technician; the reader gives its device back and ends without a word."""
    heard, told = os.pipe()
    command = [sys.executable, "-m", "drivers.worker", "simulated", "counter", str(told)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[told]) as worker:
        os.close(told)
        assert worker.stdin is not None
        worker.stdin.write(b'{"folder":"%s"}\n' % os.fsencode(tmp_path))
        worker.stdin.flush()
        assert b"ready" in os.read(heard, 4096)
        os.close(heard)
        worker.wait(60)
        _, errors = worker.communicate()
    assert (worker.returncode, errors) == (0, b"")
    assert not (tmp_path / "counter.sock").exists()
