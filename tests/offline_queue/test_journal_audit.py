"""What the examination of a journal says of each thing that can be wrong with it, and that it says nothing else."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from ledger.books.receipts import Signer
from offline_queue.entry import GENESIS_HASH, Genesis, Kind, Lane, chain, decode, encode
from offline_queue.journal import Verification
from offline_queue.journal_audit import CHANGED_MARK, THE_FILE
from offline_queue.journal_reader import JournalReader
from offline_queue.receipts import Receipt
from offline_queue.wire import Marks
from tests.offline_queue.sales import ORIGIN, open_store, put, sale

LEDGER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
SALES = 6
GENESIS = Genesis("another", Lane.BULK, "machine-9", "tilld test", 1)


@pytest.fixture
def bulk(path: Path) -> str:
    """A journal that was closed: six sales, of which the ledger holds four, with its receipt, and backed up three."""
    with closing(open_store(path)) as store, closing(store.reader()) as reader:
        for _ in range(SALES):
            put(store, sale(), b'{"answer": 1}')
        uid = store.stream(Lane.BULK)
        custody = LEDGER.custody(ORIGIN.terminal, uid, 5, reader.hash_at(uid, 5), "2026-01-01T00:00:00Z")
        store.mark({uid: Marks(5, 4)}, "g", {uid: Receipt(custody, ORIGIN.terminal, LEDGER.public_key, "g")})
    return uid


def examined(path: Path, *changes: str) -> Verification:
    """The journal, after somebody changed it behind its back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as journal:
        for change in changes:
            journal.execute(change)
    with closing(JournalReader.open(path)) as reader:
        return reader.verify()


def test_a_whole_journal_is_sound(path: Path, bulk: str) -> None:
    """Of two starts with two streams each: four geneses and seals, and one receipt."""
    open_store(path).close()
    assert examined(path) == Verification(SALES + 8, ok=True, first_bad=None, receipts=1)


@pytest.mark.parametrize(
    "change",
    [
        "lane = 'slow'",
        "stable = -1",
        "stable = 6",
        "accepted = 9, stable = 4",
        "accepted = 3, stable = 4",
        "last = 7",
        "last = 9",
        "settled = 2",
        "sealed = -1",
    ],
)
def test_what_is_said_of_a_stream_must_be_possible(path: Path, bulk: str, change: str) -> None:
    """Too high a mark would leave records unsent for ever, too high a backup would let them go."""
    found = examined(path, f"UPDATE stream SET {change}, guard = NULL WHERE uid = '{bulk}'")
    assert not found.ok
    assert found.first_bad is not None
    told = "what is said of the stream was changed: " if change != "last = 9" else "the record is missing"
    assert (found.first_bad[0], found.first_bad[2].startswith(told)) == (bulk, True), found.first_bad
    assert found.first_bad[1] >= SALES + 2


def test_marks_that_are_possible_and_not_the_ledgers_are_found(path: Path, bulk: str) -> None:
    """By the sum over them; and a mark below what the ledger has signed for, whatever the sum."""
    found = examined(path, f"UPDATE stream SET accepted = 6 WHERE uid = '{bulk}'")
    assert found == Verification(SALES + 4, ok=False, first_bad=(bulk, 6, CHANGED_MARK))
    lower = examined(path, f"UPDATE stream SET accepted = 4, guard = NULL WHERE uid = '{bulk}'")
    said = "the ledger has signed for 5 records, its mark says 4"
    assert lower == Verification(SALES + 4, ok=False, first_bad=(bulk, 4, said))


def test_restored_books_may_hold_less_than_was_signed_for(path: Path, bulk: str) -> None:
    """They are of another generation: what they lack is sent again, and nothing is wrong with the journal."""
    with closing(open_store(path)) as store:
        store.mark({bulk: Marks(2, 2)}, "of the backup")
    assert examined(path).ok


