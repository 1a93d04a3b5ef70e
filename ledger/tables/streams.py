"""Streams and their branches in the tables: what is held of each, and how far."""

from collections.abc import Iterable, Sequence

from ledger.facts.case import Item
from ledger.rules.custody import Admission, Branch, Fork, Held, admit
from ledger.rules.family import HashAt, Known, source
from ledger.tables.engine import SEQ_BITS, Tables
from offline_queue.entry import GENESIS_HASH, chain

BRANCH = "no, mark, head, grown_from, base, followed, flag"
"""The columns of a Branch."""
KNOWN = "no, terminal, uid, branch, mark, grown_from, base, stable, lane, followed, flag"
"""The columns of a Known."""
UNOPENED = Branch(0)
"""Stands for a stream of which nothing is held yet; it has no row."""


class TablesStreams:
    """Reads and writes within the running transaction."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def branches(self, terminal: str, uid: str, *, hold: bool = False) -> list[Branch]:
        """The stream as first seen, then its forks; `hold` lets nobody else change them until the commit."""
        query = f"SELECT {BRANCH} FROM stream WHERE terminal = ? AND uid = ? ORDER BY branch"  # noqa: S608
        return [Branch(*row) for row in self._tables.rows(f"{query} FOR UPDATE" if hold else query, terminal, uid)]

    def place(self, terminal: str, uid: str, first: int, head: bytes | None, records: Sequence[bytes]) -> Admission:
        """Where a batch belongs. The stream is held from here on."""
        return admit(self.branches(terminal, uid, hold=True) or [UNOPENED], first, head, records, self.hashes)

    def end(self, terminal: str, uid: str, record: bytes) -> Held:
        """The place after the last record of a stream that only these books write."""
        branch = next(iter(self.branches(terminal, uid, hold=True)), UNOPENED)
        return Held(branch, branch.mark + 1, [chain(branch.head, record)], 0)

    def keep(self, terminal: str, uid: str, place: Held | Fork, records: Sequence[bytes]) -> tuple[int, list[Item]]:
        """Custody: what is new of a batch becomes part of its stream. Returns the mark and the new records."""
        hashes, new = place.hashes[place.known :], records[place.known :]
        if not new:
            return place.branch.mark, []
        branch = self._branch(terminal, uid, place, place.branch)
        mark = branch.mark + len(new)
        seqs = range(branch.mark + 1, mark + 1)
        start = branch.no << SEQ_BITS
        rows = [(start + seq, digest, raw) for seq, digest, raw in zip(seqs, hashes, new, strict=True)]
        self._tables.insert("record", rows)
        self._tables.change("UPDATE stream SET mark = ?, head = ? WHERE no = ?", mark, hashes[-1], branch.no)
        return mark, [Item(start + seq, uid, seq, terminal, raw) for seq, raw in zip(seqs, new, strict=True)]

    def _branch(self, terminal: str, uid: str, place: Held | Fork, held: Branch) -> Branch:
        """The branch that grows: the one held, a new stream, or a new branch from where the batch leaves the old."""
        if isinstance(place, Held) and held.no:
            return held
        forked = isinstance(place, Fork)
        base = place.last - len(place.hashes) + place.known if forked else 0
        head = self.hashes(held, base, base)[0]
        branch = len(self.branches(terminal, uid))
        ((number,),) = self._tables.rows(
            "INSERT INTO stream (terminal, uid, branch, grown_from, base, mark, head) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " RETURNING no",
            *(terminal, uid, branch, held.no if forked else None, base, base, head),
        )
        return Branch(number, base, head, held.no if forked else None, base)

    def known(self, uids: Iterable[str], *, hold: bool = False) -> list[Known]:
        """All branches of these streams, under any terminal; `hold` as in `branches`."""
        query = f"SELECT {KNOWN} FROM stream WHERE uid = ANY(?) ORDER BY no"  # noqa: S608 - our own columns
        rows = self._tables.many(KNOWN, f"{query} FOR UPDATE" if hold else query, sorted(uids))()
        return [Known(*row) for row in rows]

    def opened(self, terminal: str) -> list[Known]:
        """The terminal's streams of whose opening anybody has told. Nobody else changes them until the commit."""
        query = f"SELECT {KNOWN} FROM stream WHERE terminal = ? AND lane IS NOT NULL ORDER BY no FOR UPDATE"  # noqa: S608
        return [Known(*row) for row in self._tables.many(KNOWN, query, terminal)()]

    def hashes_at(self, held: Iterable[Known], places: Iterable[tuple[Known, int]]) -> HashAt:
        """The hashes of these records, asked at once; `held` are all branches of their streams."""
        branches = {branch.no: branch for branch in held}

        def record(branch: Known, seq: int) -> int:
            no, seq = source(branch, seq, branches)
            return no << SEQ_BITS | seq

        asked = sorted({record(branch, seq) for branch, seq in places if 0 < seq <= branch.mark})
        found = dict(self._tables.rows("SELECT no, hash FROM record WHERE no = ANY(?)", asked)) if asked else {}
        return lambda branch, seq: found.get(record(branch, seq)) if seq > 0 else GENESIS_HASH

    def mark(self, uid: str) -> int:
        """How far a stream is held on any branch; of any terminal, for a till may have been given another name."""
        return int(self._tables.rows("SELECT coalesce(max(mark), 0) FROM stream WHERE uid = ?", uid)[0][0])

    def stable(self, terminal: str, uid: str) -> int:
        """How far a backup covers the stream, on all its branches."""
        query = "SELECT coalesce(min(stable), 0) FROM stream WHERE terminal = ? AND uid = ?"
        return int(self._tables.rows(query, terminal, uid)[0][0])

    def hashes(self, branch: Branch, first: int, last: int) -> list[bytes]:
        """See custody.Hashes: the branch's own records lie after its base, those before it on what it grew from."""
        last = min(last, branch.mark)
        if first == last == branch.mark:
            return [branch.head]
        past = self._past(branch, first, min(last, branch.base)) if first <= branch.base else []
        start = branch.no << SEQ_BITS
        own = self._tables.rows(
            "SELECT hash FROM record WHERE no BETWEEN ? AND ? ORDER BY no",
            *(start + max(first, branch.base + 1), start + last),
        )
        return past + [row[0] for row in own]

    def _past(self, branch: Branch, first: int, last: int) -> list[bytes]:
        if branch.grown_from is None:
            return [GENESIS_HASH]
        (row,) = self._tables.rows(
            f"SELECT {BRANCH} FROM stream WHERE no = ?",  # noqa: S608
            branch.grown_from,
        )
        return self.hashes(Branch(*row), first, last)


def generation_in(tables: Tables) -> str | None:
    """As the books have it now; another process may have renewed it."""
    rows = tables.rows("SELECT value FROM fact WHERE name = 'generation'")
    return rows[0][0] if rows else None
