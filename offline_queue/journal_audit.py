"""Proof that the journal is whole: every page, chain, mark and receipt, and what the POS was answered."""

import sqlite3
from collections.abc import Iterator
from typing import Final

import msgspec

from offline_queue.checkpoints import NOT_SIGNED_FOR, checkpoint_of
from offline_queue.entry import GENESIS_HASH, Kind, Undecodable, chain, decode
from offline_queue.finder import SEQ_BITS, SEQ_MASK
from offline_queue.journal import Verification
from offline_queue.journal_export import PAGE, records_of
from offline_queue.journal_marks import guard
from offline_queue.lanes import intact

_ANSWERS: Final = "SELECT place, digest, reply FROM record WHERE place > ? ORDER BY place LIMIT ?"
Bad = tuple[str, int, str]
"""Stream, seq and why."""
CHANGED_MARK: Final = "the ledger's mark was changed on the disk: records behind it might never be sent"
THE_FILE: Final = "the file"
"""Stands for a stream where the damage is not in one."""


def verify(connection: sqlite3.Connection) -> Verification:
    """Reads every page, recomputes every chain from its genesis on, and holds the answers to what was written."""
    try:
        for why in _damage(connection):
            return Verification(0, ok=False, first_bad=(THE_FILE, 0, why))
        chains = _chains(connection)
        for check in (_marks, _custody, _answers):
            bad = next(check(connection), None) if chains.ok else None
            if bad is not None:
                return Verification(chains.records, ok=False, first_bad=bad)
        return chains
    except (
        sqlite3.Error,
        TypeError,
        UnicodeDecodeError,
        msgspec.MsgspecError,
    ) as error:  # what SQLite gives back of bent pages is not typed
        return Verification(0, ok=False, first_bad=(THE_FILE, 0, f"it is damaged: {error}"))


def _damage(connection: sqlite3.Connection) -> Iterator[str]:
    for (line,) in connection.execute("PRAGMA integrity_check(1)"):
        if line != "ok":
            yield f"it is damaged: {line}"


def _marks(connection: sqlite3.Connection) -> Iterator[Bad]:
    """The ledger holds no more of a stream than there is of it, and a backup no more than the ledger."""
    rows = connection.execute(
        "SELECT uid, lane, accepted, stable, max(place) & ? FROM stream JOIN record ON place >> ? = no"
        " GROUP BY no HAVING lane NOT IN ('urgent', 'bulk') OR stable < 0 OR stable > accepted OR trimmed > stable"
        " OR accepted > max(place) & ? OR last NOT IN (max(place) & ?)"
        " OR settled NOT IN (0, 1) OR sealed NOT IN (0, 1)",
        (SEQ_MASK, SEQ_BITS, SEQ_MASK, SEQ_MASK),
    )
    for uid, lane, accepted, stable, last in rows:
        said = f"lane {lane}, accepted {accepted}, stable {stable}, {last} records"
        yield uid, last, f"what is said of the stream was changed: {said}"


def _custody(connection: sqlite3.Connection) -> Iterator[Bad]:
    """What the ledger said it holds is as it said it. A mark too high would leave records unsent for ever."""
    rows = connection.execute("SELECT no, uid, accepted, stable, generation, guard FROM stream ORDER BY no").fetchall()
    for no, uid, accepted, stable, generation, guarded in rows:
        if guarded is not None and guarded != guard(uid, accepted, stable, generation):
            yield uid, accepted, CHANGED_MARK
        receipt = checkpoint_of(connection, no).receipt
        if receipt is not None and receipt.generation == generation and receipt.custody.seq > accepted:
            yield uid, accepted, f"the ledger has signed for {receipt.custody.seq} records, its mark says {accepted}"


def _answers(connection: sqlite3.Connection) -> Iterator[Bad]:
    """The chain does not cover what the POS was told; a guard does."""
    at = 0
    while rows := connection.execute(_ANSWERS, (at, PAGE)).fetchall():
        for place, digest, reply in rows:
            if not intact(digest, reply):
                (uid,) = connection.execute("SELECT uid FROM stream WHERE no = ?", (place >> SEQ_BITS,)).fetchone()
                yield uid, place & SEQ_MASK, "what the POS was answered was changed; the record itself is whole"
        at = rows[-1][0]


def _chains(connection: sqlite3.Connection) -> Verification:
    count = receipts = 0
    for no, uid, last in _streams(connection):
        previous, seq, checkpoint = GENESIS_HASH, 0, checkpoint_of(connection, no)
        for place, record, stored in records_of(connection, no):
            found, seq = place & SEQ_MASK, seq + 1
            if found != seq:
                checkpoint = checkpoint_of(connection, no)  # the till may have given some up meanwhile
                seq, previous = (found, checkpoint.head) if checkpoint.trimmed == found - 1 else (seq, previous)
            why = _fault(uid, seq, found, record, chain(previous, record) == stored)
            if why is None and not checkpoint.borne_out(seq, stored):
                why = NOT_SIGNED_FOR
            if why is not None:
                return Verification(count, ok=False, first_bad=(uid, seq, why))
            previous, count = stored, count + 1
        if seq < max(last or 0, 1):
            return Verification(count, ok=False, first_bad=(uid, seq + 1, "the record is missing"))
        if why := checkpoint.doubt(uid, seq):
            return Verification(count, ok=False, first_bad=(uid, max(checkpoint.trimmed, 1), why))
        receipts += checkpoint.receipt is not None
    return Verification(count, ok=True, first_bad=None, receipts=receipts)


def _fault(uid: str, seq: int, found: int, record: bytes, chained: bool) -> str | None:
    if found != seq:
        return f"the record is missing; the next one is {found}"
    if not chained:
        return "the record or its hash was changed: the chain does not hold"
    try:
        entry = decode(record)
    except Undecodable as error:
        return f"the record is no entry: {error}"
    opens = entry.kind is Kind.GENESIS and entry.genesis is not None and entry.genesis.stream == uid
    return None if opens == (seq == 1) else "the genesis record is not where it belongs"


def _streams(connection: sqlite3.Connection) -> list[tuple[int, str, int | None]]:
    return connection.execute("SELECT no, uid, last FROM stream ORDER BY no").fetchall()
