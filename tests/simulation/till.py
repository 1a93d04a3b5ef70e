"""A simulated till: the real journal and the real courier, and a cashier who sells, redeems, reverses and repeats."""

import base64
import shutil
from pathlib import Path

import msgspec

from offline_queue.courier import Courier, Exchange, Identity
from offline_queue.entry import LANE_OF, Card, Clock, Entry, Kind, uuid7
from offline_queue.journal import Allowance, AllowanceState, Origin
from offline_queue.ledger_answers import LedgerError
from offline_queue.steps import Rest
from offline_queue.store import Appended, JournalReader, Store
from offline_queue.timepiece import rfc3339
from offline_queue.wire import AllowanceRequest
from tests.simulation.clock import SimulatedTimepiece, WorldClock
from tests.simulation.network import Line


class Till:
    """`told` are the entries that the POS was answered for: those must never be lost or doubled."""

    def __init__(self, name: str, folder: Path, line: Line, clock: WorldClock) -> None:
        self.name, self._folder, self._clock = name, folder, clock
        self._boots, self._line = 0, line
        self.ledger = line.ledger(name)
        self.told: list[Entry] = []
        self.reversed: set[str] = set()
        self.store, self.journal, self.courier = self._started()

    def sell(self, key: str, card: str, points: int) -> None:
        self._record(self._entry(key, Kind.EARN, card, points))

    def repeat(self, entry: Entry) -> None:
        """The POS did not hear the answer, or sends its sale through another till."""
        again = msgspec.structs.replace(entry, id=self._id(), terminal=self.name)
        self._record(again)

    def reverse(self, original: Entry) -> None:
        if original.id in self.reversed or original.card is None:
            return
        self.reversed.add(original.id)
        entry = self._entry(f"reverse:{original.id}", Kind.REVERSE, original.card.number, original.points)
        self._record(msgspec.structs.replace(entry, reverses=original.id))

    def redeem(self, key: str, card: str, points: int) -> None:
        """Asks for the right, and uses it if it is granted at once. Otherwise the customer keeps the points."""
        urgent = self.store.stream(LANE_OF[Kind.REDEEM])
        asked_at = rfc3339(self.timepiece.unix_ms())
        right = Allowance(self._id(), key, card, points, urgent, AllowanceState.ASKED, asked_at)
        self.store.ask_allowance(right)
        if self._ask(right) and self._clock.chance.random() < 0.8:
            self._record(msgspec.structs.replace(self._entry(key, Kind.REDEEM, card, points), allowance=right.id))

    def tidy_rights(self) -> None:
        """Open questions are asked again; grants that nobody waits for are given back."""
        for right in self.journal.allowances(AllowanceState.ASKED):
            self._ask(right)
        for right in self.journal.allowances(AllowanceState.GRANTED):
            release = self._entry(f"release:{right.id}", Kind.RELEASE, right.card, right.points)
            self.store.append(msgspec.structs.replace(release, allowance=right.id), b"", bytes(16))

    def work(self, steps: int) -> None:
        """Lets the courier speak, and rest no longer than the next thing happens anyway."""
        for _ in range(steps):
            if isinstance(self.courier.step(), Rest):
                return

    def drain(self) -> Exchange | Rest:
        """One step; a rest is waited for when there is work left."""
        result = self.courier.step()
        if isinstance(result, Rest):
            self._clock.pass_ms(max(1, result.until_ms - self._clock.now_ms))
        return result

    def drained(self) -> bool:
        totals = self.journal.totals()
        return totals.queued == totals.accepted_undecided == 0 and all(
            head.accepted == head.seq for head in self.journal.streams()
        )

    def restart(self) -> None:
        """A clean stop: both streams are sealed."""
        self.close()
        self.store, self.journal, self.courier = self._started()

    def kill(self) -> None:
        """What kill -9 leaves: the files as they are now, without a seal, in a folder of their own."""
        left = self._folder.with_name(f"{self._folder.name}'")
        shutil.copytree(self._folder, left)
        self.close()
        self._folder = left
        self.store, self.journal, self.courier = self._started()

    def close(self) -> None:
        self.journal.close()
        self.store.close()

    def _started(self) -> tuple[Store, JournalReader, Courier]:
        self._boots += 1
        reboots = self._clock.chance.random() < 0.5
        boot_id = f"{self.name}-{self._boots}" if reboots or self._boots == 1 else self.timepiece.boot_id
        self.timepiece = SimulatedTimepiece(self._clock, boot_id, self._clock.chance.randrange(-(10**8), 10**8))
        self._folder.mkdir(exist_ok=True)
        origin = Origin(self.name, f"machine-{self.name}", "tilld/simulated")
        store = Store.open(self._folder / "journal.db", origin=origin, timepiece=self.timepiece)
        journal = store.reader()
        key = base64.b64encode(self.name.encode().ljust(32, b"."))
        identity = Identity(self.name, key.decode(), "tilld/simulated")
        courier = Courier(store, journal, self.ledger, self.timepiece, identity, lambda *_: None)
        return store, journal, courier

    def _ask(self, right: Allowance) -> bool:
        request = AllowanceRequest(self.timepiece.random(16).hex(), right.id, right.card, right.points, right.stream)
        try:
            answer = self.ledger.allowance(request)
        except LedgerError:
            return False
        if (answer.request, answer.id) != (request.request, right.id):
            return False
        self.store.answer_allowance(right.id, answer.granted)
        return answer.granted

    def _record(self, entry: Entry) -> None:
        answered = self._append(entry)
        if not answered.replayed:
            self.told.append(entry)

    def _append(self, entry: Entry) -> Appended:
        answered = self.store.append(entry, entry.id.encode(), digest(entry))
        if self._clock.chance.random() < 0.05:
            # Killed after the commit and before the answer: the POS asks again and must hear the first answer.
            self.kill()
            again = msgspec.structs.replace(entry, id=self._id())
            repeated = self.store.append(again, again.id.encode(), digest(entry))
            assert repeated.replayed
            assert repeated.reply == answered.reply
        return answered

    def _entry(self, key: str, kind: Kind, card: str, points: int) -> Entry:
        now = rfc3339(self.timepiece.unix_ms())
        return Entry(
            id=self._id(),
            key=key,
            kind=kind,
            terminal=self.name,
            business_day="2026-01-01",
            occurred_at=now,
            clock=Clock(self.timepiece.boot_id, self.timepiece.boottime_ms(), now),
            points=points,
            card=Card(card),
        )

    def _id(self) -> str:
        return uuid7(self.timepiece.unix_ms(), self.timepiece.random(10))


def digest(entry: Entry) -> bytes:
    """Stands for the POS's request: the same sale has the same one."""
    return repr((entry.kind, entry.card, entry.points, entry.reverses)).encode()[:16].ljust(16)
