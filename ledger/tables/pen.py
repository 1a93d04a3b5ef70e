"""Writes what a batch has changed into the tables, in bulk, inside the caller's transaction."""

from collections.abc import Iterable, Sequence

from ledger.facts.rights import Right
from ledger.points.lots import Lot
from ledger.rules.records import bounded
from ledger.sheet.feed import Span, spans
from ledger.sheet.sheet import Sheet
from ledger.sheet.shelving import Shelving
from ledger.sheet.source import Posting
from ledger.tables import changes, circumstances, revocation
from ledger.tables.engine import Tables


class TablesPen:
    """Writes within the running transaction."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def write(self, sheet: Sheet) -> None:
        """Terminals come last of all that a batch holds, so their counters are asked when the rest is known."""
        told = spans(sheet.rulings, sheet.waiting.changed)
        decided = self._decided(sorted({span.terminal for span in told}))
        numbers = changes.numbers(self._tables, len(sheet.cards.news))
        self._postings(sheet.postings)
        self._accounts(sheet)
        self._cards(sheet, numbers)
        self._shelves(sheet.shelving)
        self._duplicates(sheet)
        self._rights(sheet)
        self._waits(sheet.waiting.changed)
        self._words(sheet)
        self._tell(told, decided)
        circumstances.count_offline(self._tables, sheet.offline_days.changed)
        circumstances.keep_shown(self._tables, sheet.counts.changed)
        self._breaches(sheet)

    def _breaches(self, sheet: Sheet) -> None:
        """The last thing of all, for a key that falls is a change that every till is told."""
        circumstances.count_breaches(self._tables, sheet.roster.changed)
        for name, terminal in sheet.roster.changed.items():
            if terminal.revoked:
                reason = revocation.BREACHES.format(count=terminal.breaches)
                revocation.revoke(self._tables, name, sheet.now, reason)

    def _decided(self, terminals: Sequence[str]) -> dict[str, int]:
        """The number of each terminal's last verdict."""
        query = "SELECT name, decided FROM terminal WHERE name = ANY(?) ORDER BY name FOR UPDATE"
        return dict(self._tables.rows(query, terminals))

    def _tell(self, told: Iterable[Span], last: dict[str, int]) -> None:
        """Verdicts, numbered on from each terminal's last."""
        rows = []
        for span in told:
            terminal, decision = span.terminal, span.decision
            last[terminal] += 1
            count = span.last - span.first + 1
            what = (decision.state, decision.code, decision.detail, span.points)
            rows.append((terminal, last[terminal], span.record, count, *what))
        self._tables.insert("decision", rows)
        for terminal, n in last.items():
            self._tables.change("UPDATE terminal SET decided = ? WHERE name = ?", n, terminal)

    def _postings(self, postings: Iterable[Posting]) -> None:
        rows = [(p.record, p.entry, p.account, p.points, p.original, str(p.code), p.posted_at) for p in postings]
        self._tables.insert("posting", rows)

    def _accounts(self, sheet: Sheet) -> None:
        standings = [standing for _, standing in sorted(sheet.accounts.changed.items())]
        rows = [(s.account, s.balance, s.reserved, s.usable_from, s.usable_until, s.merged_into) for s in standings]
        self._tables.insert(
            "account",
            rows,
            "ON CONFLICT (no) DO UPDATE SET balance = excluded.balance, reserved = excluded.reserved,"
            " usable_from = excluded.usable_from, usable_until = excluded.usable_until,"
            " merged_into = excluded.merged_into",
        )

    def _cards(self, sheet: Sheet, numbers: Sequence[int]) -> None:
        """Each change of a card under its own number, and with the card the last of them."""
        news = sheet.cards.news
        changes.tell(self._tables, news, numbers)
        last = {change.number: n for change, n in zip(news, numbers, strict=True)}
        rows = [
            (number, card.account, card.marked, card.successor, last.get(number, card.told))
            for number, card in sheet.cards.changed.items()
        ]
        self._tables.insert(
            "card",
            rows,
            "ON CONFLICT (number) DO UPDATE SET account = excluded.account, marked = excluded.marked,"
            " successor = excluded.successor, told = excluded.told",
        )

    def _shelves(self, shelving: Shelving) -> None:
        shelves, made = shelving.shelves, [_row(account, lot) for account, lot in shelving.made()]
        self._tables.insert("lot", made)
        moves = [
            (*key, points, account)
            for account, shelf in shelves.items()
            for key, points in shelf.moves.items()
            if points
        ]
        self._tables.insert("move", moves)
        new = {record for record, *_ in made}
        moved = {lot: account for account, shelf in shelves.items() for _, lot in shelf.moves if lot not in new}
        for lot, account in moved.items():
            now = shelves[account].lots[lot]
            self._tables.change(
                "UPDATE lot SET remaining = ?, written_off = ? WHERE account = ? AND record = ?",
                *(now.remaining, now.written_off, account, lot),
            )

    def _duplicates(self, sheet: Sheet) -> None:
        rows = [(bounded(entry), first) for entry, first in sheet.originals.duplicates.changed.items()]
        self._tables.insert("duplicate", rows, "ON CONFLICT (entry) DO NOTHING")

    def _rights(self, sheet: Sheet) -> None:
        changed = sheet.rights.changed.values()
        new = [right for right in changed if right.id not in sheet.rights.held]
        self._tables.insert("allowance", map(_allowance, new))
        for right in changed:
            if right.id in sheet.rights.held:
                self._tables.change(
                    "UPDATE allowance SET state = ?, bound = ?, trusted = ? WHERE id = ?",
                    *(right.state, right.bound, right.trusted, right.id),
                )

    def _words(self, sheet: Sheet) -> None:
        """What people said; and where they find what they may have a word on, for it has no posting."""
        said = sheet.correcting.disputes.made
        self._tables.insert("correction", [(of, w.n, w.record, w.had, w.shall, w.points) for of, w in said])
        named = [(bounded(name), record) for name, record in sheet.wanted_names().items()]
        self._tables.insert("entry", named, "ON CONFLICT (id) DO NOTHING")

    def _waits(self, waits: dict[int, str | None]) -> None:
        rows = [(record, reason) for record, reason in waits.items() if reason is not None]
        self._tables.insert("waiting", rows)


def _row(account: int, lot: Lot) -> tuple[int | None, ...]:
    """As it is now: a lot that was made here may have been used here too."""
    told = (lot.record, account, lot.earned_at, lot.points, lot.remaining)
    return (*told, lot.active_at, lot.expires_at, lot.written_off)


def _allowance(right: Right) -> tuple[object, ...]:
    asked = (right.id, right.terminal, right.stream, right.card, right.points, right.account, right.state, right.code)
    return (*asked, right.asked, right.bound, right.trusted, right.granted_at)
