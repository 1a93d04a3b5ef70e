"""The machine as a doctor looks at it: files that can be read and commands that change nothing."""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

COMMAND_S: Final = 5.0
MOST_BYTES: Final = 2 * 1024 * 1024
"""Of one file: /proc/net/tcp of a busy machine has some hundred KiB."""
C_LOCALE: Final[Mapping[str, str]] = {"LC_ALL": "C", "LANG": "C"}


class Said(NamedTuple):
    """A command's exit code, and its standard output and errors together."""

    code: int
    text: str


Runner = Callable[[Sequence[str]], Said]


def run(command: Sequence[str]) -> Said:
    """Raises OSError where there is no such command or it does not end."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed words of ours, no shell
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=COMMAND_S,
            env={**os.environ, **C_LOCALE},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"`{' '.join(command)}` did not end within {COMMAND_S:g} s") from None
    return Said(done.returncode, done.stdout[:MOST_BYTES].decode(errors="replace"))


class Machine:
    """Everything below `root`. Every method raises OSError for what cannot be seen."""

    def __init__(self, root: Path = Path("/"), run: Runner = run) -> None:
        self._root, self._run = root, run

    def path(self, name: str) -> Path:
        return self._root / name.lstrip("/")

    def text(self, name: str) -> str:
        with self.path(name).open("rb") as file:
            return file.read(MOST_BYTES).decode(errors="replace")

    def word(self, name: str) -> str | None:
        """What a small file of /sys or /proc says, None where there is none."""
        try:
            return self.text(name).strip()
        except OSError:
            return None

    def glob(self, pattern: str) -> list[Path]:
        """Sorted; those that this user may see."""
        return sorted(self._root.glob(pattern.lstrip("/")))

    def said(self, *command: str) -> Said:
        return self._run(command)
