"""What the examination of a journal says of each thing that can be wrong with it, and that it says nothing else."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.books.receipts import Signer
from offline_queue.entry import Lane
from offline_queue.journal import Verification
from offline_queue.journal_audit import CHANGED_MARK, THE_FILE
from offline_queue.journal_reader import JournalReader
from offline_queue.receipts import Receipt
from offline_queue.wire import Marks
from tests.offline_queue.sales import ORIGIN, open_store, put, sale

LEDGER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
SALES = 6


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
    """Two streams, each with its genesis and its seal, and one receipt."""
    assert examined(path) == Verification(SALES + 4, ok=True, first_bad=None, receipts=1)


@pytest.mark.parametrize(
    "change",
    [
        "lane = 'slow'",
        "stable = -1",
        "stable = 6",
        "accepted = 9, stable = 4",
        "accepted = 3, stable = 4",
        "trimmed = 5",
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
    assert found.first_bad[0] == bulk


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


def test_a_page_that_contradicts_its_index_is_damage(path: Path, bulk: str) -> None:
    """SQLite's own examination comes first: what follows would be read from bent pages."""
    with closing(sqlite3.connect(path, isolation_level=None)) as journal:
        journal.execute("PRAGMA writable_schema = 1")
        journal.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, 'uid', 'lane') WHERE type = 'index' AND tbl_name = 'stream'"
        )
    found = examined(path)
    assert (found.records, found.ok) == (0, False)
    assert found.first_bad is not None
    assert found.first_bad[:2] == (THE_FILE, 0)
