"""What customers and cashiers do at a till, and what they are told."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

import msgspec

from offline_queue.entry import Amount, CardEvent, Happening, Kind
from terminal.inbox import Answered, Asked, CardEventAsked, ClaimAsked, Event, TransactionAsked
from terminal.pos import CardNumber, Refusal, TransactionRequest
from tests.simulation.stage import Fate, Killed
from tests.simulation.truth import Told

if TYPE_CHECKING:
    from tests.simulation.machine import Machine
    from tests.simulation.world import World

FATES: Final = {Fate.FINE: 60, Fate.REFUSED: 1, Fate.KILLED_BEFORE: 1, Fate.KILLED_AFTER: 2}


class _Said(msgspec.Struct):
    """The members of a POS's answer that matter to the customer; those of a sale and of a claim."""

    id: str
    kind: Kind
    points: int
    claim: str | None = None
    promise: str | None = None


class Counter:
    """Acts of the schedule at one of the tills."""

    def __init__(self, world: "World") -> None:
        self._world, self._chance = world, world.chance
        self._asked: dict[str, tuple[Callable[[Future[Any]], Event], str | None]] = {}

    def sell(self, machine: "Machine", card: str | None = None) -> None:
        number = card or (self._world.card() if self._chance.random() < 0.85 else None)
        amount = Amount(100 * self._chance.randrange(1, self._world.load.most), "EUR")
        self._trade(machine, self._world.key(), "earn", number, amount=amount)

    def redeem(self, machine: "Machine") -> None:
        """Often as much as a right that is held ahead of need allows."""
        load = self._world.load
        points = load.offline.ahead_points if self._chance.random() < 0.3 else self._chance.randrange(1, load.most)
        self._trade(machine, self._world.key(), "redeem", self._world.card(), points=points)

    def look(self, machine: "Machine") -> None:
        """The customer presents the card and hears the balance; the till may ask for a right ahead of need."""
        number = self._world.card()
        self._ask(machine, lambda reply: Asked("card", number, reply))

    def reverse(self, machine: "Machine") -> None:
        """Wholly or in part, of what this till has on its disk."""
        sold = [told for told in machine.disk.kept if told.kind is not Kind.REVERSE]
        if sold:
            original = self._chance.choice(sold)
            points = None if self._chance.random() < 0.6 else self._chance.randrange(1, original.points + 1)
            if original.kind is not Kind.REDEEM:
                self._world.excuses.add("earned points were used, then taken back")
            self._trade(machine, self._world.key(), "reverse", None, reverses=original.id, points=points)

    def repeat(self, machine: "Machine") -> None:
        """The POS did not hear the answer, or sends its sale through another till."""
        keys = [key for key, (_, terminal) in self._asked.items() if terminal in (None, machine.terminal)]
        if keys:
            key = self._chance.choice(keys)
            self._answered(machine, key, self._asked[key][0])

    def claim(self, machine: "Machine") -> None:
        """A customer comes back with the code on the receipt, to whichever till, and sometimes with another card."""
        codes = [told for told in self._world.told.values() if told.claim]
        if codes:
            told = self._chance.choice(codes)
            number = told.card if told.card and self._chance.random() < 0.9 else self._world.card()
            key = f"claim:{told.key}"
            self._answered(machine, key, lambda reply: ClaimAsked(told.claim or "", CardNumber(number), reply), number)

    def report_card(self, machine: "Machine") -> None:
        """Lost, found, or replaced by a new one."""
        number, happening = self._world.card(), self._chance.choice([*Happening][:4])
        event = CardEvent(happening, self._world.card() if happening is Happening.REPLACE else None)
        self._ask(machine, lambda reply: CardEventAsked(number, event, reply))

    def _trade(self, machine: "Machine", key: str, kind: str, card: str | None, **fields: Any) -> None:
        request = TransactionRequest(kind, CardNumber(card) if card else None, **fields)  # type: ignore[arg-type]
        ask = lambda reply: TransactionAsked(request, key, reply)  # noqa: E731 - kept to be repeated
        # Only earns are sent through other tills: a right and an original belong to the till that has them.
        self._asked[key] = ask, None if kind == "earn" else machine.terminal
        self._answered(machine, key, ask, card)

    def _answered(
        self, machine: "Machine", key: str, ask: Callable[["Future[Any]"], Event], card: str | None = None
    ) -> None:
        said = self._ask(machine, ask)
        if isinstance(said, Refusal):
            return
        body = msgspec.json.decode(said.body, type=_Said)
        before = self._world.told.get(body.id)
        assert before is None or (before.key, before.points) == (key, body.points), f"{before} was answered as {body}"
        told = before or Told(
            body.id, key, body.kind, body.points, card, machine.terminal, claim=body.claim, promise=body.promise
        )
        self._world.told[body.id] = told
        if told not in machine.disk.kept:
            machine.disk.kept.append(told)

    def _ask(self, machine: "Machine", ask: Callable[["Future[Any]"], Event]) -> "Answered | Refusal":
        """Where the till dies meanwhile, the POS asks again with the same key."""
        (fate,) = self._chance.choices([*FATES], [*FATES.values()])
        try:
            return machine.ask(ask, fate)
        except Killed:
            self._world.disks.kill(machine)
            return machine.ask(ask)
