"""The dates of lots, computed again: which of the liability may be used, and what was written off for which reason."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from ledger.audit.index import place
from ledger.points.programme import Programme
from ledger.rules.claims import AWARDS, as_told
from ledger.rules.write_offs import is_write_off
from ledger.tables.engine import Tables
from offline_queue.entry import Entry, Undecodable, decode

PARTS: Final = """
    SELECT CAST(coalesce(sum(CASE WHEN remaining > 0 AND expires_at <= ? THEN remaining ELSE 0 END), 0) AS BIGINT),
           CAST(coalesce(sum(CASE WHEN remaining > 0 AND active_at > ? AND (expires_at IS NULL OR expires_at > ?)
                             THEN remaining ELSE 0 END), 0) AS BIGINT)
    FROM lot WHERE remaining <> 0"""


def parts(tables: Tables, now: int) -> tuple[int, int]:
    """Points of the liability that have expired and are not written off yet, and those that are not active yet."""
    ((expired, inactive),) = tables.rows(PARTS, now, now, now)
    return expired, inactive


def windows(tables: Tables) -> Iterator[int]:
    """Accounts that say all their points may be used at a moment when some may not."""
    query = """
        SELECT DISTINCT a.no FROM account a JOIN lot l ON l.account = a.no
        WHERE l.remaining > 0 AND (l.active_at > a.usable_from OR l.expires_at < a.usable_until
                                   OR (l.expires_at IS NOT NULL AND a.usable_until IS NULL))"""
    for (account,) in tables.scan(query):
        yield account


def by_rule(tables: Tables, programme: Programme) -> Iterator[str]:
    """Dated lots of awards that begin or end otherwise than the award's own rule has it. Rules we do not know tell
    nothing, and one that came later than the award left it without dates."""
    query = """
        SELECT l.record, l.earned_at, l.active_at, l.expires_at, r.bytes FROM lot l JOIN record r ON r.no = l.record
        WHERE l.active_at IS NOT NULL OR l.expires_at IS NOT NULL ORDER BY l.record"""
    for _, earned_at, *dates, raw in tables.scan(query):
        entry = _award(raw)
        if entry is None or entry.rule not in programme.rules:
            continue
        ruled = programme.dates(entry.rule, earned_at)
        if (ruled.active_at, ruled.expires_at) != tuple(dates):
            yield (
                f"the points of entry {entry.id} begin or end on other days than rule {entry.rule} says;"
                " a rule that changes needs a new version"
            )


def _award(raw: bytes) -> Entry | None:
    """None for entries that give no points of their own."""
    try:
        entry = as_told(decode(bytes(raw)))
    except ValueError:
        return None
    return entry if entry.kind in AWARDS else None


def write_offs(tables: Tables) -> Iterator[str]:
    """Lots that say that more or less was written off than entries of the office did."""
    query = """
        SELECT l.record, l.written_off, l.expires_at, m.points, r.bytes FROM lot l
        LEFT JOIN move m ON m.account = l.account AND m.lot = l.record
        LEFT JOIN record r ON r.no = m.record
        WHERE l.written_off <> 0 ORDER BY l.record"""
    rows = tables.scan(query)
    for (record, written_off, expires_at), moves in groupby(rows, key=lambda row: tuple(row[:3])):
        gone = sum(_written_off(points, raw) for *_, points, raw in moves)
        if expires_at is None or written_off != gone:
            yield f"the lot of {place(record)} says {written_off} points were written off, its moves {gone}"


def _written_off(points: int | None, raw: bytes | None) -> int:
    """What a move took off its lot, when it is one of a write-off."""
    try:
        entry = decode(raw or b"")
    except Undecodable:
        return 0
    return -(points or 0) if is_write_off(entry) else 0
