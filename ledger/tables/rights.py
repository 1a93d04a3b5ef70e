"""Rights in the tables: where they are bound, and the streams between there and where their till is now."""

from collections.abc import Sequence
from typing import Any

from ledger.facts.codes import Code
from ledger.facts.rights import Right, RightState
from ledger.rules.confirming import MAX_STARTS, Link, Word, confirm, home, present, unsealed
from ledger.tables.engine import Tables
from offline_queue.entry import Parent
from offline_queue.wire import Hello

COLUMNS = "id, terminal, stream, card, points, account, state, code, asked, bound, trusted, granted_at"
_LINK = """
    SELECT s.mark, s.head, s.sealed, s.flag, s.machine, s.parent, s.parent_seq, s.parent_hash,
           (SELECT count(*) FROM stream b WHERE b.uid = s.uid),
           (SELECT count(*) FROM stream c WHERE c.parent = s.uid AND c.branch = 0)
    FROM stream s WHERE s.terminal = ? AND s.uid = ? AND s.branch = 0"""


class TablesRights:
    """Reads and writes within the running transaction."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def held(self, ids: Sequence[str]) -> dict[str, Right]:
        """Those that are there; nobody else changes them until the commit."""
        query = f"SELECT {COLUMNS} FROM allowance WHERE id = ANY(?) ORDER BY id FOR UPDATE"  # noqa: S608 - our own
        return {row[0]: right(*row) for row in self._tables.rows(query, ids)}

    def told(self, terminal: str, uid: str) -> tuple[bool, Code | None]:
        """Whether the books know enough of a stream to promise it anything, and what was found against it.

        A stream that nobody has told of may be a second future of a past that is known.
        """
        query = "SELECT flag, branch FROM stream WHERE terminal = ? AND uid = ? ORDER BY branch FOR UPDATE"
        rows = self._tables.rows(query, terminal, uid)
        found = next((flag for flag, _ in rows if flag), None) or (Code.FORK if len(rows) > 1 else None)
        return bool(rows), Code(found) if found else None

    def links(self, terminal: str, uid: str, end: str) -> list[Link]:
        """From a stream back to `end`, or as far as the books know the way."""
        links: list[Link] = []
        following: str | None = uid
        while following and len(links) < MAX_STARTS and (link := self._link(terminal, following)):
            links.append(link)
            following = link.parent.stream if link.parent and link.uid != end else None
        return links

    def spent(self, uid: str) -> int:
        """Points of rights for whose sake the end of this stream was believed."""
        query = "SELECT CAST(coalesce(sum(points), 0) AS BIGINT) FROM allowance WHERE trusted = ?"
        return int(self._tables.rows(query, uid)[0][0])

    def confirm(self, hello: Hello, cap: int) -> dict[str, bool]:
        """What holds of the rights that a till declares; silent on those of which too little is known yet."""
        now = present(hello.streams)
        if now is None or not hello.allowances:
            return {}
        held = self.held(sorted(set(hello.allowances)))
        words = [self._word(right, now, cap) for right in held.values() if right.terminal == hello.terminal]
        return {word.right.id: word.holds for word in words if word.holds is not None}

    def listed(self, terminal: str | None) -> list[Right]:
        """Rights that hold points back, the oldest first; of one terminal or of all."""
        query = f"SELECT {COLUMNS} FROM allowance WHERE state IN ('open', 'locked')"  # noqa: S608 - our own
        if terminal is None:
            rows = self._tables.rows(f"{query} ORDER BY granted_at, id")
        else:
            rows = self._tables.rows(f"{query} AND terminal = ? ORDER BY granted_at, id", terminal)
        return [right(*row) for row in rows]

    def _word(self, held: Right, now: str, cap: int) -> Word:
        links = self.links(held.terminal, now, home(held))
        over = unsealed(links)
        word = confirm(held, links, self.spent(over) if over else 0, cap)
        if word.right != held:
            self._tables.change(
                "UPDATE allowance SET bound = ?, trusted = ? WHERE id = ?",
                *(word.right.bound, word.right.trusted, held.id),
            )
        return word

    def _link(self, terminal: str, uid: str) -> Link | None:
        rows = self._tables.rows(_LINK, terminal, uid)
        return _link(uid, *rows[0]) if rows else None


def _link(
    uid: str,
    mark: int,
    head: bytes,
    sealed: int,
    flag: str | None,
    machine: str | None,
    parent: str | None,
    parent_seq: int | None,
    parent_hash: bytes | None,
    branches: int,
    children: int,
) -> Link:
    follows = Parent(parent, parent_seq or 0, bytes(parent_hash or b"").hex()) if parent else None
    return Link(
        uid, mark, bytes(head).hex(), bool(sealed), flag is not None or branches > 1, children, machine, follows
    )


def right(*columns: Any) -> Right:
    """From a row of COLUMNS."""
    name, terminal, stream, card, points, account, state, *more = columns
    return Right(name, terminal, stream, card, points, account, RightState(state), *more)
