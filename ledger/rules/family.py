"""What openings make of the tree of streams, without I/O: any number at once, each as if it were told alone.

A till that was started thousands of times without a line tells of all its streams in one hello.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush
from typing import NamedTuple

import msgspec

from ledger.facts.codes import Code
from ledger.rules.lineage import Opening, Past, judged, stronger
from offline_queue.entry import Parent


class Known(msgspec.Struct, frozen=True):
    """A branch of a stream, as custody.Branch has it, and whose it is; `lane` once anybody has told of its opening."""

    no: int
    terminal: str
    uid: str
    branch: int
    mark: int
    grown_from: int | None
    base: int
    stable: int
    lane: str | None
    followed: int | None
    flag: str | None


class Child(NamedTuple):
    """A stream that names a `parent`; the machine that it was opened on is told by its genesis."""

    parent: str
    uid: str
    machine: str | None


HashAt = Callable[[Known, int], bytes | None]
"""The hash of a branch's record with this seq, None where it is not held; seq 0 has GENESIS_HASH."""


class Family:
    """The streams of a terminal that open, and those that they follow.

    `held` are their branches and their parents', under any terminal; `children` all that follow a parent, or a stream
    that names none; `siblings` asks for whatever the terminal has opened before. The changes are gathered: what is
    `told` of an opened branch and found against it, the seq after which a branch is `followed`, and whether a lane
    shows that its journal was `lost`.
    """

    def __init__(
        self,
        terminal: str,
        held: Iterable[Known],
        children: Iterable[Child],
        hash_at: HashAt,
        siblings: Callable[[], Iterable[Known]],
    ) -> None:
        self.told: dict[int, tuple[Opening, Code | None]] = {}
        self.followed: dict[int, int] = {}
        self.lost = False
        self._terminal, self._hash_at, self._siblings = terminal, hash_at, siblings
        self._known: dict[int, Known] = {}
        self._branches: defaultdict[str, list[int]] = defaultdict(list)
        self._children: defaultdict[str, defaultdict[str | None, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._lanes: dict[str, _Lane] | None = None
        for branch in held:
            self._known[branch.no] = branch
            self._branches[branch.uid].append(branch.no)
        for parent, uid, machine in children:
            self._children[parent][machine].add(uid)

    def open(self, opening: Opening) -> None:
        """Judged when first heard of; its genesis can only make a flag stronger, for others may have come since."""
        own = self._own(opening.stream)
        parent, noted, found = opening.parent, own.lane is not None, Code(own.flag) if own.flag else None
        if parent and (found or not noted):
            found = stronger(judged(opening, self._past(opening.stream, parent, noted=noted)), found)
        self._note(own, opening, found)
        if parent is None:
            self.lost = self.lost or self._begun_anew(opening)
        elif not noted:
            self._follow(opening, parent, contradicted=found is not None)

    def _own(self, uid: str) -> Known:
        branches = (self._known[no] for no in self._branches[uid])
        return next(known for known in branches if known.terminal == self._terminal and not known.branch)

    def _of(self, uid: str) -> list[Known]:
        """Without what opens only later, of which nothing is held or told yet."""
        branches = (self._known[no] for no in self._branches.get(uid, ()))
        return [known for known in branches if known.mark or known.lane is not None]

    def _past(self, uid: str, parent: Parent, *, noted: bool) -> Past | None:
        """What any terminal has delivered of the parent, for a till may have been given another name."""
        branches = self._of(parent.stream)
        if not branches:
            return None
        reached = [branch for branch in branches if branch.mark >= parent.seq]
        agrees = any(self._hash_at(branch, parent.seq) == hash_of(parent) for branch in reached)
        others = [machine for machine, uids in self._children[parent.stream].items() if len(uids) > (uid in uids)]
        overtaken = not noted and not others and any(branch.followed is not None for branch in branches)
        return Past(max(branch.mark for branch in branches), agrees, others, overtaken)

    def _note(self, own: Known, opening: Opening, found: Code | None) -> None:
        self.told[own.no] = opening, found
        self._known[own.no] = noted = msgspec.structs.replace(own, lane=opening.lane, flag=found)
        if opening.parent:
            self._children[opening.parent.stream][opening.machine].add(own.uid)
        if self._lanes is not None:
            self._lanes[opening.lane].take(noted)

    def _follow(self, opening: Opening, parent: Parent, *, contradicted: bool) -> None:
        """From here on the parent has a future; and where it had another one, that must not go on unseen either."""
        branches = self._of(parent.stream)
        for branch in branches:
            if branch.followed is None or branch.followed > parent.seq:
                self._followed(branch, parent.seq)
        if contradicted and branches:
            lane = self._opened()[opening.lane]
            for no in lane.later(max(branch.no for branch in branches), self._own(opening.stream).no):
                if self._known[no].followed is None:
                    self._followed(self._known[no], self._known[no].mark)

    def _followed(self, branch: Known, seq: int) -> None:
        self.followed[branch.no] = seq
        self._known[branch.no] = msgspec.structs.replace(branch, followed=seq)

    def _begun_anew(self, opening: Opening) -> bool:
        """A lane that begins without a parent although it had begun before: its journal is gone."""
        uids = self._opened()[opening.lane].uids
        childless = not any(self._children[opening.stream].values())
        return childless and len(uids) > (opening.stream in uids)

    def _opened(self) -> "dict[str, _Lane]":
        """The terminal's streams by their lanes."""
        if self._lanes is None:
            self._lanes = defaultdict(_Lane)
            for sibling in self._siblings():
                self._known.setdefault(sibling.no, sibling)
            for known in self._known.values():
                if known.terminal == self._terminal and known.lane is not None:
                    self._lanes[known.lane].take(known)
        return self._lanes


class _Lane:
    """The streams that were opened in a lane, and which of them nothing was found to follow when last looked at."""

    def __init__(self) -> None:
        self.uids: set[str] = set()
        self._loose: list[int] = []

    def take(self, known: Known) -> None:
        self.uids.add(known.uid)
        heappush(self._loose, -known.no)

    def later(self, than: int, but: int) -> list[int]:
        """Those after a number, once: whoever asks makes sure that they are followed from then on."""
        found = []
        while self._loose and -self._loose[0] > than:
            found.append(-heappop(self._loose))
        if but in found:
            heappush(self._loose, -but)
        return [no for no in found if no != but]


def hash_of(parent: Parent) -> bytes:
    """What is no hash agrees with nothing."""
    try:
        return bytes.fromhex(parent.hash)
    except ValueError:
        return b""


def source(branch: Known, seq: int, branches: Mapping[int, Known]) -> tuple[int, int]:
    """The branch that holds a record itself, and its seq there: before its base a branch is the one that it left."""
    while seq <= branch.base and branch.grown_from is not None:
        branch = branches[branch.grown_from]
    return branch.no, seq
