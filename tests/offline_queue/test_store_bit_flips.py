"""A disk that changes what it was given: a flipped bit is found, or it has changed nothing that anybody reads."""

import sqlite3
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest

from offline_queue.entry import Lane, State
from offline_queue.journal import JournalUnusable
from offline_queue.journal_audit import THE_FILE
from offline_queue.journal_reader import JournalReader
from offline_queue.lanes import guarded, intact, unguarded
from offline_queue.wire import Marks
from tests.offline_queue.sales import DIGEST, open_store, put, redemption, right, sale, verdict
from tests.virtual.bit_flips import unseen

FLIPS = 400
View = tuple[object, ...]


@pytest.fixture
def lived(tmp_path: Path) -> Path:
    """A journal that was used and closed in order."""
    path = tmp_path / "journal.db"
    with closing(open_store(path)) as store:
        for number in range(40):
            put(store, sale(), b'{"answer": %d}' % number)
        store.ask_allowance(right("right"))
        store.answer_allowance("right", granted=True)
        put(store, redemption("right"))
        bulk = store.stream(Lane.BULK)
        store.mark({bulk: Marks(30, 10)}, "books")
        store.settle([verdict(bulk, 1, 20, State.POSTED)], 1, "books")
    return path


def seen(path: Path) -> View | str:
    """All that a till tells of its journal, or how the damage was found."""
    try:
        with closing(JournalReader.open(path)) as journal:
            verification = journal.verify()
            if not verification.ok:
                return f"found: {verification.first_bad}"
            out = BytesIO()
            journal.export(out)
            heads = [(head.stream, head.lane, head.seq, head.accepted) for head in journal.streams(all=True)]
            found = [(one.record, one.reply, one.digest, one.state) for one in journal.list(None, 1000)]
            return out.getvalue(), *heads, *found
    except (JournalUnusable, sqlite3.DatabaseError) as error:
        return f"refused: {error}"


@pytest.mark.parametrize("seed", range(2))
def test_a_flipped_bit_is_found_or_harmless(lived: Path, seed: int) -> None:
    """Anywhere in the file: whatever a till, a ledger or a POS would read of it is as it was written, or refused."""
    missed, found = unseen(lived, seen, seed=seed, flips=FLIPS)
    assert not missed
    assert found > FLIPS / 10


def test_the_till_does_not_start_on_bent_pages(lived: Path) -> None:
    """After an unclean end every page is looked at before the first sale."""
    bent = bytearray(lived.read_bytes())
    bent[3 * 2048 : 3 * 2048 + 12] = b"\xff" * 12
    lived.write_bytes(bent)
    Path(f"{lived}-wal").write_bytes(b"the log of a till whose power was cut")
    with pytest.raises(JournalUnusable, match="damaged"):
        open_store(lived).close()


@pytest.mark.parametrize("column", ["reply", "digest"])
def test_a_changed_answer_is_named(lived: Path, column: str) -> None:
    """The chain covers what travels; the guard covers what the POS hears again."""
    with closing(sqlite3.connect(lived, isolation_level=None)) as journal:
        (place,) = journal.execute("SELECT max(place) FROM record WHERE length(reply) > 2").fetchone()
        journal.execute(f"UPDATE record SET {column} = CAST('0123' || {column} AS BLOB) WHERE place = ?", (place,))
    with closing(JournalReader.open(lived)) as journal:
        verification = journal.verify()
        assert verification.first_bad is not None
        assert "what the POS was answered" in verification.first_bad[2]


def test_a_file_that_is_no_database_inside_is_named(lived: Path) -> None:
    """The damage is told as such when it lies in no stream."""
    bent = bytearray(lived.read_bytes())
    bent[2048 * 5 : 2048 * 6] = bytes(2048)
    lived.write_bytes(bent)
    with closing(JournalReader.open(lived)) as journal:
        verification = journal.verify()
    assert verification.first_bad is not None
    assert verification.first_bad[0] == THE_FILE


def test_answers_of_the_first_journals_have_no_guard() -> None:
    """They are read as they are, for nothing tells."""
    assert unguarded(DIGEST) == DIGEST
    assert intact(DIGEST, b"any reply")
    for digest in (b"", DIGEST):
        stored = guarded(digest, b"reply")
        assert unguarded(stored) == digest
        assert intact(stored, b"reply")
        assert not intact(stored, b"reply!")
