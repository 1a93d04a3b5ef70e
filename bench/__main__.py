"""Runs every section: each module of this folder with a `run(*, quick) -> Table` is one."""

import argparse
import importlib
import inspect
import pkgutil
import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

import bench

Section = Callable[..., Table]


def sections() -> dict[str, Section]:
    """By name, in the order of the alphabet."""
    found = {}
    for module in pkgutil.iter_modules(bench.__path__):
        if module.name == "__main__":
            continue
        run = getattr(importlib.import_module(f"bench.{module.name}"), "run", None)
        if run is not None and list(inspect.signature(run).parameters) == ["quick"]:
            found[module.name] = run
    return dict(sorted(found.items()))


def main(arguments: list[str]) -> int:
    known = sections()
    parser = argparse.ArgumentParser(prog="python -m bench", description="Figures about tilld, and about its rivals.")
    parser.add_argument("section", nargs="*", choices=[*known, []], help="only these")
    parser.add_argument("--quick", action="store_true", help="fewer samples: to see that it runs, not to quote")
    chosen = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 120)
    for name in chosen.section or known:
        with console.status(f"{name} is being measured"):
            started = time.monotonic()
            table = known[name](quick=chosen.quick)
        console.print(table)
        console.print(f"[dim]{name}: {time.monotonic() - started:.0f} s[/dim]\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
