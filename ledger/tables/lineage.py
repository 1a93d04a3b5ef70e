"""The tree of streams in the tables: parents are noted as they are told, contradictions flag their streams.

A flag stands before anything else is done for the stream: no right is granted to a second future of the same past.
"""

from collections.abc import Sequence

import msgspec

from ledger.facts.case import Item
from ledger.facts.codes import Code
from ledger.rules.custody import Branch, Fork, Held
from ledger.rules.instants import effective
from ledger.rules.lineage import Opening, Past, declared, judged, opened, sealed, stronger
from ledger.rules.orders import Findings, Suspect
from ledger.tables.engine import Tables
from ledger.tables.streams import BRANCH, TablesStreams
from offline_queue.entry import GENESIS_HASH, Parent
from offline_queue.wire import StreamHead


class TablesLineage:
    """Reads and writes within the running transaction; `now` in ms since 1970."""

    def __init__(self, tables: Tables, now: int) -> None:
        self._tables, self._now = tables, now
        self._streams = TablesStreams(tables)

    def greet(self, terminal: str, heads: Sequence[StreamHead]) -> None:
        """Streams of which a hello is the first to tell, the oldest first."""
        for head in heads:
            if not self._noted(terminal, head.stream):
                self._tables.change(
                    "INSERT INTO stream (terminal, uid, head) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                    *(terminal, head.stream, GENESIS_HASH),
                )
                self._open(terminal, declared(head))

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
            self._open(terminal, opening)
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

    def _noted(self, terminal: str, uid: str) -> bool:
        query = "SELECT lane FROM stream WHERE terminal = ? AND uid = ? AND branch = 0"
        return any(lane for (lane,) in self._tables.rows(query, terminal, uid))

    def _open(self, terminal: str, opening: Opening) -> None:
        """Judged when first heard of; its genesis can only make a flag stronger, for others may have come since."""
        parent, noted = opening.parent, self._noted(terminal, opening.stream)
        found = self.flag(terminal, opening.stream)
        if parent and (found or not noted):
            found = stronger(judged(opening, self._past(opening.stream, parent, noted=noted)), found)
        self._tables.change(
            "UPDATE stream SET lane = ?, parent = ?, parent_seq = ?, parent_hash = ?, machine = ?, boot = ?,"
            " opened_at = ?, flag = ? WHERE terminal = ? AND uid = ? AND branch = 0",
            *(opening.lane, *_parent(parent), opening.machine, opening.boot),
            None if opening.opened_at is None else effective(opening.opened_at, self._now),
            *(found, terminal, opening.stream),
        )
        if parent is None:
            self._begun_anew(terminal, opening)
        elif not noted:
            self._follow(terminal, opening, parent, contradicted=found is not None)

    def _past(self, uid: str, parent: Parent, *, noted: bool) -> Past | None:
        """What any terminal has delivered of the parent, for a till may have been given another name."""
        rows = self._tables.rows(
            f"SELECT {BRANCH} FROM stream WHERE uid = ? ORDER BY branch FOR UPDATE",  # noqa: S608
            parent.stream,
        )
        branches = [Branch(*row) for row in rows]
        if not branches:
            return None
        reached = [branch for branch in branches if branch.mark >= parent.seq]
        agrees = any(self._streams.hashes(branch, parent.seq, parent.seq) == [_hash(parent)] for branch in reached)
        others = self._tables.rows("SELECT machine FROM stream WHERE parent = ? AND uid <> ?", parent.stream, uid)
        overtaken = not noted and not others and any(branch.followed is not None for branch in branches)
        return Past(max(branch.mark for branch in branches), agrees, [machine for (machine,) in others], overtaken)

    def _follow(self, terminal: str, opening: Opening, parent: Parent, *, contradicted: bool) -> None:
        """From here on the parent has a future; and where it had another one, that must not go on unseen either."""
        self._tables.change(
            "UPDATE stream SET followed = ? WHERE uid = ? AND (followed IS NULL OR followed > ?)",
            *(parent.seq, parent.stream, parent.seq),
        )
        if contradicted:
            self._tables.change(
                "UPDATE stream SET followed = mark WHERE terminal = ? AND lane = ? AND uid <> ? AND branch = 0"
                " AND followed IS NULL AND no > (SELECT max(no) FROM stream WHERE uid = ?)",
                *(terminal, opening.lane, opening.stream, parent.stream),
            )

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

    def _begun_anew(self, terminal: str, opening: Opening) -> None:
        """A lane that begins without a parent although it had begun before: its journal is gone."""
        earlier = self._tables.rows(
            "SELECT 1 FROM stream s WHERE s.terminal = ? AND s.lane = ? AND s.uid <> ? AND NOT EXISTS"
            " (SELECT 1 FROM stream c WHERE c.parent = ?) LIMIT 1",
            *(terminal, opening.lane, opening.stream, opening.stream),
        )
        if earlier:
            self._tables.change(
                "UPDATE terminal SET lost_at = ? WHERE name = ? AND lost_at IS NULL", self._now, terminal
            )


def _parent(parent: Parent | None) -> tuple[str | None, int | None, bytes | None]:
    return (parent.stream, parent.seq, _hash(parent)) if parent else (None, None, None)


def _hash(parent: Parent) -> bytes:
    """What is no hash agrees with nothing."""
    try:
        return bytes.fromhex(parent.hash)
    except ValueError:
        return b""
