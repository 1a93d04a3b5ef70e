"""A till killed between any two statements has what it acknowledged, and nothing half-written."""

import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from offline_queue.entry import Kind
from offline_queue.journal import AllowanceState, Found
from offline_queue.journal_reader import JournalReader
from terminal.cards.directory import Directory
from tests.offline_queue.doomed import PAGE
from tests.offline_queue.sales import open_store, put, sale

ROOT = Path(__file__).parents[2]
DEATHS = 40


def run(folder: Path, numbers: list[int]) -> None:
    command = [sys.executable, "-m", "tests.offline_queue.doomed", str(folder), *map(str, numbers)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=100)


def check(folder: Path) -> int:
    """The number of acknowledged entries, all of which must be there."""
    acknowledged = (folder / "acks").read_text().split()
    with closing(JournalReader.open(folder / "journal.db")) as reader:
        before = {found.entry.key: found for found in reader.list(None, 10_000)}
    with closing(open_store(folder / "journal.db")) as store, closing(store.reader()) as reader:
        assert reader.verify().ok
        found = {one.entry.key: one for one in reader.list(None, 10_000)}
        assert found == before
        gone = set(acknowledged) - set(found)
        assert len(gone) == given_up(folder), "what is neither here nor proved by a receipt is lost"
        assert len(found) + len(gone) - len(acknowledged) <= 6
        rights_agree(reader, found.values())
        words_agree(reader, found.values())
        for key in [key for key in acknowledged if key in found][::7]:
            assert put(store, sale(key=key)).replayed
            assert reader.find_key(key) == found[key]
        put(store, sale())
    changes_are_whole(folder)
    return len(acknowledged)


def given_up(folder: Path) -> int:
    """Records that were trimmed; verify has found a receipt for them."""
    with closing(sqlite3.connect(folder / "journal.db")) as journal:
        return int(journal.execute("SELECT sum(max(trimmed - 1, 0)) FROM stream").fetchone()[0])


def words_agree(reader: JournalReader, found: Iterable[Found]) -> None:
    """A person's word and where to find it are one commit."""
    for word in (one for one in found if one.entry.correction):
        assert word.entry.correction is not None
        assert reader.resolution_of(word.entry.correction.of or "") == word


def changes_are_whole(folder: Path) -> None:
    """A page of the ledger's changes and its cursor, or neither."""
    if not (folder / "directory.db").exists():
        return
    with closing(Directory.open(folder / "directory.db", "after")) as directory:
        taken = directory.hotlist.taken("g1")
        (listed,) = directory._connection.execute("SELECT count(*) FROM listed").fetchone()
    assert taken % PAGE == 0
    assert listed == taken


def rights_agree(reader: JournalReader, found: Iterable[Found]) -> None:
    """A right is used exactly when the record that uses it is there: one commit."""
    entries = [one.entry for one in found]
    used = {entry.allowance: entry.kind for entry in entries if entry.allowance is not None}
    for allowance in reader.allowances():
        moved = {Kind.REDEEM: AllowanceState.CONSUMED, Kind.RELEASE: AllowanceState.RELEASED}.get(
            used.get(allowance.id)
        )
        assert allowance.state is moved if moved else allowance.state in ("asked", "granted")
    for entry in entries:
        taken = sum(other.points for other in entries if other.reverses == entry.id)
        assert reader.reversed_points(entry.id) == taken


def test_killed_before_any_statement(tmp_path: Path) -> None:
    """Every acknowledged entry is there once, the chains hold, rights and records agree, and the till goes on."""
    run(tmp_path, [0])
    statements = int((tmp_path / "0" / "statements").read_text())
    check(tmp_path / "0")
    deaths = random.Random(7).sample(range(1, statements + 1), DEATHS)
    run(tmp_path, deaths)
    acknowledged = [check(tmp_path / str(death)) for death in deaths]
    assert min(acknowledged) < 10
    assert max(acknowledged) > 30
    shutil.rmtree(tmp_path)
