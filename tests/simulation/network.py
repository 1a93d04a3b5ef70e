"""A line that loses, delays, doubles, mixes up and garbles, and a ledger at its end that crashes and is restored."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from offline_queue.ledger_answers import LedgerProtocolError, TransientLedgerError
from offline_queue.wire import BatchAnswer, BatchHeader, Hello, Park, Welcome
from offline_queue.wire_accounts import Account, AllowanceAnswer, AllowanceRequest, PhoneFound, PhoneLookup
from offline_queue.wire_feeds import Changes, Decisions
from tests.simulation.book_ledger import BookLedger
from tests.simulation.clock import WorldClock
from tests.simulation.office import Office

if TYPE_CHECKING:
    from tests.simulation.machine import Machine

T = TypeVar("T")

FAULTS: Final = {
    "fine": 60,
    "unreachable": 8,
    "request_lost": 6,
    "answer_lost": 8,
    "request_late": 6,
    "request_doubled": 6,
    "answer_of_another": 5,
    "garbled": 3,
    "portal": 3,
    "busy": 3,
    "ledger_killed": 3,
}
"""How often, out of their sum, each of these happens to a request while the weather is bad."""


class Witness(Protocol):
    """Sees what the ledger says, whether it arrives or not."""

    def hears(self, terminal: str, said: Any, asked: Any) -> None: ...


@dataclass
class Line:
    """What tills and ledger have between them. `poison` are records that break whatever batch carries them.

    `cut` are machines whose line is down altogether.
    """

    office: Office
    clock: WorldClock
    witness: Witness
    stormy: bool = True
    poison: set[bytes] = field(default_factory=set)
    cut: set[str] = field(default_factory=set)
    late: list[Callable[[], object]] = field(default_factory=list)
    happened: dict[str, int] = field(default_factory=dict)

    def ledger(self, machine: "Machine") -> "FaultyLedger":
        return FaultyLedger(self, machine)

    def told(self, terminal: str, call: Callable[[BookLedger], T], asked: object) -> T:
        """One request that has arrived."""
        answer = call(BookLedger(self.office.book, terminal, self.office.did))
        self.witness.hears(terminal, answer, asked)
        return answer


class FaultyLedger:
    """Implements Ledger for one machine over a Line."""

    def __init__(self, line: Line, machine: "Machine") -> None:
        self._line, self._machine = line, machine
        self._earlier: dict[type, list[object]] = {}

    def hello(self, hello: Hello) -> Welcome:
        return self._travel(Welcome, lambda ledger: ledger.hello(hello), hello)

    def send(self, header: BatchHeader, records: Sequence[bytes]) -> BatchAnswer:
        if self._line.poison.intersection(records):
            self._line.clock.pass_ms(20)
            raise TransientLedgerError("HTTP 500: this batch breaks the ledger")
        spoilt = [records[0] + b" ", *records[1:]]
        return self._travel(
            BatchAnswer,
            lambda ledger: ledger.send(header, records),
            header,
            lambda ledger: ledger.send(header, spoilt),
        )

    def park(self, park: Park) -> BatchAnswer:
        return self._travel(BatchAnswer, lambda ledger: ledger.park(park), park)

    def allowance(self, request: AllowanceRequest) -> AllowanceAnswer:
        return self._travel(AllowanceAnswer, lambda ledger: ledger.allowance(request), request)

    def decisions(self, request: str, after: int, limit: int) -> Decisions:
        return self._travel(Decisions, lambda ledger: ledger.decisions(request, after, min(limit, 5)))

    def changes(self, request: str, after: int, limit: int) -> Changes:
        return self._travel(Changes, lambda ledger: ledger.changes(request, after, min(limit, 2)))

    def account(self, request: str, number: str) -> Account | None:
        return self._travel(Account, lambda ledger: ledger.account(request, number))

    def phone(self, lookup: PhoneLookup) -> PhoneFound:
        return self._travel(PhoneFound, lambda ledger: ledger.phone(lookup), lookup)

    def _travel(
        self,
        shape: type,
        call: Callable[[BookLedger], T],
        asked: object = None,
        spoilt: Callable[[BookLedger], T] | None = None,
    ) -> T:
        line, terminal = self._line, self._machine.terminal
        line.clock.pass_ms(line.clock.chance.choice((1, 20, 200, 900)))
        fault = self._weather()
        line.happened[fault] = line.happened.get(fault, 0) + 1
        self._arrive_late()
        self._lost_before(fault)
        if fault == "request_late":
            line.late.append(lambda: line.told(terminal, call, asked))
            raise TransientLedgerError("no answer in time")
        earlier = self._earlier.setdefault(shape, [])
        if fault == "answer_of_another" and earlier:
            return line.clock.chance.choice(earlier)  # type: ignore[return-value]
        if fault == "garbled" and spoilt is not None:
            return line.told(terminal, spoilt, asked)
        answer = self._delivered(call, fault, asked)
        earlier.append(answer)
        return answer

    def _lost_before(self, fault: str) -> None:
        lost = {
            "unreachable": TransientLedgerError("connection refused", reached=False),
            "request_lost": TransientLedgerError("no answer in time"),
            "portal": LedgerProtocolError("HTTP 200, text/html"),
        }
        if fault in lost:
            raise lost[fault]
        if fault == "busy":
            raise TransientLedgerError("HTTP 503", retry_after_s=self._line.clock.chance.choice((0.0, 1.0, 30.0)))

    def _delivered(self, call: Callable[[BookLedger], T], fault: str, asked: object) -> T:
        line, terminal = self._line, self._machine.terminal
        answer = line.told(terminal, call, asked)
        if fault == "request_doubled":
            answer = line.told(terminal, call, asked)
        if fault == "ledger_killed":
            line.office.restart()
        if fault in ("answer_lost", "ledger_killed"):
            raise TransientLedgerError("connection reset")
        return answer

    def _weather(self) -> str:
        if not self._line.stormy:
            return "fine"
        if self._machine.name in self._line.cut:
            return "unreachable"
        chance: random.Random = self._line.clock.chance
        return chance.choices(list(FAULTS), list(FAULTS.values()))[0]

    def _arrive_late(self) -> None:
        """What was held up on the way arrives now, in any order; nobody waits for its answer any more."""
        chance, late = self._line.clock.chance, self._line.late
        while late and chance.random() < 0.5:
            try:
                late.pop(chance.randrange(len(late)))()
            except Exception as refusal:
                if type(refusal).__module__.partition(".")[0] not in ("offline_queue", "ledger"):
                    raise
