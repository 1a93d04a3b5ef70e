"""A file that cannot be the journal is refused, explained, and left as it was."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from offline_queue.entry import State
from offline_queue.journal import JournalUnusable, Origin
from offline_queue.journal_reader import JournalReader
from offline_queue.migrations import LATEST
from offline_queue.opening import parse_header
from offline_queue.store import Store
from offline_queue.wire import Marks
from tests.offline_queue.sales import ORIGIN, StoppedTimepiece, content, open_store, put, sale, verdict


@pytest.fixture
def used(path: Path) -> Path:
    """A journal with sales in it, closed cleanly."""
    with closing(open_store(path)) as store:
        for _ in range(20):
            put(store, sale())
    return path


@pytest.fixture
def crashed(path: Path, tmp_path: Path) -> Path:
    """A journal as a power cut leaves it: the sales are in its log."""
    with closing(open_store(path)) as store:
        for _ in range(20):
            put(store, sale())
        copy = tmp_path / "copy"
        copy.mkdir()
        for file in (path, Path(f"{path}-wal")):
            shutil.copy(file, copy)
    return copy / path.name


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def other_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (cake)")


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {LATEST + 1}")


def spoil_schema(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(100)
        file.write(bytes(200))


def spoil_newest_record(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE record SET record = x'7b' WHERE place = (SELECT max(place) - 1 FROM record)")
    Path(f"{path}-wal").unlink(missing_ok=True)


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: os.truncate(path, 0), "empty"),
    "garbage": (lambda path: path.write_bytes(b"not a database at all" * 99), "first bytes"),
    "short": (lambda path: path.write_bytes(b"SQLite format 3\0"), "first bytes"),
    "truncated": (truncate, "truncated"),
    "cut in the header": (lambda path: os.truncate(path, 99), "first bytes"),
    "another program's": (other_program, "another program"),
    "newer": (newer, "newer tilld"),
    "a spoilt record": (spoil_newest_record, "cannot be read"),
    "spoilt": (spoil_schema, "damaged"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_it_is_refused_and_untouched(used: Path, kind: str) -> None:
    """The message says what happened, what it means and the command; not a byte changes, nothing is left beside it."""
    damage, what = DAMAGE[kind]
    damage(used)
    before = content(used.parent)
    with pytest.raises(JournalUnusable) as caught:
        open_store(used)
    assert what in caught.value.what
    assert "points" in caught.value.meaning.lower()
    assert str(used) in str(caught.value)
    assert content(used.parent) == before


@pytest.mark.parametrize("kind", DAMAGE)
def test_the_remedy_is_a_command_that_works(used: Path, kind: str) -> None:
    """What the message tells to type keeps the file aside, and the till starts anew."""
    DAMAGE[kind][0](used)
    spoilt = used.read_bytes()
    with pytest.raises(JournalUnusable) as caught:
        open_store(used)
    command = caught.value.remedy.rpartition("Run: ")[2]
    subprocess.run(command, shell=True, check=True, timeout=60)
    assert Path(f"{used}.aside", used.name).read_bytes() == spoilt
    with closing(open_store(used)) as store:
        assert put(store, sale()).seq == 2


def test_a_damaged_page_is_found_after_an_unclean_end(crashed: Path) -> None:
    """The check at the start reads every page; the file and its log stay as they were."""
    wal = Path(f"{crashed}-wal")
    with crashed.open("r+b") as file:
        file.seek(100)
        file.write(bytes(100))
    wal.write_bytes(wal.read_bytes()[:4000])
    before = content(crashed.parent)
    with pytest.raises(JournalUnusable, match="damaged"):
        open_store(crashed)
    assert content(crashed.parent) == before


def test_a_terminal_with_another_name_does_not_inherit_what_waits(used: Path) -> None:
    """The ledger would credit nothing of it: the entries say who wrote them. Under the old name it opens, and once
    everything is decided under any."""
    renamed = Origin("S001-T09", ORIGIN.machine_id, ORIGIN.software)
    before = content(used.parent)
    with pytest.raises(JournalUnusable, match=f"terminal {ORIGIN.terminal} wrote it"):
        Store.open(used, origin=renamed, timepiece=StoppedTimepiece(-1))
    assert content(used.parent) == before
    with closing(open_store(used)) as store, closing(store.reader()) as reader:
        streams = reader.streams()
        store.mark({head.stream: Marks(head.seq, 0) for head in streams}, "g1")
        store.settle([verdict(head.stream, 1, head.seq, State.POSTED) for head in streams], 1, "g1")
    Store.open(used, origin=renamed, timepiece=StoppedTimepiece(-1)).close()


def test_the_log_of_a_lost_journal_is_not_taken_over(crashed: Path) -> None:
    """Somebody removed journal.db and nothing else: its log may hold the only copy of sales, and no new journal may
    swallow it. What the message tells to type keeps it aside."""
    crashed.unlink()
    before = content(crashed.parent)
    with pytest.raises(JournalUnusable, match="is gone") as caught:
        open_store(crashed)
    assert content(crashed.parent) == before
    subprocess.run(caught.value.remedy.rpartition("Run: ")[2], shell=True, check=True, timeout=60)
    with closing(open_store(crashed)) as store:
        assert put(store, sale()).seq == 2


def test_a_copy_made_by_another_tool_is_a_journal(used: Path, tmp_path: Path) -> None:
    """`VACUUM INTO` leaves no write-ahead mode behind; the till takes it up again."""
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(used)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    with closing(open_store(copy)) as store, closing(store.reader()) as reader:
        put(store, sale())
        assert reader.totals().queued == 21
        assert Path(f"{copy}-wal").stat().st_size > 0


def test_an_unclean_end_alone_is_no_reason(crashed: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The log is checked, replayed, and every sale is there."""
    with closing(open_store(crashed)) as store, closing(store.reader()) as reader:
        assert reader.totals().queued == 20
        assert reader.verify().ok
    assert "not closed cleanly" in caplog.text


