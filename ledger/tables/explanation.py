"""Reads what explains an account from the books."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from ledger.facts.policy import Policy
from ledger.port.explanation import Explanation, LotMove, Promise, Step, Waiting
from ledger.rules.arithmetic import money, worked_out
from ledger.rules.claims import as_told
from ledger.rules.corrections import Spoken
from ledger.rules.instants import Anchor, instant, moment
from ledger.rules.records import read
from ledger.tables.circumstances import anchors
from ledger.tables.disputes import spoken
from ledger.tables.engine import SEQ_BITS, SEQ_MASK, Tables
from ledger.tables.feed import TablesFeed
from ledger.tables.source import merged_into
from offline_queue.entry import Entry, State, masked
from offline_queue.wire import MAX_BATCH

POSTINGS: Final = f"""
    SELECT p.record, p.entry, p.points, p.code, p.posted_at, r.bytes, s.terminal FROM posting p
    JOIN record r ON r.no = p.record JOIN stream s ON s.no = p.record >> {SEQ_BITS}
    WHERE p.account = ANY(?) ORDER BY p.posted_at, p.record"""  # noqa: S608 - a number of our own
DECISIONS: Final = f"""
    SELECT r.no, d.code, d.detail FROM record r JOIN stream s ON s.no = r.no >> {SEQ_BITS}
    JOIN decision d ON d.terminal = s.terminal AND d.record <= r.no AND d.record > r.no - {MAX_BATCH}
    AND d.record + d.count > r.no WHERE r.no = ANY(?) ORDER BY r.no, d.n"""  # noqa: S608 - numbers of our own
OPEN: Final = f"""
    SELECT d.record, d.state, d.code, d.detail, r.bytes, s.uid, s.terminal FROM decision d
    JOIN record r ON r.no = d.record JOIN stream s ON s.no = d.record >> {SEQ_BITS}
    WHERE d.state <> 'posted' AND d.state <> 'resolved' AND NOT EXISTS (
        SELECT 1 FROM decision o WHERE o.terminal = d.terminal AND o.record = d.record AND o.n > d.n)
    ORDER BY d.record"""  # noqa: S608 - a number of our own
MADE: Final = "SELECT record, points, record, earned_at, active_at, expires_at FROM lot WHERE account = ?"
MOVED: Final = """
    SELECT m.record, m.points, l.record, l.earned_at, l.active_at, l.expires_at FROM move m
    JOIN lot l ON l.account = m.account AND l.record = m.lot WHERE m.account = ? ORDER BY m.record, l.earned_at"""
PROMISES: Final = """
    SELECT id, terminal, points, state, granted_at FROM allowance
    WHERE account = ? AND state IN ('open', 'locked') ORDER BY granted_at, id"""


class TablesExplanation:
    """Reads within the running transaction."""

    def __init__(self, tables: Tables, feed: TablesFeed, policy: Policy) -> None:
        self._tables, self._feed, self._policy = tables, feed, policy
        self._zone = policy.programme.zone
        self._anchors: dict[tuple[str, str], Anchor | None] = {}

    def explanation(self, number: str) -> Explanation | None:
        """Of the account behind this card, with what came to it from others; None without one."""
        account = self._feed.account(number)
        if account is None:
            return None
        balance, held = self._feed.balance(account, number), self._feed.balances.held(account)
        ((points,),) = self._tables.rows("SELECT balance FROM account WHERE no = ?", account)
        steps, posted = self._steps(account)
        return Explanation(
            number,
            balance.status,
            balance.as_of,
            points,
            held.usable,
            held.inactive,
            held.expired,
            balance.reserved,
            by_entries=sum(step.points for step in steps),
            by_lots=held.usable + held.inactive + held.expired,
            steps=steps,
            waiting=self._waiting(account, posted),
            promises=self._promises(account),
        )

    def _steps(self, account: int) -> tuple[list[Step], set[int]]:
        """In the order of posting; and the records that have an effect."""
        rows = self._tables.rows(POSTINGS, [account, *merged_into(self._tables, account)])
        records = [record for record, *_ in rows]
        names = {record: name for record, name, *_ in rows}
        remarks, words = self._remarks(records), spoken(self._tables, records)
        lots, steps, balance = self._lots(account, names), list[Step](), 0
        for row in rows:
            record, points = row[0], row[2]
            balance += points
            word = words[record][1] if record in words else None
            steps.append(self._step(row, balance, remarks.get(record, []), lots.get(record, []), word))
        return steps, {record for record, _, points, *_ in rows if points}

    def _step(
        self, row: Sequence[Any], balance: int, remarks: list[str], lots: list[LotMove], word: Spoken | None
    ) -> Step:
        _, name, points, code, posted_at, raw, sender = row
        content = read(bytes(raw))
        posted = self._moment(posted_at)
        if not isinstance(content, Entry):
            return Step(name, "unreadable", posted, posted, sender, points, balance, code, remarks=remarks, lots=lots)
        entry = as_told(content)
        at, told_at = self._when(entry, sender, posted_at)
        amount, correction, receipt = entry.amount, entry.correction, entry.receipt
        return Step(
            *(name, entry.kind.value, at, posted, entry.terminal, points, balance, code),
            told_at=told_at,
            store=receipt.store if receipt else None,
            receipt=receipt.number if receipt else None,
            operator=entry.operator,
            card=masked(entry.card.number) if entry.card else None,
            amount=money(amount.value, amount.currency) if amount else None,
            rule=entry.rule,
            sum=worked_out(entry, self._policy.programme) or None,
            remarks=remarks,
            lots=lots,
            reverses=entry.reverses,
            corrects=correction.of if correction else None,
            author=correction.author if correction else None,
            reason=correction.reason if correction else None,
            had=word.had if word else None,
            shall=word.shall if word else None,
        )

    def _when(self, entry: Entry, sender: str, posted_at: int) -> tuple[str, str | None]:
        """When it was, and what the till said where that cannot be right."""
        boot = (sender, entry.clock.boot_id)
        found = instant(entry, self._anchor(boot), posted_at, self._policy.clock_tolerance_ms)
        wrong = abs(found.off_ms) > self._policy.clock_tolerance_ms
        return self._moment(found.at), self._moment(moment(entry.occurred_at) or 0) if wrong else None

    def _anchor(self, boot: tuple[str, str]) -> Anchor | None:
        if boot not in self._anchors:
            self._anchors[boot] = anchors(self._tables, [boot]).get(boot)
        return self._anchors[boot]

    def _remarks(self, records: Sequence[int]) -> dict[int, list[str]]:
        """What was decided of each besides that it counts, in the order of deciding."""
        found: dict[int, list[str]] = {}
        for record, code, detail in self._tables.rows(DECISIONS, records):
            if detail and detail not in found.get(record, []):
                found.setdefault(record, []).append(f"{code}: {detail}")
        return found

    def _lots(self, account: int, names: dict[int, str]) -> dict[int, list[LotMove]]:
        """What each record did to lots; first the one that it made."""
        found: dict[int, list[LotMove]] = {}
        rows = [(True, row) for row in self._tables.rows(MADE, account)]
        rows += [(False, row) for row in self._tables.rows(MOVED, account)]
        for made, (record, points, lot, earned_at, active_at, expires_at) in rows:
            dates = (None if at is None else self._moment(at) for at in (active_at, expires_at))
            move = LotMove(points, names.get(lot, "?"), self._moment(earned_at), made, *dates)
            found.setdefault(record, []).append(move)
        return found

    def _waiting(self, account: int, posted: set[int]) -> list[Waiting]:
        cards = {number for (number,) in self._tables.rows("SELECT number FROM card WHERE account = ?", account)}
        found = []
        for record, state, code, detail, raw, uid, terminal in self._tables.scan(OPEN):
            entry = read(bytes(raw))
            if record in posted or not isinstance(entry, Entry) or entry.card is None or entry.card.number not in cards:
                continue
            own = entry.terminal == terminal
            name = entry.id if own else f"{uid}:{record & SEQ_MASK}"
            receipt = entry.receipt.number if entry.receipt else None
            told = (name, entry.kind.value, entry.points, entry.terminal, entry.occurred_at)
            found.append(Waiting(*told, State(state).value, code, detail, receipt))
        return found

    def _promises(self, account: int) -> list[Promise]:
        rows = self._tables.rows(PROMISES, account)
        return [
            Promise(id_, terminal, points, state, self._moment(granted_at) if granted_at else None)
            for id_, terminal, points, state, granted_at in rows
        ]

    def _moment(self, at: int) -> str:
        return datetime.fromtimestamp(at / 1000, self._zone).isoformat(timespec="seconds")
