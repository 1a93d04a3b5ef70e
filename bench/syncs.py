"""How often a contender truly syncs, as strace counts it.

Run as `python -m bench.syncs NAME FOLDER` it appends APPENDS sales by one caller and nothing else.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp

APPENDS = 300
CALLS = ("fdatasync", "fsync")


def per_append(name: str, folder: Path) -> str:
    """Syncs for each append, what the contender's own start and end take included; says why when it cannot tell."""
    if shutil.which("strace") is None:
        return "no strace"
    log = Path(mkdtemp(dir=folder), "strace")
    command = ["strace", "-f", "-c", "-e", f"trace={','.join(CALLS)}", "-o", str(log)]
    command += [sys.executable, "-m", "bench.syncs", name, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[1])
    if done.returncode != 0:
        return "not traced"
    return f"{counted(log.read_text()) / APPENDS:.2f}"


def counted(summary: str) -> int:
    """The calls column of `strace -c` for the syncs."""
    rows = [line.split() for line in summary.splitlines()]
    return sum(int(row[3]) for row in rows if row and row[-1] in CALLS)


def main(name: str, folder: Path) -> None:
    from bench.append import contenders
    from bench.sales import sale

    contender = contenders(folder, 0)[name](Path(mkdtemp(dir=folder)))
    for _ in range(APPENDS):
        contender.append(sale())
    contender.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
