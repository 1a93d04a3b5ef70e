"""A machine with a till on its disk: the product's own till, journal, courier and questions, turned by hand."""

import hashlib
import shutil
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from offline_queue.entry import LANE_OF, Lane
from offline_queue.journal import Allowance, AllowanceState, Origin
from offline_queue.mirror import Mirror
from offline_queue.mirror_copy import FolderKeeper
from offline_queue.requests import Identity
from offline_queue.store import Store
from offline_queue.terminal_key import public_key
from terminal.cards.directory import Directory
from terminal.cards.recognition import recognition_of
from terminal.config import Config
from terminal.desks import Surroundings
from terminal.inbox import AccountHeard, AllowanceAnswered, Answered, Event, Inbox, Settled, Welcomed
from terminal.pos import Refusal
from terminal.till import Till
from tests.simulation import templates
from tests.simulation.clock import SimulatedTimepiece
from tests.simulation.network import Line
from tests.simulation.stage import Fate, InlineWriter, SteppedInquiries, SteppedSync
from tests.simulation.truth import Told

COUNTER_TURNS: Final = 40
"""Turns of 200 ms within which the POS must have an answer."""
LANES: Final = tuple(dict.fromkeys(LANE_OF.values()))
SOFTWARE: Final = "tilld/simulated"


@dataclass(frozen=True)
class Who:
    """A terminal as it is enrolled; a clone of its disk has the same `terminal` and key."""

    terminal: str
    config: Config
    key: Ed25519PrivateKey

    @classmethod
    def named(cls, terminal: str, config: Config, number: int = 0) -> "Who":
        seed = hashlib.sha256(f"{terminal} {number}".encode()).digest()
        return cls(terminal, config, Ed25519PrivateKey.from_private_bytes(seed))


@dataclass(frozen=True)
class Start:
    """One start of a till on this disk as it truly was: each lane's stream, and the record that it follows."""

    streams: dict[Lane, str]
    parents: dict[Lane, tuple[str, int] | None]


@dataclass
class Disk:
    """A state folder and what POS systems were told of it: `kept` are answered sales that lie there."""

    folder: Path
    kept: list[Told] = field(default_factory=list)

    def copied(self, folder: Path) -> "Disk":
        """What a clone, a backup or a kill leaves: the files as they are now."""
        ignored = shutil.ignore_patterns("*-shm", "*.ballast", "mirror")
        shutil.copytree(self.folder, folder, ignore=ignored)
        return Disk(folder, [*self.kept])


