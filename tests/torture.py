"""make torture: the long forms of what tries to make points get lost or double. About an hour on two cores.

The environment scales it: TORTURE_SCHEDULES of each load (10000) from TORTURE_SEED on (1), TORTURE_KILLS of real
processes (500), TORTURE_CUTS runs of the power cuts (5), TORTURE_ROUNDS of the property tests with new seeds (10).
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.simulation.__main__ import many
from tests.simulation.bugs import BUGS
from tests.simulation.loads import LOADS
from tests.simulation.run import caught_over_all_cores

PROPERTIES: Final = ("-m", "hypothesis", "--numprocesses", "auto")
KILLS: Final = ("tests/acceptance/test_kill.py", "tests/acceptance/test_killed_on_both_sides.py")
CUTS: Final = ("tests/power_cut",)
LIMIT_S: Final = 3600


@dataclass(frozen=True)
class Result:
    """A part of the torture: how much of it was done, what came of it, in how many seconds."""

    part: str
    done: str
    found: str
    seconds: float

    @property
    def fine(self) -> bool:
        return self.found.startswith("nothing")


def number(name: str, usual: int) -> int:
    return int(os.environ.get(name, usual))


def simulated(load: str, console: Console) -> Result:
    began, first = time.monotonic(), number("TORTURE_SEED", 1)
    seeds = range(first, first + number("TORTURE_SCHEDULES", 10_000))
    tally = many(load, seeds, console)
    done = f"{tally.schedules} schedules, {tally.told} sales answered yes, seeds {seeds[0]} to {seeds[-1]}"
    wrong = ", ".join(str(failure.seed) for failure in tally.failures[:20])
    found = f"{len(tally.failures)} failed: seeds {wrong}" if wrong else f"nothing; {tally.strict} without any excuse"
    return Result(f"simulation, {load}", done, found, time.monotonic() - began)


def tested(part: str, chosen: tuple[str, ...], times: int, console: Console, **environment: str) -> Result:
    """The tests that pytest's words choose, so many times, each time with a new seed for hypothesis."""
    began, failed = time.monotonic(), list[int]()
    for n in range(1, times + 1):
        console.print(f"{part}: {n} of {times}")
        told = ("-q", "-x", f"--timeout={LIMIT_S}", f"--hypothesis-seed={n}")
        command = [sys.executable, "-m", "pytest", *told, *chosen]
        if subprocess.run(command, env={**os.environ, **environment}, check=False).returncode:
            failed.append(n)
    done = f"{times} times {' '.join(chosen)}" + "".join(f", {name}={value}" for name, value in environment.items())
    found = f"failed in rounds {failed}, see above" if failed else "nothing"
    return Result(part, done, found, time.monotonic() - began)


def planted(console: Console) -> Result:
    """How long each rule that is taken out goes unnoticed."""
    began, missed, seeds = time.monotonic(), list[str](), list[int]()
    for bug, load, seed in caught_over_all_cores(BUGS):
        console.print(f"rule taken out: {bug}: {f'caught by schedule {seed} of load {load}' if seed else 'NOT CAUGHT'}")
        seeds += [seed] if seed else []
        missed += [] if seed else [bug]
    done = f"{len(BUGS)} rules taken out"
    found = f"missed: {', '.join(missed)}" if missed else f"nothing missed; the longest took {max(seeds)} schedules"
    return Result("planted bugs", done, found, time.monotonic() - began)


def main() -> int:
    console = Console(soft_wrap=True)
    kills, cuts, rounds = number("TORTURE_KILLS", 500), number("TORTURE_CUTS", 5), number("TORTURE_ROUNDS", 10)
    results = [simulated(load, console) for load in LOADS]
    results.append(planted(console))
    results.append(tested("kills", KILLS, 1, console, TILLD_KILLS=str(kills)))
    results.append(tested("power cuts", CUTS, cuts, console))
    results.append(tested("properties", PROPERTIES, rounds, console))
    table = Table("part", "done", "found", "seconds", title="What was tried, and what it found")
    for result in results:
        table.add_row(result.part, result.done, result.found, f"{result.seconds:.0f}")
    console.print(table)
    return 0 if all(result.fine for result in results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
