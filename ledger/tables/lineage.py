"""The tree of streams in the tables: parents are noted as they are told, contradictions flag their streams.

A flag stands before anything else is done for the stream: no right is granted to a second future of the same past.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from ledger.facts.case import Item
from ledger.facts.codes import Code
from ledger.rules.custody import Fork, Held
from ledger.rules.family import Child, Family, Known, hash_of
from ledger.rules.instants import effective
from ledger.rules.lineage import Opening, declared, opened, sealed
from ledger.rules.orders import Findings, Suspect
from ledger.tables.engine import Tables
from ledger.tables.streams import TablesStreams
from offline_queue.entry import GENESIS_HASH
from offline_queue.wire import StreamHead

OPENED: Final = "no, lane, parent, parent_seq, parent_hash, machine, boot, opened_at, flag"
"""What is told of a stream's opening, and found against it."""


class TablesLineage:
    """Reads and writes within the running transaction; `now` in ms since 1970."""

    def __init__(self, tables: Tables, now: int) -> None:
        self._tables, self._now = tables, now
        self._streams = TablesStreams(tables)

    def greet(self, terminal: str, heads: Sequence[StreamHead]) -> None:
        """Streams of which a hello is the first to tell, the oldest first."""
        openings: dict[str, Opening] = {}
        for head in heads:
            openings.setdefault(head.stream, declared(head))
        if openings:
            told = [(terminal, uid, GENESIS_HASH) for uid in openings]
            self._tables.insert("stream", told, "ON CONFLICT DO NOTHING", "terminal, uid, head")
            self._open(terminal, [*openings.values()])

    def taken(
        self, terminal: str, uid: str, place: Held | Fork, items: Sequence[Item], *, mirrored: bool = False
    ) -> list[Item]:
        """What new records tell of their stream. They come back with the flag that they are decided under.

        `mirrored` records come from a peer that keeps copies: the end of a lost journal, and no sign of life.
        """
        if not items:
            return []
        branch, flag = place.branch, place.branch.flag
        if items[0].seq == 1 and (opening := opened(uid, items[0].raw)):
            self._open(terminal, [opening])
            flag = self.flag(terminal, uid)
        if sealed(items[-1].raw):
            self._tables.change("UPDATE stream SET sealed = 1 WHERE terminal = ? AND uid = ?", terminal, uid)
        if isinstance(place, Fork):
            flag = Code.FORK
            self._flag(terminal, uid, flag)
        elif mirrored:
            self._put_back(uid, items[-1].seq)
        elif branch.followed is not None and items[-1].seq > branch.followed:
            flag = Code.FORK
            self._goes_on(terminal, uid, items[-1].seq)
        return [*items] if flag is None else [msgspec.structs.replace(item, branch=Code(flag)) for item in items]

    def flag(self, terminal: str, uid: str) -> Code | None:
        """What was found against a stream and nobody has looked at yet."""
        rows = self._tables.rows("SELECT flag FROM stream WHERE terminal = ? AND uid = ? AND branch = 0", terminal, uid)
        return Code(rows[0][0]) if rows and rows[0][0] else None

    def findings(self, terminal: str) -> Findings:
        """What is held against a terminal that nobody has looked at yet, the newest last."""
        rows = self._tables.rows(
            "SELECT uid, flag, parent, parent_seq, opened_at FROM stream WHERE terminal = ? AND flag IS NOT NULL"
            " ORDER BY no",
            terminal,
        )
        suspects = [Suspect(uid, Code(flag), *rest) for uid, flag, *rest in rows]
        ((lost_at, revoked),) = self._tables.rows(
            "SELECT t.lost_at, EXISTS (SELECT 1 FROM terminal_key k WHERE k.terminal = t.name AND"
            " k.public_key = t.public_key AND k.revoked_at IS NOT NULL) FROM terminal t WHERE t.name = ?",
            terminal,
        )
        return Findings(terminal, suspects, lost_at, self._records(terminal) if lost_at else 0, bool(revoked))

    def acknowledge(self, terminal: str) -> int:
        """Somebody has looked: flags and the lost journal count no more. How many findings there were."""
        found = self.findings(terminal)
        self._tables.change("UPDATE stream SET flag = NULL WHERE terminal = ? AND flag IS NOT NULL", terminal)
        self._tables.change("UPDATE terminal SET lost_at = NULL WHERE name = ?", terminal)
        return len(found.suspects) + (found.lost_at is not None)

    def _records(self, terminal: str) -> int:
        """How many are held of the streams before each lane began anew."""
        query = """
            SELECT CAST(coalesce(sum(mark - base), 0) AS BIGINT) FROM stream WHERE terminal = ? AND no < (
                SELECT min(begun) FROM (
                    SELECT max(no) AS begun FROM stream WHERE terminal = ? AND lane IS NOT NULL AND parent IS NULL
                    GROUP BY lane) AS roots)"""
        return int(self._tables.rows(query, terminal, terminal)[0][0])

    def _open(self, terminal: str, openings: Sequence[Opening]) -> None:
        """All streams are held before their children are looked at: who opens another child waits, and sees these."""
        parents = [opening.parent.stream for opening in openings if opening.parent]
        roots = [opening.stream for opening in openings if not opening.parent]
        held = self._streams.known({opening.stream for opening in openings} | {*parents}, hold=True)
        family = Family(
            terminal,
            held,
            self._children(sorted({*parents, *roots})),
            self._streams.hashes_at(held, _followed(openings, held)),
            lambda: self._streams.opened(terminal),
        )
        for opening in openings:
            family.open(opening)
        self._write(terminal, family)

    def _children(self, uids: Sequence[str]) -> list[Child]:
        query = "SELECT DISTINCT parent, uid, machine FROM stream WHERE parent = ANY(?)"
        return [Child(*row) for row in self._tables.many("parent, uid, machine", query, uids)()]

    def _write(self, terminal: str, family: Family) -> None:
        opened = [self._opened(no, opening, flag) for no, (opening, flag) in family.told.items()]
        self._tables.update("stream", OPENED, opened)
        self._tables.update("stream", "no, followed", family.followed.items())
        if family.lost:
            self._tables.change(
                "UPDATE terminal SET lost_at = ? WHERE name = ? AND lost_at IS NULL", self._now, terminal
            )

    def _opened(self, no: int, opening: Opening, flag: Code | None) -> tuple[object, ...]:
        """The columns of OPENED."""
        parent, at = opening.parent, opening.opened_at
        follows = (parent.stream, parent.seq, hash_of(parent)) if parent else (None, None, None)
        opened_at = None if at is None else effective(at, self._now)
        return (no, opening.lane, *follows, opening.machine, opening.boot, opened_at, flag)

    def _goes_on(self, terminal: str, uid: str, mark: int) -> None:
        """Two machines write: the stream that goes on, and what was taken for its only future."""
        self._flag(terminal, uid, Code.FORK)
        self._tables.change("UPDATE stream SET flag = ? WHERE parent = ? AND parent_seq < ?", Code.FORK, uid, mark)
        self._tables.change(
            "UPDATE stream SET flag = ? WHERE terminal = ? AND flag = ? AND lane ="
            " (SELECT lane FROM stream WHERE terminal = ? AND uid = ? AND branch = 0)",
            *(Code.FORK, terminal, Code.RESTORED, terminal, uid),
        )

    def _put_back(self, uid: str, mark: int) -> None:
        """Who follows an earlier record than the copies reach has lost those behind it."""
        query = "UPDATE stream SET flag = ? WHERE parent = ? AND parent_seq < ? AND flag IS NULL"
        self._tables.change(query, Code.RESTORED, uid, mark)

    def _flag(self, terminal: str, uid: str, code: Code) -> None:
        self._tables.change("UPDATE stream SET flag = ? WHERE terminal = ? AND uid = ?", code, terminal, uid)


def _followed(openings: Sequence[Opening], held: Sequence[Known]) -> Iterator[tuple[Known, int]]:
    """The records that these streams say they follow, wherever they may lie."""
    branches = defaultdict[str, list[Known]](list)
    for branch in held:
        branches[branch.uid].append(branch)
    for opening in openings:
        if parent := opening.parent:
            yield from ((branch, parent.seq) for branch in branches.get(parent.stream, ()))
