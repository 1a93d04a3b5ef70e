"""What only points to the records, held against them again: keys, names, feeds, marks and what waits."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from ledger.rules.cards import is_merger
from ledger.rules.claims import as_told
from ledger.rules.write_offs import is_write_off
from ledger.tables.engine import SEQ_BITS, SEQ_MASK, Tables
from offline_queue.entry import Entry, Undecodable, decode

KeyHash = Callable[[str], int | bytes]
AT_ONCE: Final = 500
POSTINGS: Final = f"""
    SELECT p.record, p.entry, p.points, s.uid, r.bytes,
           CASE WHEN EXISTS (SELECT 1 FROM correction c WHERE c.corrects = p.record) THEN 1 ELSE 0 END
    FROM posting p JOIN record r ON r.no = p.record JOIN stream s ON s.no = p.record >> {SEQ_BITS}"""  # noqa: S608


def claims(tables: Tables, key_hash: KeyHash) -> Iterator[str]:
    """I2: whoever has an effect has its idempotency key, so that nobody else can have it again."""
    for rows in pages(tables.scan(POSTINGS)):
        found = ((record, points or not spoken, _claiming(raw)) for record, _, points, _, raw, spoken in rows)
        entries = {record: entry for record, counts, entry in found if entry is not None and counts}
        hashes = {record: key_hash(entry.key) for record, entry in entries.items()}
        query = "SELECT hash, record FROM claim WHERE hash = ANY(?)"
        held = {(_plain(hash_), record) for hash_, record in tables.rows(query, list(hashes.values()))}
        for record, hash_ in hashes.items():
            if (hash_, record) not in held:
                yield f"the key of entry {entries[record].id} is not kept for it: it could count once more"


def claimed(tables: Tables, key_hash: KeyHash) -> Iterator[str]:
    """No key is taken for a record that does not have it."""
    query = "SELECT c.hash, c.record, r.bytes FROM claim c LEFT JOIN record r ON r.no = c.record"
    for hash_, record, raw in tables.scan(query):
        entry = read(raw)
        if entry is None or key_hash(entry.key) != _plain(hash_):
            yield f"{place(record)} has taken an idempotency key that is not its own"


def names(tables: Tables) -> Iterator[str]:
    """A posting is found under the id of its own entry, or under its place where that proves nothing."""
    for record, name, _, uid, raw, _ in tables.scan(POSTINGS):
        entry = read(raw)
        if name != f"{uid}:{record & SEQ_MASK}" and (entry is None or name != entry.id):
            yield f"the posting of {place(record)} stands under another entry's id"


def feeds(tables: Tables) -> Iterator[str]:
    """I10: each terminal's decisions are numbered from 1 on without a hole."""
    query = """
        SELECT t.name, t.decided, count(d.n), coalesce(min(d.n), 1), coalesce(max(d.n), 0) FROM terminal t
        LEFT JOIN decision d ON d.terminal = t.name GROUP BY t.name, t.decided ORDER BY t.name"""
    for name, decided, count, first, last in tables.scan(query):
        if (first, last) != (1, count) or last != decided:
            yield f"the feed of {name} has {count} decisions from {first} to {last}, and its counter says {decided}"


def marks(tables: Tables) -> Iterator[str]:
    """I6, I8: no backup covers more of a stream than is held, nor is more waited for."""
    query = "SELECT terminal, uid, mark FROM stream WHERE base > mark OR stable > mark OR stable < 0 OR begun > mark"
    for terminal, uid, mark in tables.scan(f"{query} ORDER BY no"):
        yield f"stream {uid} of {terminal} is held up to {mark}, and tills were told of more"
    query = "SELECT w.record FROM waiting w LEFT JOIN record r ON r.no = w.record WHERE r.no IS NULL ORDER BY w.record"
    for (record,) in tables.scan(query):
        yield f"{place(record)} waits and is not here"


def waits(tables: Tables) -> Iterator[str]:
    """I9: who waits for what becomes of another record is woken with it, so that one waits too."""
    query = """
        SELECT w.record FROM waiting w WHERE w.reason >= 'record:' AND w.reason < 'record;' AND NOT EXISTS (
            SELECT 1 FROM waiting v WHERE v.record = CAST(substr(w.reason, 8) AS BIGINT)) ORDER BY w.record"""
    for (record,) in tables.scan(query):
        yield f"{place(record)} waits for one that is decided, and nobody will wake it"


def words(tables: Tables) -> Iterator[str]:
    """What people said is numbered, and each word moved the difference that it made."""
    query = "SELECT corrects, n, record, had, shall, points FROM correction ORDER BY corrects, n"
    before, expected = None, 1
    for corrects, n, record, had, shall, points in tables.scan(query):
        expected = expected + 1 if corrects == before else 1
        before = corrects
        if n != expected or shall - had != points:
            yield f"{place(record)} moved {points} points so that {place(corrects)} has {shall} instead of {had}"


def _claiming(raw: bytes) -> Entry | None:
    """The entry whose key must be kept: the office's own write-offs and mergers happen once by themselves."""
    entry = read(raw)
    return None if entry is None or is_write_off(entry) or is_merger(entry) else entry


def read(raw: bytes | None) -> Entry | None:
    """What a record says; None for what this version cannot read."""
    try:
        return as_told(decode(bytes(raw or b"")))
    except (Undecodable, ValueError):
        return None


def _plain(hash_: Any) -> Any:
    return hash_ if isinstance(hash_, int) else bytes(hash_)


def place(record: int) -> str:
    """Where a record is, in words."""
    return f"record {record & SEQ_MASK} of stream number {record >> SEQ_BITS}"


def pages(rows: Iterator[Any]) -> Iterator[Sequence[Any]]:
    """A walk in pieces that are worth a question each."""
    while page := list(islice(rows, AT_ONCE)):
        yield page
