"""One schedule: a seed becomes tills, customers, faults and their order; then the weather clears and all is checked."""

import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from offline_queue.entry import Kind
from tests.simulation.books_check import check
from tests.simulation.clock import SimulatedTimepiece, WorldClock
from tests.simulation.network import Line
from tests.simulation.office import Office
from tests.simulation.till import Till

CARDS: Final = ("2990000000017", "2990000000024", "2990000000031")
EVENTS: Final = 90
PATIENCE_STEPS: Final = 2_000
"""Steps in fine weather within which every queue must be empty."""
MEMORY: Final = Path("/dev/shm")


class World:
    """`events` are what happened, for people who look into a failing seed."""

    def __init__(self, seed: int, folder: Path) -> None:
        self._chance = random.Random(seed)
        self._clock = WorldClock(self._chance)
        self.office = Office(folder, SimulatedTimepiece(self._clock, "office"))
        self._line = Line(self.office, self._clock)
        self.tills = [
            Till(f"T{n}", folder / f"till{n}", self._line, self._clock) for n in range(self._chance.choice((2, 2, 3)))
        ]
        self.events: list[str] = []
        self._keys = 0
        self._restores = self._chance.random() < 0.3
        # Redemption pressure: where earns drown redemptions, faults of the allowances go unseen.
        self._acts: dict[str, tuple[int, Callable[[Till], None]]] = {
            "sell": (16, self._sell),
            "redeem": (14, self._redeem),
            "reverse": (3, self._reverse),
            "repeat": (4, self._repeat),
            "tidy_rights": (6, Till.tidy_rights),
            "work": (36, lambda till: till.work(self._chance.randrange(1, 12))),
            "hasten": (3, lambda till: till.courier.hasten()),
            "wait": (6, lambda _: self._clock.pass_ms(self._chance.choice((100, 5_000, 400_000)))),
            "kill": (3, Till.kill),
            "restart": (2, Till.restart),
            "poison": (2, self._poison),
            "backup": (2, lambda _: self.office.back_up()),
            "restore": (2 if self._restores else 0, lambda _: self.office.restore(told=self._chance.random() < 0.5)),
        }

    def run(self) -> None:
        """Raises AssertionError with what went wrong."""
        for card in CARDS[:2]:
            self.office.book.register(card, 60)
        names, weights = list(self._acts), [weight for weight, _ in self._acts.values()]
        for _ in range(EVENTS):
            name, till = self._chance.choices(names, weights)[0], self._chance.choice(self.tills)
            self.events.append(f"{self._clock.now_ms} {till.name} {name}")
            self._acts[name][1](till)
        self._line.stormy = False
        self._settle()
        check(self)

    @property
    def happened(self) -> dict[str, int]:
        """How often each fault of the line has struck."""
        return self._line.happened

    def close(self) -> None:
        for till in self.tills:
            till.close()
        self.office.book.close()

    def _settle(self) -> None:
        """In fine weather everything drains; a right that comes late is given back, which needs another round."""
        for _ in range(2):
            for till in self.tills:
                till.tidy_rights()
                till.courier.hasten()
                self._drain(till)
        self.office.return_rights()

    def _drain(self, till: Till) -> None:
        for _ in range(PATIENCE_STEPS):
            till.drain()
            if till.drained():
                return
        raise AssertionError(f"{till.name} did not drain: {till.journal.totals()}, {till.courier.state}")

    def _sell(self, till: Till) -> None:
        till.sell(self._key(), self._chance.choice(CARDS), self._chance.randrange(1, 40))

    def _redeem(self, till: Till) -> None:
        till.redeem(self._key(), self._chance.choice(CARDS), self._chance.randrange(1, 50))

    def _reverse(self, till: Till) -> None:
        earned = [entry for entry in till.told if entry.kind is Kind.EARN]
        if earned:
            till.reverse(self._chance.choice(earned))

    def _repeat(self, till: Till) -> None:
        """At the same till or at another one, which then has an entry with the same key."""
        sold = [entry for other in self.tills for entry in other.told if entry.kind is Kind.EARN]
        if sold:
            till.repeat(self._chance.choice(sold))

    def _poison(self, till: Till) -> None:
        """A record on which the ledger stumbles whatever batch it comes in."""
        self._sell(till)
        entry = till.told[-1]
        found = till.journal.find_id(entry.id)
        if found is not None:
            self._line.poison.add(found.record)

    def _key(self) -> str:
        self._keys += 1
        return f"sale-{self._keys}"


def run(seed: int) -> World:
    """One schedule from its seed, in memory where the system has a file system there."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        world = World(seed, Path(folder))
        try:
            world.run()
        finally:
            world.close()
        return world
