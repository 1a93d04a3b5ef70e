"""A disk that fails below SQLite, chosen operation by chosen operation (tests/virtual/disk_shim.c).

The process under test runs with `environment(plan, file)`; it, or whoever watches it, holds a `Plan` and says which of
its writes and syncs fail.
"""

import mmap
import os
import shutil
import struct
import subprocess
from enum import IntEnum
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

SOURCE: Final = Path(__file__).with_name("disk_shim.c")
SHAPE: Final = struct.Struct("=iii")


class Fault(IntEnum):
    """How an operation fails; `TORN` writes half of its bytes first."""

    IO_ERROR = 0
    NO_SPACE = 1
    TORN = 2


class Plan:
    """Which operations fail, as both processes see it. Made by whoever comes first."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(SHAPE.size))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), SHAPE.size)

    def fail(self, fault: Fault, *, after: int = 0, times: int = 1) -> None:
        """`after` so many operations that pass, the next `times` fail."""
        SHAPE.pack_into(self._memory, 0, after, times, fault)

    def heal(self) -> bool:
        """All is well from here on; whether anything has failed since `fail`."""
        _, left, _ = SHAPE.unpack_from(self._memory)
        self.fail(Fault.IO_ERROR, times=0)
        return left == 0

    def close(self) -> None:
        self._memory.close()


def missing() -> str | None:
    """Why this machine cannot have a failing disk, None when it can."""
    return None if shutil.which("gcc") else "needs gcc (make setup-dev installs it)"


def environment(plan: Path, file: str) -> dict[str, str]:
    """For a process whose operations on files with `file` in their names follow the plan."""
    return os.environ | {"LD_PRELOAD": str(_shim()), "DISK_SHIM_PLAN": str(plan), "DISK_SHIM_FILE": file}


@cache
def _shim() -> Path:
    built = Path(mkdtemp(prefix="tilld-shim-")) / "disk_shim.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", built, SOURCE, "-ldl"], check=True, timeout=60)
    return built
