"""What can only be seen while it happens: marks as they are told, receipts as they are signed, rights as granted."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from offline_queue.receipts import genuine
from offline_queue.wire import BatchAnswer, BatchHeader, Park, Welcome
from offline_queue.wire_accounts import AllowanceAnswer, AllowanceRequest
from tests.simulation.office import SIGNER

if TYPE_CHECKING:
    from tests.simulation.world import World


@dataclass(frozen=True)
class Signed:
    """The ledger's word that it holds a stream up to `seq` with this hash (hex)."""

    terminal: str
    stream: str
    seq: int
    head: str


@dataclass
class Witnessed:
    """Implements network.Witness. Every method raises AssertionError at once."""

    world: "World"
    receipts: set[Signed] = field(default_factory=set)
    stable: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    granted: dict[str, int] = field(default_factory=dict)
    _accepted: dict[tuple[str, str, str], int] = field(default_factory=lambda: defaultdict(int))
    _flagged: set[str] = field(default_factory=set)
    _flagged_in_backup: set[str] = field(default_factory=set)

    def hears(self, terminal: str, said: Any, asked: Any) -> None:
        match said:
            case Welcome():
                for stream, marks in said.streams.items():
                    self.stable[stream] = max(marks.stable, self.stable[stream])
                self._look_at_flags()
            case BatchAnswer():
                self._mark(getattr(asked, "owner", None) or terminal, said, _last(asked))
                self._look_at_flags()
            case AllowanceAnswer(granted=True):
                self._grant(terminal, said, asked)

    def backed_up(self) -> None:
        """What was found until now, and looked at by somebody, is so in the backup."""
        self._flagged_in_backup = {*self._flagged}

    def went_back(self) -> None:
        """The books are of an earlier day: flags are found anew. I6: what tills gave up is there all the same."""
        self._flagged = {*self._flagged_in_backup}
        self._accepted.clear()
        for machine in self.world.machines:
            for uid, trimmed in trimmed_of(machine.disk.folder):
                rows = self.world.office.rows("SELECT coalesce(max(mark), 0) FROM stream WHERE uid = ?", uid)
                assert rows[0][0] >= trimmed, f"I6: {machine.name} gave up {trimmed} of {uid}, the backup has {rows}"

    def _mark(self, terminal: str, said: BatchAnswer, last: int) -> None:
        """I5: within a generation a mark never goes down, and what is brought is held. I8: receipts are genuine."""
        self.stable[said.stream] = max(said.stable, self.stable[said.stream])
        query = "SELECT count(*), max(mark) FROM stream WHERE uid = ?"
        ((branches, held),) = self.world.office.rows(query, said.stream)
        place = said.generation, terminal, said.stream
        if branches == 1:
            before = self._accepted[place]
            assert held >= before, f"I5: the mark of {said.stream} went from {before} to {held}"
            assert said.accepted >= last, f"I5: {said.stream} was brought up to {last} and held up to {said.accepted}"
            self._accepted[place] = held
        assert said.custody is not None
        assert genuine(said.custody, terminal, said.stream, SIGNER.public_key), "I8: the receipt is not genuine"
        self.receipts.add(Signed(terminal, said.stream, said.custody.seq, said.custody.head))

    def _look_at_flags(self) -> None:
        if self.world.copied:
            self._flagged |= {uid for (uid,) in self.world.office.rows("SELECT uid FROM stream WHERE flag IS NOT NULL")}

    def _grant(self, terminal: str, said: AllowanceAnswer, asked: AllowanceRequest) -> None:
        """I7: of a past with two futures that the ledger can see, one is flagged before either gets a right."""
        self.granted[said.id] = said.points if said.points is not None else asked.points
        if not self.world.copied:
            return
        marks = dict(self.world.office.rows("SELECT uid, max(mark) FROM stream WHERE lane IS NOT NULL GROUP BY uid"))
        parents = {uid: parent for start in self.world.starts() for uid, parent in start if parent is not None}
        for fork in visible_forks(asked.stream, parents, marks):
            assert fork & self._flagged, f"I7: {terminal} got a right on {asked.stream}; nobody noticed the fork {fork}"


def _last(brought: BatchHeader | Park) -> int:
    return brought.seq if isinstance(brought, Park) else brought.first + brought.count - 1


def visible_forks(stream: str, parents: dict[str, tuple[str, int]], marks: dict[str, int]) -> list[set[str]]:
    """The true forks on a stream's way back, or behind it, of which the ledger has heard both sides."""
    line, found = [stream], list[set[str]]()
    while line[-1] in parents:
        line.append(parents[line[-1]][0])
    for past in line:
        children = {uid for uid, (parent, _) in parents.items() if parent == past and uid in marks}
        goes_on = {uid for uid in children if marks.get(past, 0) > parents[uid][1]}
        if len(children) > 1 or goes_on:
            found.append({past, *children})
    return found


def trimmed_of(folder: Any) -> list[tuple[str, int]]:
    """How far the journal in a folder has given up its streams."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(folder / "journal.db")) as journal:
        return journal.execute("SELECT uid, trimmed FROM stream WHERE trimmed > 0").fetchall()
