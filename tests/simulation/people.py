"""What people at head office do, rightly or not."""

from typing import TYPE_CHECKING

from offline_queue.entry import Happening, Resolution

if TYPE_CHECKING:
    from tests.simulation.machine import Machine
    from tests.simulation.world import World


class People:
    """Acts of the schedule on the books; the machine that the schedule names does not matter."""

    def __init__(self, world: "World") -> None:
        self._world, self._chance, self._office = world, world.chance, world.office

    def backup(self, _: "Machine") -> None:
        self._office.back_up()
        self._world.witness.backed_up()

    def restore(self, _: "Machine") -> None:
        """The books' disk is gone. Books that nobody tells of it promise points until a till's hello shows it."""
        told = self._chance.random() < self._world.load.told
        if self._office.restore(told=told):
            if not told:
                self._world.excuses.add("books that do not know of their restore promise what they promised before")
            self._world.witness.went_back()

    def register(self, _: "Machine") -> None:
        self._office.tried("register", self._world.card(), self._chance.choice((0, 30)))

    def card_act(self, _: "Machine") -> None:
        number, happening = self._world.card(), self._chance.choice([*Happening])
        successor = self._world.card() if happening in (Happening.REPLACE, Happening.MERGE) else None
        self._office.tried("happen", number, happening, "office", "the schedule says so", successor)

    def resolve(self, _: "Machine") -> None:
        """Either way, and also twice."""
        if flagged := self._office.book.flagged():
            name, word = self._chance.choice(flagged).name, self._chance.choice([*Resolution])
            self._world.excuses.add("a person decided against the rules")
            self._office.tried("resolve", name, word, None, "office", "the schedule says so")

    def return_rights(self, _: "Machine") -> None:
        """Although a till may still use them: the office believes to know better."""
        if held := self._office.book.allowances():
            self._world.excuses.add("a person returned rights that a till still held")
            self._office.tried("return_allowances", [self._chance.choice(held).id], "office", "the till is gone")

    def expire(self, _: "Machine") -> None:
        """The nightly run."""
        after, last = (0, 0), None
        while after != last:
            last, cleared = after, self._office.did("expire", after)
            after = cleared.following or after

    def acknowledge(self, machine: "Machine") -> None:
        self._office.did("acknowledge", machine.terminal)

    def waive(self, _: "Machine") -> None:
        waiting = self._office.book.recovery()
        if waiting.on:
            self._world.excuses.add("a person waived the recovery")
            self._office.tried("waive_recovery", [])

    def trust_again(self, machine: "Machine") -> None:
        """A key that was revoked for breaches is let in again."""
        public = machine.who.key.public_key().public_bytes_raw()
        self._office.did("enrol", machine.terminal, public, replace=True)
