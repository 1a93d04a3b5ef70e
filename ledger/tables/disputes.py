"""Entries that people have a word on, read from the tables within the running transaction."""

from collections.abc import Sequence
from typing import Final

from ledger.facts.case import Item
from ledger.facts.codes import Code
from ledger.rules.corrections import Dispute, Spoken, as_counted
from ledger.rules.records import bounded, read
from ledger.tables.engine import SEQ_BITS, SEQ_MASK, Tables
from offline_queue.entry import Entry, State
from offline_queue.wire import MAX_BATCH

DISPUTES: Final = f"""
    SELECT r.no, s.uid, s.terminal, r.bytes, d.state, d.code, p.account, p.points, p.original,
           (SELECT CAST(coalesce(sum(v.points), 0) AS BIGINT) FROM posting v WHERE v.original = r.no)
    FROM record r JOIN stream s ON s.no = r.no >> {SEQ_BITS}
    JOIN decision d ON d.terminal = s.terminal AND d.n = (
        SELECT o.n FROM decision o WHERE o.terminal = s.terminal AND o.record <= r.no
        AND o.record > r.no - {MAX_BATCH} AND o.record + o.count > r.no
        ORDER BY o.record DESC, o.n DESC LIMIT 1)
    LEFT JOIN posting p ON p.record = r.no WHERE r.no = ANY(?)"""  # noqa: S608 - numbers of our own
"""Each with the last decision on it, its own posting, and what its reversals moved."""


WORDS: Final = "SELECT corrects, n, record, had, shall, points FROM correction"


def named(tables: Tables, names: Sequence[str]) -> dict[str, int]:
    """The record of each entry, by its id, or as STREAM:SEQ where it has none that counts.

    A claim that was posted stands under its sale's id, and its till knows it by its own.
    """
    entry_of = {bounded(name): name for name in names}
    rows = tables.rows("SELECT id, record FROM entry WHERE id = ANY(?) AND record <> 0", list(entry_of))
    found = {entry_of[name]: record for name, record in rows}
    posted = "SELECT entry, min(record) FROM posting WHERE entry = ANY(?) GROUP BY entry"
    stands = """
        SELECT d.entry, min(p.record) FROM duplicate d JOIN posting p ON p.entry = d.first
        WHERE d.entry = ANY(?) GROUP BY d.entry"""
    claims = {entry_of[name]: record for name, record in tables.rows(stands, list(entry_of))}
    return {**claims, **found, **dict(tables.rows(posted, names))}


def disputes(tables: Tables, records: Sequence[int]) -> dict[int, Dispute]:
    """Those that are decided."""
    said, found = words(tables, records), {}
    for record, uid, terminal, raw, state, code, *posting in tables.rows(DISPUTES, records):
        item, content = Item(record, uid, record & SEQ_MASK, terminal, raw), read(raw)
        entry = content if isinstance(content, Entry) else None
        if entry is not None:
            entry = as_counted(entry, State(state), Code(code), posted=posting[0] is not None)
        moved = dict(zip(("account", "posted", "original", "undone"), posting, strict=True))
        found[record] = Dispute(item, entry, State(state), Code(code), words=said.get(record, ()), **moved)
    return found


def words(tables: Tables, records: Sequence[int]) -> dict[int, tuple[Spoken, ...]]:
    """What was said of each of these, in the order of saying."""
    found: dict[int, tuple[Spoken, ...]] = {}
    rows = tables.rows(f"{WORDS} WHERE corrects = ANY(?) ORDER BY corrects, n", records) if records else []
    for corrects, *word in rows:
        found[corrects] = (*found.get(corrects, ()), Spoken(*word))
    return found


def spoken(tables: Tables, records: Sequence[int]) -> dict[int, tuple[int, Spoken]]:
    """The entry that each of these corrections corrected, and the word."""
    rows = tables.rows(f"{WORDS} WHERE record = ANY(?)", records)
    return {word[1]: (corrects, Spoken(*word)) for corrects, *word in rows}
