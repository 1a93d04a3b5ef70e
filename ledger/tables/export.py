"""What an export reads of the books: the chains there are, and their records with all that was decided of them."""

from base64 import b64encode
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from ledger.tables.engine import SEQ_BITS, SEQ_MASK, Tables
from offline_queue.entry import MAX_ENTRY_BYTES
from offline_queue.export_lines import Decided, Key, Record
from offline_queue.wire import MAX_BATCH, MAX_BATCH_BYTES

PAGE: Final = 500
"""Records read at once."""
CHAINS: Final = """
    SELECT s.no, s.terminal, s.uid, s.branch, s.grown_from, s.base, s.mark, s.head, coalesce(p.branch, 0)
    FROM stream s LEFT JOIN stream p ON p.no = s.grown_from"""
DECISIONS: Final = """
    SELECT record, count, n, state, code, detail, points FROM decision
    WHERE terminal = ? AND record > ? AND record <= ? ORDER BY n"""
KEYS: Final = "SELECT terminal, public_key, revoked_at, reason FROM terminal_key ORDER BY terminal, since, public_key"


class Chain(msgspec.Struct, frozen=True):
    """A stream or a branch of one, as far as it was held when the export began; `parent` is the branch it grew from."""

    no: int
    owner: str
    stream: str
    branch: int
    grown_from: int | None
    base: int
    mark: int
    head: bytes
    parent: int


def chains(tables: Tables, terminal: str | None, stream: str | None) -> list[Chain]:
    """Of one terminal, of one stream, or all; a branch comes behind the one that it grew from.

    A till may have told of streams of which nothing is held yet: these are no chains.
    """
    wanted = {"s.terminal": terminal, "s.uid": stream}
    conditions = ["s.mark > 0", *(f"{column} = ?" for column, value in wanted.items() if value is not None)]
    values = [value for value in wanted.values() if value is not None]
    return [Chain(*row) for row in tables.rows(f"{CHAINS} WHERE {' AND '.join(conditions)} ORDER BY s.no", *values)]


def keys(tables: Tables, terminal: str | None) -> list[Key]:
    """That terminals have been known by, the oldest first."""
    return [
        Key(name, b64encode(key).decode(), None if revoked_at is None else reason or "revoked")
        for name, key, revoked_at, reason in tables.rows(KEYS)
        if terminal in (None, name)
    ]


def page(tables: Tables, chain: Chain, after: int) -> list[Record]:
    """The next records of a chain behind the seq `after`, at most PAGE and no more than fit; none at its end."""
    start = chain.no << SEQ_BITS
    bounds = start + after, start + min(after + PAGE, chain.mark)
    sizes = tables.rows("SELECT no, length(bytes) FROM record WHERE no > ? AND no <= ? ORDER BY no", *bounds)
    bounds = start + after, start + after + _fitting(size for _, size in sizes)
    rows = tables.rows("SELECT no, hash, bytes FROM record WHERE no > ? AND no <= ? ORDER BY no", *bounds)
    told = _decided(tables.rows(DECISIONS, chain.owner, bounds[0] - MAX_BATCH, bounds[1]))
    return [_record(chain, no, digest, raw, told.get(no, [])) for no, digest, raw in rows]


def _fitting(sizes: Iterable[int]) -> int:
    """How many records a page takes, at least one: opaque ones may be as long as a batch."""
    count = total = 0
    for size in sizes:
        total += size
        if count and total > MAX_BATCH_BYTES:
            break
        count += 1
    return count


def _decided(rows: Iterable[Any]) -> dict[int, list[Decided]]:
    """By record; a decision may speak of many."""
    found: dict[int, list[Decided]] = {}
    for first, count, *decision in rows:
        for record in range(first, first + count):
            found.setdefault(record, []).append(Decided(*decision))
    return found


def _record(chain: Chain, no: int, digest: bytes, raw: bytes, decisions: list[Decided]) -> Record:
    text = _text(raw)
    return Record(
        chain.stream,
        no & SEQ_MASK,
        digest.hex(),
        record=text,
        opaque=b64encode(raw).decode() if text is None else None,
        owner=chain.owner,
        branch=chain.branch,
        decisions=decisions,
    )


def _text(raw: bytes) -> str | None:
    """None for what no entry can be."""
    try:
        return raw.decode() if len(raw) <= MAX_ENTRY_BYTES else None
    except UnicodeDecodeError:
        return None
