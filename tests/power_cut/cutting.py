"""Processes whose power is cut: started, watched by what they acknowledge, and stopped when the test says so."""

import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
ACKNOWLEDGED: Final = 300
"""About as many as are acknowledged before a cut."""
DEADLINE_S: Final = 60.0


class Victim:
    """A running process and what it has acknowledged."""

    def __init__(self, process: "subprocess.Popen[bytes]", acks: Path, threads: int) -> None:
        self.process = process
        self.acks = acks
        self.threads = threads

    def acknowledged(self) -> tuple[int, ...]:
        return struct.unpack(f"={self.threads}Q", self.acks.read_bytes())

    def wait_for(self, number: int) -> None:
        """Until so many appends were acknowledged."""
        deadline = time.monotonic() + DEADLINE_S
        while sum(self.acknowledged()) < number:
            assert self.process.poll() is None, "the victim has died by itself"
            assert time.monotonic() < deadline, f"only {self.acknowledged()} acknowledged"

    def stop(self) -> None:
        """Returns when the process stands still: nothing is acknowledged after this."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)


@contextmanager
def running(module: Sequence[str], acks: Path, threads: int) -> Iterator[Victim]:
    """`module` with its arguments, to which the number of threads is added."""
    acks.write_bytes(bytes(8 * threads))
    process = subprocess.Popen([sys.executable, "-m", *module, str(threads)], cwd=ROOT)
    try:
        yield Victim(process, acks, threads)
    finally:
        process.kill()
        process.wait(DEADLINE_S)