class Machine:
    """`who` it is for the ledger, its `disk`, and the one start of tilld that runs there."""

    def __init__(
        self, name: str, who: Who, disk: Disk, line: Line, machine_id: str, mirror: Path | None = None
    ) -> None:
        self.name, self.who, self.disk, self._line = name, who, disk, line
        self._clock, self._machine_id, self.mirrored_to = line.clock, machine_id, mirror
        self.ledger = line.ledger(self)
        self._boots = 0
        self.starts: list[Start] = []
        self.rights_left: list[Allowance] = []
        self.start()

    @property
    def terminal(self) -> str:
        return self.who.terminal

    def start(self) -> None:
        self._boots += 1
        if not self.disk.folder.exists():
            self.disk.folder.mkdir()
            templates.place(self.disk.folder)
        chance = self._clock.chance
        reboots = self._boots == 1 or chance.random() < 0.5
        boot_id = f"{self.name}-{self._boots}" if reboots else self.timepiece.boot_id
        skew = chance.choice((0, chance.randrange(-(10**8), 10**8), chance.randrange(-(10**9), 10**9)))
        self.timepiece = SimulatedTimepiece(self._clock, boot_id, skew)
        self._open()
        self.till.start()
        self.inquiries.start()
        self._note_start()

    def ask(self, event: Callable[["Future[Any]"], Event], fate: Fate = Fate.FINE) -> Answered | Refusal:
        """What the POS hears. Raises Killed where the process ends meanwhile."""
        reply: Future[Any] = Future()
        self.writer.fate = fate
        self.till.handle(event(reply))
        self.pump()
        for _ in range(COUNTER_TURNS):
            if reply.done():
                break
            self.inquiries.turn()
            self.pump()
            self._clock.pass_ms(0 if reply.done() else 200)
        assert reply.done(), f"{self.name} left its POS without an answer"
        self.writer.fate = Fate.FINE
        error = reply.exception()
        if error is None:
            answered: Answered = reply.result()
            return answered
        assert isinstance(error, Refusal), repr(error)
        return error

    def turn(self) -> None:
        """Each thread of the till has a turn."""
        self.sync.turn()
        self.pump()
        self.inquiries.turn()
        self.pump()

    def pump(self) -> None:
        while (event := self.inbox.take(0)) is not None:
            self.till.handle(event)

    def copy_away(self) -> None:
        """A round of the mirror, where this till has one."""
        if self.mirror is not None:
            self.mirror._copied_all(self.journal)

    def drained(self) -> bool:
        totals = self.journal.totals()
        accepted = all(head.accepted == head.seq for head in self.journal.streams())
        questions = self.journal.allowances(AllowanceState.ASKED)
        return totals.queued == totals.accepted_undecided == 0 and accepted and not questions

    def stop(self) -> None:
        """In order: both streams are sealed."""
        self._shut()
        self.store.close()

    def abandon(self) -> None:
        """The process is gone; what it has open is given back without a seal, in a folder that nobody looks at."""
        self._shut()
        self.writer.stop()

    def _shut(self) -> None:
        self.rights_left = self.journal.allowances()
        self.sync.journal.close()
        self.journal.close()
        self.directory.close()
        self.inquiries.stop()

    def _open(self) -> None:
        """As the daemon does, from the journal upwards."""
        folder, origin = self.disk.folder, Origin(self.terminal, self._machine_id, SOFTWARE)
        self.store = Store.open(folder / "journal.db", origin=origin, timepiece=self.timepiece)
        assert isinstance(self.store._writer, InlineWriter)
        self.writer = self.store._writer
        self.journal = self.store.reader()
        self.directory = Directory.open(folder / "directory.db", self.timepiece.random(4).hex())
        self.inbox = Inbox()
        self._open_lines()
        self.mirror = None
        if self.mirrored_to is not None:
            keeper = FolderKeeper(self.mirrored_to)
            self.mirror = Mirror(self.store, keeper, self.timepiece, self.terminal, self.who.key)
        self.till = self._till()
        self.sync.begin()

    def _open_lines(self) -> None:
        """What speaks with the ledger."""
        self.sync = SteppedSync(
            self.store,
            self.ledger,
            self.timepiece,
            Identity(self.terminal, public_key(self.who.key), SOFTWARE),
            on_change=self._ledger_changed,
            on_settled=lambda verdicts, balances, cursor: self.inbox.post(Settled(verdicts, balances, cursor)),
            keep_days=self.who.config.journal.keep_days,
            on_welcome=lambda word: self.inbox.post(Welcomed(word.time, word.rights, word.recovering)),
            hotlist=self.directory.hotlist,
        )
        self.inquiries = SteppedInquiries(
            self.store,
            self.ledger,
            self.timepiece,
            on_allowance=lambda right, answer: self.inbox.post(AllowanceAnswered(right, answer)),
            on_account=lambda number, account, known: self.inbox.post(AccountHeard(number, account, known)),
            on_heard=self.sync.heard_elsewhere,
        )

    def _till(self) -> Till:
        return Till(
            Surroundings(
                config=self.who.config,
                version="0",
                store=self.store,
                journal=self.journal,
                directory=self.directory,
                timepiece=self.timepiece,
                recognition=recognition_of(self.who.config),
                inquiries=self.inquiries,
                sync=self.sync,
                report=self.inbox.report,
                publish=lambda *_: None,
                key=self.who.key,
                after_copy=self.mirror.after_copy if self.mirror else None,
            )
        )

    def _ledger_changed(self, report: Any) -> None:
        if report.reachable:
            self.inquiries.ledger_reachable()
        self.inbox.post(report)

    def _note_start(self) -> None:
        """Which records this start truly follows, by the journal's own order."""
        heads = self.journal.streams(all=True)
        streams, parents = dict[Lane, str](), dict[Lane, tuple[str, int] | None]()
        for lane in LANES:
            streams[lane] = uid = self.store.stream(lane)
            before = [head for head in heads if head.lane is lane and head.stream != uid]
            parents[lane] = (before[-1].stream, before[-1].seq) if before else None
        self.starts.append(Start(streams, parents))
