"""A line that loses, delays, doubles, mixes up and garbles, and a ledger at its end that crashes and is restored."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from offline_queue.ledger_answers import LedgerProtocolError, TransientLedgerError
from offline_queue.wire import (
    Account,
    AllowanceAnswer,
    AllowanceRequest,
    BatchAnswer,
    BatchHeader,
    Decisions,
    Hello,
    Park,
    Welcome,
)
from tests.simulation.book_ledger import BookLedger
from tests.simulation.clock import WorldClock
from tests.simulation.office import Office

T = TypeVar("T")

FAULTS: Final = {
    "fine": 50,
    "unreachable": 8,
    "request_lost": 6,
    "answer_lost": 10,
    "request_late": 6,
    "request_doubled": 6,
    "answer_of_another": 6,
    "portal": 4,
    "busy": 3,
    "ledger_killed": 4,
}
"""How often, out of their sum, each of these happens to a request while the weather is bad."""


@dataclass
class Line:
    """What till and ledger have between them. `poison` are records that break whatever batch carries them."""

    office: Office
    clock: WorldClock
    stormy: bool = True
    poison: set[bytes] = field(default_factory=set)
    late: list[Callable[[], object]] = field(default_factory=list)
    happened: dict[str, int] = field(default_factory=dict)

    def ledger(self, terminal: str) -> "FaultyLedger":
        return FaultyLedger(self, terminal)


class FaultyLedger:
    """Implements Ledger for one terminal over a Line."""

    def __init__(self, line: Line, terminal: str) -> None:
        self._line, self._terminal = line, terminal
        self._earlier: dict[type, list[object]] = {}

    def hello(self, hello: Hello) -> Welcome:
        return self._travel(Welcome, lambda ledger: ledger.hello(hello))

    def send(self, header: BatchHeader, records: Sequence[bytes]) -> BatchAnswer:
        if self._line.poison.intersection(records):
            raise TransientLedgerError("HTTP 500: this batch breaks the ledger")
        return self._travel(BatchAnswer, lambda ledger: ledger.send(header, records))

    def park(self, park: Park) -> BatchAnswer:
        return self._travel(BatchAnswer, lambda ledger: ledger.park(park))

    def allowance(self, request: AllowanceRequest) -> AllowanceAnswer:
        return self._travel(AllowanceAnswer, lambda ledger: ledger.allowance(request))

    def decisions(self, request: str, after: int, limit: int) -> Decisions:
        return self._travel(Decisions, lambda ledger: ledger.decisions(request, after, limit))

    def account(self, request: str, number: str) -> Account | None:
        return self._travel(Account, lambda ledger: ledger.account(request, number))

    def _travel(self, shape: type, call: Callable[[BookLedger], T]) -> T:
        line = self._line
        line.clock.pass_ms(line.clock.chance.choice((1, 20, 200, 900)))
        fault = self._weather()
        line.happened[fault] = line.happened.get(fault, 0) + 1
        self._arrive_late()
        before = {
            "unreachable": TransientLedgerError("connection refused", reached=False),
            "request_lost": TransientLedgerError("no answer in time"),
            "portal": LedgerProtocolError("HTTP 200, text/html"),
            "busy": TransientLedgerError("HTTP 503", retry_after_s=line.clock.chance.choice((0.0, 1.0, 30.0))),
        }
        if fault in before:
            raise before[fault]
        if fault == "request_late":
            line.late.append(lambda: call(self._book()))
            raise TransientLedgerError("no answer in time")
        earlier = self._earlier.setdefault(shape, [])
        if fault == "answer_of_another" and earlier:
            return line.clock.chance.choice(earlier)  # type: ignore[return-value]
        answer = self._delivered(call, fault)
        earlier.append(answer)
        return answer

    def _delivered(self, call: Callable[[BookLedger], T], fault: str) -> T:
        answer = call(self._book())
        if fault == "request_doubled":
            answer = call(self._book())
        if fault == "ledger_killed":
            self._line.office.restart()
        if fault in ("answer_lost", "ledger_killed"):
            raise TransientLedgerError("connection reset")
        return answer

    def _weather(self) -> str:
        chance: random.Random = self._line.clock.chance
        return chance.choices(list(FAULTS), list(FAULTS.values()))[0] if self._line.stormy else "fine"

    def _arrive_late(self) -> None:
        """What was held up on the way arrives now, in any order; nobody waits for its answer any more."""
        chance, late = self._line.clock.chance, self._line.late
        while late and chance.random() < 0.5:
            try:
                late.pop(chance.randrange(len(late)))()
            except Exception as refusal:
                if type(refusal).__module__.partition(".")[0] not in ("offline_queue", "ledger"):
                    raise

    def _book(self) -> BookLedger:
        return BookLedger(self._line.office.book, self._terminal)
