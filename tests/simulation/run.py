"""Many schedules over all cores: what failed is told with the line that replays it."""

import gc
import logging
import os
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Final

import pytest

from tests.simulation.loads import LOADS, Load
from tests.simulation.world import World, run

SHARE: Final = 25
"""Schedules that a process is given at a time."""
ROUND: Final = 2_000
"""Schedules after which the processes are replaced, so that what Python keeps of so many worlds goes with them."""
LAST_EVENTS: Final = 12


@dataclass(frozen=True)
class Failure:
    """What went wrong in a schedule: the assertion in words, or where the product stumbled."""

    load: str
    seed: int
    what: str
    where: str

    def __str__(self) -> str:
        return f"python -m tests.simulation --load {self.load} {self.seed}: {self.what} ({self.where})"


@dataclass
class Tally:
    """Of so many `schedules`: what they were made of, and which failed.

    `told` sales were answered yes, of which `burnt` ones had their only copy on a lost disk; so many ledgers were
    `restored`, tills' pasts `copied`, and records `trimmed`. `strict` schedules had no excuse for an overdraft.
    """

    schedules: int = 0
    told: int = 0
    burnt: int = 0
    restored: int = 0
    copied: int = 0
    trimmed: int = 0
    strict: int = 0
    seconds: float = 0.0
    happened: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def note(self, world: World) -> None:
        self.told += len(world.told)
        self.burnt += len(world.burnt)
        self.restored += world.office.restored
        self.copied += len(world.copied)
        self.trimmed += world.trimmed
        self.strict += not world.excused
        self.happened.update(world.line.happened)


def schedules(load: str, seeds: Sequence[int]) -> Tally:
    """In this process. Whatever a schedule raises is a failure of it, for a till that stumbles has failed too."""
    logging.disable()
    gc.freeze()
    tally, began = Tally(len(seeds)), time.process_time()
    for seed in seeds:
        try:
            tally.note(run(seed, LOADS[load]))
        except Exception as error:  # noqa: BLE001 - also a till that stumbles is to be named with its seed
            where = traceback.extract_tb(error.__traceback__)[-1]
            tally.failures.append(Failure(load, seed, f"{error or type(error).__name__}", f"{where.name}"))
    tally.seconds = time.process_time() - began
    return tally


def _processes() -> ProcessPoolExecutor:
    """Fresh ones: a fork of a process with threads may hang."""
    return ProcessPoolExecutor(os.cpu_count(), get_context("spawn"))


def over_all_cores(load: str, seeds: range) -> Iterator[Tally]:
    """One after another, as they are done."""
    for begin in range(0, len(seeds), ROUND):
        some = seeds[begin : begin + ROUND]
        shares = [some[first : first + SHARE] for first in range(0, len(some), SHARE)]
        with _processes() as processes:
            yield from processes.map(schedules, [load] * len(shares), shares)


def first_caught(bug: str, load: str, seeds: Sequence[int]) -> int | None:
    """The first of these schedules that fails with a rule taken out; None where none notices it."""
    from tests.simulation import bugs

    logging.disable()
    for seed in seeds:
        with pytest.MonkeyPatch.context() as patch:
            getattr(bugs, bug)(patch)
            try:
                run(seed, LOADS[load])
            except Exception:  # noqa: BLE001 - a till that stumbles has been caught too
                return seed
    return None


def caught_over_all_cores(
    planted: Mapping[Callable[..., None], tuple[Load, int]],
) -> Iterator[tuple[str, str, int | None]]:
    """Each bug, its load, and the schedule that has caught it."""
    names, loads = [bug.__name__ for bug in planted], [load.name for load, _ in planted.values()]
    limits = [range(1, most + 1) for _, most in planted.values()]
    with _processes() as processes:
        yield from zip(names, loads, processes.map(first_caught, names, loads, limits), strict=True)
