"""What the office reads of the books: an account explained, the terminals, what needs a look."""

import base64
from typing import Any

from ledger.port.conflicts import Flagged
from ledger.port.statements import CardWear, Line, Statement
from ledger.port.terminals import Terminal
from ledger.rules.records import KEYLESS, read, waits_for_card
from ledger.rules.wear import lately
from ledger.tables.engine import SEQ_BITS, SEQ_MASK, Tables
from ledger.tables.feed import TablesFeed
from ledger.tables.source import merged_into
from offline_queue.entry import Entry, decode, masked
from offline_queue.timepiece import rfc3339
from offline_queue.wire import OrderCode

FORK = (
    "this stream has two continuations (a copied or restored disk); {} records of the second are held beside the first."
    " Each sale counts once; when the machines are put right: tilld ledger terminals acknowledge TERMINAL"
)


def statement(tables: Tables, number: str, feed: TablesFeed) -> Statement | None:
    """The account with every entry that explains it, in the order of posting; what waits for the card besides."""
    account = feed.account(number)
    if account is None:
        return None
    balance, held = feed.balance(account, number), feed.balances.held(account)
    posted = _posted(tables, account)
    return Statement(
        number,
        held.usable + held.inactive + held.expired,
        balance.reserved,
        balance.as_of,
        feed.balances.lots(account),
        [_line(*explained) for explained in posted],
        _waiting(tables, number),
        usable=held.usable,
        inactive=held.inactive,
        expired=held.expired,
        wear=lately(entry for entry, *_ in posted),
    )


def card_wear(tables: Tables, number: str, account: int) -> list[CardWear]:
    """What tills last found of this very card, by technology, the most worn first; `account` is the one behind it."""
    return [found for found in lately(entry for entry, *_ in _posted(tables, account)) if found.number == number]


def _posted(tables: Tables, account: int) -> list[tuple[Entry, int, str, str]]:
    """Every entry of an account and of those merged into it, with its points, verdict and time of posting."""
    rows = tables.rows(
        "SELECT p.points, p.code, p.posted_at, r.bytes FROM posting p JOIN record r ON r.no = p.record"
        " WHERE p.account = ANY(?) ORDER BY p.posted_at, p.record",
        [account, *merged_into(tables, account)],
    )
    return [(decode(raw), points, code, rfc3339(posted_at)) for points, code, posted_at, raw in rows]


def _waiting(tables: Tables, number: str) -> list[Line]:
    rows = tables.rows(
        "SELECT r.bytes FROM waiting w JOIN record r ON r.no = w.record WHERE w.reason = ? ORDER BY w.record",
        waits_for_card(number),
    )
    return [_line(decode(raw), 0, "card_unknown", None) for (raw,) in rows]


def _line(entry: Entry, points: int, code: str, posted_at: str | None) -> Line:
    return Line(
        id=entry.id,
        kind=entry.kind,
        points=points,
        asked=entry.points,
        code=code,
        terminal=entry.terminal,
        occurred_at=entry.occurred_at,
        posted_at=posted_at,
        receipt=entry.receipt.number if entry.receipt else None,
        reverses=entry.reverses,
        corrects=entry.correction.of if entry.correction else None,
        reason=entry.correction.reason if entry.correction else None,
    )


def terminals(tables: Tables) -> list[Terminal]:
    """Enrolled tills by name; the office's own terminal has no key and is not among them."""
    rows = tables.rows(
        "SELECT t.name, t.public_key, t.enrolled_at, t.seen_at, t.software, count(s.no),"
        " count(s.grown_from), CAST(coalesce(sum(s.mark - s.base), 0) AS BIGINT),"
        " t.lost_at, max(CASE s.flag WHEN 'fork' THEN 1 ELSE 0 END),"
        " max(CASE s.flag WHEN 'restored' THEN 1 ELSE 0 END),"
        " (SELECT reason FROM terminal_key k WHERE k.terminal = t.name AND k.public_key = t.public_key"
        " AND k.revoked_at IS NOT NULL)"
        " FROM terminal t LEFT JOIN stream s ON s.terminal = t.name"
        " WHERE length(t.public_key) > 0 GROUP BY t.name ORDER BY t.name"
    )
    return [_terminal(*row) for row in rows]


def _terminal(name: str, key: bytes, enrolled: int, seen: int | None, software: str | None, *counts: Any) -> Terminal:
    streams, forks, records, lost_at, fork, restored, revoked = counts
    found = {
        OrderCode.JOURNAL_LOST: lost_at is not None,
        OrderCode.FORK: fork,
        OrderCode.RESTORED: restored,
        OrderCode.KEY_REVOKED: revoked is not None,
    }
    return Terminal(
        name=name,
        public_key=base64.b64encode(key).decode(),
        enrolled_at=rfc3339(enrolled),
        seen_at=None if seen is None else rfc3339(seen),
        software=software,
        streams=streams - forks,
        forks=forks,
        records=records,
        findings=[code.value for code, there in found.items() if there],
        revoked=revoked,
    )


def flagged(tables: Tables) -> list[Flagged]:
    """Forks first, then every record whose last decision is not simply posted, in the order of custody."""
    rows = tables.rows(
        """
        SELECT s.terminal, s.uid, d.record, d.state, d.code, d.detail, r.bytes FROM decision d
        JOIN record r ON r.no = d.record JOIN stream s ON s.no = d.record >> ?
        WHERE d.state <> 'posted' AND d.state <> 'resolved'
          AND NOT EXISTS (SELECT 1 FROM decision later
                          WHERE later.terminal = d.terminal AND later.record = d.record AND later.n > d.n)
        ORDER BY d.record""",
        SEQ_BITS,
    )
    return [*_forks(tables), *(_flagged(*row) for row in rows)]


def _forks(tables: Tables) -> list[Flagged]:
    """Until somebody has acknowledged what was found against the terminal."""
    rows = tables.rows(
        "SELECT b.terminal, b.uid, b.base, b.mark FROM stream b"
        " JOIN stream o ON o.terminal = b.terminal AND o.uid = b.uid AND o.branch = 0"
        " WHERE b.grown_from IS NOT NULL AND o.flag IS NOT NULL ORDER BY b.no"
    )
    return [
        Flagged(
            *(terminal, uid, base + 1, "conflict", "fork", FORK.format(mark - base), None, None, None, None),
            name=f"{uid}:{base + 1}",
        )
        for terminal, uid, base, mark in rows
    ]


def _flagged(terminal: str, uid: str, record: int, state: str, code: str, detail: str | None, raw: bytes) -> Flagged:
    entry = read(raw)
    seq = record & SEQ_MASK
    if not isinstance(entry, Entry):
        return Flagged(terminal, uid, seq, state, code, detail, None, None, None, None, f"{uid}:{seq}")
    card = masked(entry.card.number) if entry.card else None
    proven = entry.terminal == terminal and code not in KEYLESS  # else what it calls itself is nobody's word
    name = entry.id if proven else f"{uid}:{seq}"
    return Flagged(terminal, uid, seq, state, code, detail, entry.id, entry.kind, entry.points, card, name)