def test_a_changed_answer_is_told_by_its_record(path: Path, bulk: str) -> None:
    """The POS might be told otherwise on a repetition; the points are right, so it says so."""
    for seq in (4, 3):
        found = examined(path, f"UPDATE record SET reply = x'7b7d' WHERE place & 0xFFFFFFFFFF = {seq}")
        assert not found.ok
        assert found.first_bad is not None
        assert found.first_bad[:2] == (bulk, seq)
        assert "the record itself is whole" in found.first_bad[2]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE stream SET receipt = '{}' WHERE receipt IS NOT NULL",
        "UPDATE stream SET receipt = 'no JSON' WHERE receipt IS NOT NULL",
    ],
)
def test_what_nobody_can_read_is_damage(path: Path, bulk: str, change: str) -> None:
    """Told of the whole file, and without an exception that nobody expects."""
    found = examined(path, change)
    assert (found.records, found.ok) == (0, False)
    assert found.first_bad is not None
    assert found.first_bad[:2] == (THE_FILE, 0)
    assert found.first_bad[2].startswith("it is damaged: ")


def test_an_index_that_misses_a_row_is_damage(path: Path, bulk: str) -> None:
    """SQLite's own examination comes first: a key that nobody finds would be another sale."""
    index = "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'stream'"
    with closing(sqlite3.connect(path, isolation_level=None)) as journal:
        (row,) = journal.execute(index).fetchall()
        journal.execute("PRAGMA writable_schema = 1")
        journal.execute("DELETE FROM sqlite_schema WHERE name = ?", (row[1],))
    with closing(sqlite3.connect(path, isolation_level=None)) as journal:
        journal.execute("UPDATE stream SET uid = 'ff' WHERE no = 1")
        journal.execute("PRAGMA writable_schema = 1")
        journal.execute("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", row)
    found = examined(path)
    assert (found.records, found.ok) == (0, False)
    assert found.first_bad is not None
    assert found.first_bad[:2] == (THE_FILE, 0)
    assert "missing from index" in found.first_bad[2]


def rewritten(path: Path, stream: str, seq: int, change: Callable[[bytes], bytes]) -> None:
    """A record is changed by somebody who knows how the chain is made, and makes it anew from there."""
    with closing(sqlite3.connect(path, isolation_level=None)) as journal:
        (no,) = journal.execute("SELECT no FROM stream WHERE uid = ?", (stream,)).fetchone()
        rows = journal.execute(
            "SELECT place, record FROM record WHERE place >> 40 = ? ORDER BY place", (no,)
        ).fetchall()
        head = GENESIS_HASH
        for place, record in rows:
            new = change(record) if place & 0xFFFFFFFFFF == seq else record
            head = chain(head, new)
            journal.execute("UPDATE record SET record = ?, hash = ? WHERE place = ?", (new, head, place))
        journal.execute("UPDATE stream SET receipt = NULL")


@pytest.mark.parametrize(
    ("seq", "change", "why"),
    [
        (3, lambda _: b"no entry", "the record is no entry"),
        (1, lambda record: encode(replace(decode(record), genesis=GENESIS)), "genesis record is not where"),
        (1, lambda record: encode(replace(decode(record), kind=Kind.EARN)), "genesis record is not where"),
        (1, lambda record: encode(replace(decode(record), genesis=None)), "genesis record is not where"),
    ],
    ids=["no entry", "the genesis of another stream", "of another kind", "that says nothing"],
)
def test_a_chain_that_holds_must_still_be_this_streams(
    path: Path, bulk: str, seq: int, change: Callable[[bytes], bytes], why: str
) -> None:
    """It begins with its own genesis, and nothing but entries follows."""
    rewritten(path, bulk, seq, change)
    found = examined(path)
    assert not found.ok
    assert found.first_bad is not None
    assert found.first_bad[:2] == (bulk, seq)
    assert why in found.first_bad[2]


def test_a_stream_begins_once(path: Path, bulk: str) -> None:
    """Its own genesis a second time is not what was recorded."""
    with closing(JournalReader.open(path)) as reader:
        (genesis,) = reader.records(bulk, 1, 1, 1)
    rewritten(path, bulk, 4, lambda _: genesis)
    found = examined(path)
    assert found.first_bad == (bulk, 4, "the genesis record is not where it belongs")
