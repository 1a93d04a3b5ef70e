"""One schedule: a seed becomes tills, customers, faults and their order; then the weather clears and all is checked."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tests.simulation.again import i10_again
from tests.simulation.clock import DAY_MS, SimulatedTimepiece, WorldClock
from tests.simulation.counter import Counter
from tests.simulation.disks import Disks
from tests.simulation.invariants import check, i4_now
from tests.simulation.loads import MIXED, RESTORE, Load
from tests.simulation.machine import Machine
from tests.simulation.network import Line
from tests.simulation.office import Office
from tests.simulation.people import People
from tests.simulation.stage import Fate, Killed, staged
from tests.simulation.templates import new_folder
from tests.simulation.truth import Told
from tests.simulation.witness import Witnessed

EVENTS: Final = 60
PAUSES_MS: Final = (0, 300, 2_000, 15_000)
"""Between two events, so that tills get over their waits."""
OPENING_TURNS: Final = 7
PATIENCE_TURNS: Final = 1_500
"""Turns in fine weather within which a till's queues must be empty."""
DRIVEN_AGAIN: Final = 5
"""One in so many schedules ends with its log driven again through fresh books (I10)."""


class World:
    """`events` are what happened, for people who look into a failing seed; `told` what POS systems were answered.

    `copied` are the terminals whose past was copied, put back or lost; `burnt` the sales whose only copy was lost;
    `mirrored` the ids of all entries of which a mirror ever had a copy;
    `excuses` say why an account may be overdrawn; `trimmed` records were given up by tills.
    """

    def __init__(self, seed: int, load: Load, folder: Path) -> None:
        self.load, self.folder, self.chance = load, folder, random.Random(f"{load.name} {seed}")
        self.clock = WorldClock(self.chance)
        self.told: dict[str, Told] = {}
        self.copied: set[str] = set()
        self.mirrored: set[str] = set()
        self.burnt: set[str] = set()
        self.excuses = set(load.excuses)
        self.trimmed = 0
        self.events: list[str] = []
        self.hashes: set[tuple[str, int, str]] = set()
        self._keys = 0
        self.office = Office(folder, SimulatedTimepiece(self.clock, "office"), load.policy)
        self.witness = Witnessed(self)
        self.line = Line(self.office, self.clock, self.witness)
        self.counter, self.disks, self.people = Counter(self), Disks(self, self.line), People(self)
        self.machines: list[Machine] = []
        self.ever: list[Machine] = []
        for n in range(load.tills):
            self.add(self.disks.first(f"T{n}"))

    def run(self, *, again: bool) -> None:
        """Raises AssertionError with what went wrong. With `again` the ledger's log is driven again in the end."""
        acts = self._acts()
        for number in range(self.load.cards - self.load.unknown):
            self.office.did("register", CARDS[number], self.load.opening)
        self._open_shops()
        for _ in range(EVENTS):
            name, machine = self.chance.choices([*acts], [*acts.values()])[0], self.chance.choice(self.machines)
            self.clock.pass_ms(self.chance.choice(PAUSES_MS))
            self.events.append(f"{self.clock.now_ms} {machine.name} {name}")
            self._act(name)(machine)
            i4_now(self)
        self._settle()
        check(self)
        if again:
            i10_again(self.office)

    def add(self, machine: Machine) -> None:
        self.machines.append(machine)
        self.ever.append(machine)

    @property
    def excused(self) -> bool:
        """Whether an account may be overdrawn: the schedule has an excuse, or books went back and a till was copied.

        Such books wait for each terminal, and one of its copies may answer for the others, whose rights they forgot.
        """
        return bool(self.excuses) or bool(self.office.restored and self.copied)

    def card(self) -> str:
        return self.chance.choice(CARDS[: self.load.cards])

    def key(self) -> str:
        self._keys += 1
        return f"sale-{self._keys}"

    def starts(self) -> Iterator[list[tuple[str, tuple[str, int] | None]]]:
        """Every start there ever was: its streams, and the record that each truly follows."""
        for machine in self.ever:
            for start in machine.starts:
                yield [(start.streams[lane], start.parents[lane]) for lane in start.streams]

    def close(self) -> None:
        for machine in self.machines:
            machine.abandon()
        self.office.book.close()

    def _acts(self) -> dict[str, int]:
        """Disasters join in some schedules alone, so that the others show what holds without them."""
        acts = dict(self.load.acts)
        if self.chance.random() < 0.5:
            acts |= self.load.disasters
        if self.chance.random() < 0.35:
            acts |= RESTORE
        return acts

    def _act(self, name: str) -> Callable[[Machine], None]:
        for whose in (self, self.counter, self.disks, self.people):
            if found := getattr(whose, name, None):
                act: Callable[[Machine], None] = found
                return act
        raise LookupError(name)

    def work(self, machine: Machine) -> None:
        """The till's threads have some turns; the disk may refuse a commit of theirs, or the machine die in it."""
        machine.writer.fate = self.chance.choices([*Fate], (40, 1, 1, 1))[0]
        try:
            for _ in range(self.chance.randrange(1, 12)):
                machine.turn()
                if machine.sync.rests_until is not None:
                    break
            machine.writer.fate = Fate.FINE
        except Killed:
            self.disks.kill(machine)

    def hasten(self, machine: Machine) -> None:
        machine.sync.hasten()

    def wait(self, _: Machine) -> None:
        days = (DAY_MS, 6 * DAY_MS, 25 * DAY_MS) if self.load.days else (DAY_MS,)
        self.clock.pass_ms(self.chance.choice((100, 5_000, 70_000, 400_000, *days)))

    def jump(self, machine: Machine) -> None:
        """Somebody sets the machine's clock, rightly or not."""
        machine.timepiece.skew_ms = self.chance.choice((0, self.chance.randrange(-10, 11) * DAY_MS))

    def cut(self, machine: Machine) -> None:
        """The line is down from here on."""
        self.line.cut.add(machine.name)

    def mend(self, _: Machine) -> None:
        self.line.cut.clear()

    def _open_shops(self) -> None:
        """In most shops the tills have spoken with the ledger before the first customer comes."""
        self.line.stormy = False
        for machine in self.machines:
            for _ in range(OPENING_TURNS if self.chance.random() < 0.8 else 0):
                machine.turn()
        self.line.stormy = True

    def _settle(self) -> None:
        """In fine weather everything drains; rights that come late are given back, which needs another round."""
        self.line.stormy = False
        self.line.late.clear()
        # Books that were put back may lack keys that were let in later: people have them in their files.
        for machine in (*self.ever, *self.machines):
            self.people.trust_again(machine)
        for _ in range(2):
            for machine in self.machines:
                self._drain(machine)
        self.line.poison.clear()
        self.disks.deliver(self.machines[0])
        self.office.tried("waive_recovery", [])
        for _ in range(2):
            for machine in self.machines:
                self._drain(machine)

    def _drain(self, machine: Machine) -> None:
        """I9: in bounded time, poison included."""
        machine.sync.hasten()
        for _ in range(PATIENCE_TURNS):
            machine.turn()
            if (until := machine.sync.rests_until) is not None:
                if machine.drained():
                    return
                self.clock.pass_ms(max(1, until - self.clock.now_ms))
        raise AssertionError(
            f"I9: {machine.name} did not drain: {machine.journal.totals()}, {machine.sync.courier.state}"
        )


CARDS: Final = tuple(f"29900000000{n:02}" for n in (17, 24, 31, 48, 55, 62))


def made(seed: int, load: Load, folder: str) -> World:
    return World(seed, load, Path(folder))


def again_at(seed: int) -> bool:
    """Whether this schedule's log is driven again in the end."""
    return seed % DRIVEN_AGAIN == 0


def run(seed: int, load: Load = MIXED) -> World:
    """One schedule from its seed. Raises AssertionError, or whatever the product stumbled over."""
    with new_folder() as folder, staged():
        world = made(seed, load, folder)
        try:
            world.run(again=again_at(seed))
        finally:
            world.close()
        return world