def test_a_newer_schema_in_the_log_is_seen(used: Path, tmp_path: Path) -> None:
    """The header on disk is old while the log holds the new version: it is refused all the same."""
    with closing(sqlite3.connect(used, isolation_level=None)) as newer_program:
        newer_program.execute("PRAGMA wal_autocheckpoint = 0")
        newer_program.execute(f"PRAGMA user_version = {LATEST + 1}")
        copy = tmp_path / "copy"
        copy.mkdir()
        for file in (used, Path(f"{used}-wal")):
            shutil.copy(file, copy)
    before = content(copy)
    with pytest.raises(JournalUnusable, match="newer tilld"):
        open_store(copy / used.name)
    after = content(copy)
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("place", ["no/such/folder/journal.db", "file/journal.db"])
def test_a_folder_that_is_none_is_explained(tmp_path: Path, place: str) -> None:
    """The message holds a command for the folder."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(JournalUnusable) as caught:
        open_store(tmp_path / place)
    assert "nothing is lost" in caught.value.meaning
    assert caught.value.remedy


def test_a_folder_in_the_place_of_the_file_is_explained(path: Path) -> None:
    """It is moved aside like any foreign thing."""
    path.mkdir()
    with pytest.raises(JournalUnusable, match="folder"):
        open_store(path)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to become somebody else")
@pytest.mark.parametrize("secret", ["file", "folder"])
def test_a_journal_of_another_user_is_explained(used: Path, secret: str) -> None:
    """Neither the file nor its folder may be written: the message names which, and nothing changes."""
    before = content(used.parent)
    used.chmod(0o600 if secret == "file" else 0o666)
    modes = {folder: folder.stat().st_mode for folder in used.parents[:-2]}
    for folder in modes:
        folder.chmod(0o777 if secret == "file" and folder == used.parent else 0o755)
    os.seteuid(65534)
    try:
        with pytest.raises(JournalUnusable, match="may not write"):
            open_store(used)
    finally:
        os.seteuid(0)
        for folder, mode in modes.items():
            folder.chmod(mode)
    assert content(used.parent) == before


def test_reading_without_a_journal_says_so(path: Path) -> None:
    """A command beside no journal makes none."""
    with pytest.raises(JournalUnusable, match="no journal here"):
        JournalReader.open(path)
    assert not path.exists()


def test_reading_a_foreign_file_is_refused(used: Path) -> None:
    """Readers look at the header too."""
    other_program(used)
    with pytest.raises(JournalUnusable, match="another program"):
        JournalReader.open(used)


def test_reading_works_while_the_daemon_is_down(crashed: Path) -> None:
    """Also after a crash: the log is read, and left for the daemon."""
    wal = Path(f"{crashed}-wal").read_bytes()
    with closing(JournalReader.open(crashed)) as reader:
        assert reader.totals().queued == 20
        assert reader.verify().ok
    assert Path(f"{crashed}-wal").read_bytes() == wal


def test_a_reader_cannot_write(used: Path) -> None:
    """query_only and mode=ro: twice locked."""
    with closing(JournalReader.open(used)) as reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM record")


def test_a_header_of_foreign_bytes_is_none() -> None:
    """Anything but SQLite's magic and 100 bytes is no header."""
    assert parse_header(b"") is None
    assert parse_header(b"SQLite format 3\0" + bytes(83)) is None
    assert parse_header(b"sqlite format 3\0" + bytes(84)) is None
