"""What happens to machines and their disks: kills, clones, backups that are put back, fire."""

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from offline_queue.delivery import Delivery
from offline_queue.entry import decode
from offline_queue.journal_marks import LEDGER_KEY
from offline_queue.mirror_copy import FolderKeeper
from tests.simulation.machine import Disk, Machine, Who
from tests.simulation.network import Line

if TYPE_CHECKING:
    from tests.simulation.world import World

MOST_MACHINES: Final = 5


class Disks:
    """Acts of the schedule on one of the machines."""

    def __init__(self, world: "World", line: Line) -> None:
        self._world, self._chance, self._line = world, world.chance, line
        self._numbers = count(1)
        self._images: dict[str, list[Disk]] = {}
        self.mirrors = world.folder / "mirrors"
        self.mirrors.mkdir()

    def kill(self, machine: Machine) -> None:
        """What kill -9 leaves: the files as they are now, without a seal."""
        disk = machine.disk.copied(self._folder(machine))
        machine.abandon()
        machine.disk = disk
        self._started(machine)

    def restart(self, machine: Machine) -> None:
        """A clean stop: both streams are sealed."""
        machine.stop()
        self._started(machine)

    def image(self, machine: Machine) -> None:
        """Somebody makes a copy of the disk, of the running till or after a clean stop."""
        if self._chance.random() < 0.5:
            machine.stop()
            self._keep_image(machine)
            machine.start()
        else:
            self._keep_image(machine)

    def clone(self, machine: Machine) -> None:
        """The disk's copy goes on in another machine, under the same name and key; so does the till itself.

        The till's line may be what the copy is plugged into.
        """
        if len(self._world.machines) >= MOST_MACHINES:
            return
        images = self._images.get(machine.terminal, [])
        older = images and self._chance.random() < 0.3
        disk = (self._chance.choice(images) if older else machine.disk).copied(self._folder(machine))
        if self._chance.random() < 0.5:
            self._line.cut.add(machine.name)
        machine_id = self._chance.choice((f"machine-{machine.name}", "another"))
        self._world.copied.add(machine.terminal)
        clone = Machine(f"{machine.name}'", machine.who, disk, self._line, machine_id, self._mirror(machine))
        self._world.add(clone)
        if self._chance.random() < 0.7:
            self._world.work(clone)

    def put_back(self, machine: Machine) -> None:
        """The disk is as it was on an earlier day."""
        if images := self._images.get(machine.terminal):
            disk = self._chance.choice(images).copied(self._folder(machine))
            self._begin_on(machine, disk)

    def delete(self, machine: Machine) -> None:
        """Somebody deletes the journal, and tilld starts with a new one."""
        self._begin_on(machine, Disk(self._folder(machine)))

    def burn(self, machine: Machine) -> None:
        """The machine is gone with all that only it had. Another takes its name, mostly with a key of its own."""
        twins = [other for other in self._world.machines if other.terminal == machine.terminal]
        machine.abandon()
        self._world.machines.remove(machine)
        self._world.copied.add(machine.terminal)
        who, number = machine.who, next(self._numbers)
        if len(twins) == 1 and self._chance.random() < 0.7:
            who = Who.named(machine.terminal, who.config, number)
            public = who.key.public_key().public_bytes_raw()
            self._world.office.did("enrol", machine.terminal, public, replace=True)
        name = f"{machine.terminal}.{number}"
        new = Machine(name, who, Disk(self._folder(machine)), self._line, f"machine-{name}", self._mirror(machine))
        self._world.add(new)
        self.mirror(new)

    def mirror(self, machine: Machine) -> None:
        machine.copy_away()
        self._world.mirrored |= self._copied()

    def deliver(self, machine: Machine) -> None:
        """This till brings to the ledger what the mirrors keep of all others."""
        for folder in sorted(self.mirrors.iterdir()):
            keeper = FolderKeeper(folder)
            delivery = Delivery(keeper, machine.ledger, machine.timepiece, machine.journal.recall(LEDGER_KEY))
            for terminal, stream, _ in sorted(keeper.streams(), key=lambda one: one[:2]):
                delivery.bring(terminal, stream)

    def poison(self, machine: Machine) -> None:
        """A record on which the ledger stumbles whatever batch it comes in."""
        before = len(machine.disk.kept)
        self._world.counter.sell(machine)
        for told in machine.disk.kept[before:]:
            found = machine.journal.find_id(told.id)
            assert found is not None
            self._line.poison.add(found.record)

    def first(self, terminal: str) -> Machine:
        who = Who.named(terminal, self._world.load.config(terminal))
        mirror = self.mirrors / terminal if self._chance.random() < 0.4 else None
        return Machine(terminal, who, Disk(self._world.folder / terminal), self._line, f"machine-{terminal}", mirror)

    def _copied(self) -> set[str]:
        """The ids of the entries of which a mirror has a copy now."""
        keepers = [FolderKeeper(folder) for folder in self.mirrors.iterdir()]
        streams = [(keeper, name, stream) for keeper in keepers for name, stream, _ in keeper.streams()]
        copies = [copy for keeper, name, stream in streams for copy in keeper.copies(name, stream)]
        return {decode(record.encode()).id for copy in copies for record in copy.records}

    def _mirror(self, machine: Machine) -> Path | None:
        return machine.mirrored_to

    def _begin_on(self, machine: Machine, disk: Disk) -> None:
        machine.abandon()
        machine.disk = disk
        self._world.copied.add(machine.terminal)
        self._started(machine)

    def _started(self, machine: Machine) -> None:
        """Its mirror begins at once; and mostly a till speaks with the ledger before the next customer comes."""
        machine.start()
        self.mirror(machine)
        if self._chance.random() < 0.7:
            self._world.work(machine)

    def _keep_image(self, machine: Machine) -> None:
        self._images.setdefault(machine.terminal, []).append(machine.disk.copied(self._folder(machine)))

    def _folder(self, machine: Machine) -> Path:
        return self._world.folder / f"{machine.terminal}-{next(self._numbers)}"
