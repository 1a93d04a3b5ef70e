"""A person at a terminal: a real pseudo-terminal, on which a program is read and typed to."""

import contextlib
import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

DEADLINE_S = 90
AGAIN_S = 3.0
CTRL_C = "\x03"
TAB = "\t"


class Person:
    """What the program has written is `seen`; each wait goes on after what was waited for before."""

    def __init__(self, line: int, process: "subprocess.Popen[bytes]") -> None:
        self._line, self.process = line, process
        self.seen = ""
        self._read = 0

    def sees(self, text: str) -> str:
        """Waits until it is there; gives what was written before it."""
        deadline = time.monotonic() + DEADLINE_S
        while (at := self.seen.find(text, self._read)) < 0:
            assert self._takes(deadline), f"{text!r} never came:\n{self.seen[self._read :]}"
        before, self._read = self.seen[self._read : at], at + len(text)
        return before

    def types(self, text: str) -> None:
        os.write(self._line, text.encode())

    def answers(self, question: str, text: str = "") -> None:
        """Waits for the question; Enter after the answer."""
        self.sees(question)
        self.types(f"{text}\n")

    def leaves(self) -> int:
        """Waits for the program's end; its exit code."""
        deadline = time.monotonic() + DEADLINE_S
        while self._takes(deadline):
            pass
        return self.process.wait(DEADLINE_S)

    def interrupts(self) -> int:
        """Presses Ctrl-C, again where nothing happens, as people do: one that comes just before the program begins to
        read is only noticed with the next key (Python's input()). Its exit code."""
        deadline = time.monotonic() + DEADLINE_S
        while self.process.poll() is None and time.monotonic() < deadline:
            self.types(CTRL_C)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(AGAIN_S)
        return self.leaves()

    def _takes(self, deadline: float) -> bool:
        """False when the program has ended, or the time is up."""
        ready, _, _ = select.select([self._line], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            part = os.read(self._line, 65536)
        except OSError:  # Linux says EIO when nobody has the other end any more
            return False
        self.seen += part.decode(errors="replace").replace("\r", "")
        return bool(part)


@contextlib.contextmanager
def person(command: Sequence[str | Path], env: Mapping[str, str], cwd: Path | None = None) -> Iterator[Person]:
    """Starts the command on a terminal of its own, and ends it."""
    line, terminal = pty.openpty()
    try:
        process = subprocess.Popen(
            [*map(str, command)], stdin=terminal, stdout=terminal, stderr=terminal, env={**os.environ, **env}, cwd=cwd,
            start_new_session=True, preexec_fn=_take_terminal,
        )  # fmt: skip
        os.close(terminal)
        try:
            yield Person(line, process)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    finally:
        os.close(line)


def _take_terminal() -> None:
    """Ctrl-C is a signal only from the terminal that controls the session (tty_ioctl(4))."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
