"""The schema only ever moves forward, and ends where it says."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from offline_queue import migrations
from offline_queue.migrations import LATEST, migrate
from tests.offline_queue.sales import open_store, put, sale

ROOT = Path(__file__).parents[2]
SCHEMA = (Path(__file__).parent / "schema.sql").read_text()


def shape(connection: sqlite3.Connection) -> dict[str, Any]:
    """Tables, columns, indexes and their kinds, without the accidents of their text."""
    tables = {row[1]: row[2:] for row in connection.execute("PRAGMA table_list") if row[1] != "sqlite_schema"}
    return {
        name: (
            kind,
            connection.execute(f"PRAGMA table_xinfo({name})").fetchall(),
            [
                (unique, origin, partial, connection.execute(f"PRAGMA index_xinfo({index})").fetchall())
                for _, index, unique, origin, partial in connection.execute(f"PRAGMA index_list({name})")
            ],
        )
        for name, kind in tables.items()
    }


def memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None)


def test_the_steps_make_the_schema_that_is_written_down() -> None:
    """A migrated journal has exactly the tables of schema.sql."""
    with closing(memory()) as migrated, closing(memory()) as fresh:
        migrate(migrated)
        fresh.executescript(SCHEMA)
        assert shape(migrated) == shape(fresh)
        assert migrated.execute("PRAGMA user_version").fetchone() == (LATEST,)


def test_migrating_again_changes_nothing() -> None:
    """A journal of this version is left alone."""
    with closing(memory()) as connection:
        migrate(connection)
        before = connection.execute("PRAGMA schema_version").fetchone()
        migrate(connection)
        assert connection.execute("PRAGMA schema_version").fetchone() == before


def test_a_step_that_fails_leaves_no_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step is one transaction with its version number."""

    def broken(database: Any) -> None:
        database.execute("CREATE TABLE half (x)")
        database.execute("no SQL")

    with closing(memory()) as connection:
        migrate(connection)
        monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, broken))
        monkeypatch.setattr(migrations, "LATEST", LATEST + 1)
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection)
        assert connection.execute("PRAGMA user_version").fetchone() == (LATEST,)
        assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").fetchone() == (0,)


def test_entries_live_through_a_later_step(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer version finds every record of the older one."""
    entry = sale()
    with closing(open_store(path)) as store:
        put(store, entry)
    later = (*migrations.STEPS, lambda database: database.execute("ALTER TABLE fact ADD COLUMN since TEXT"))
    monkeypatch.setattr(migrations, "STEPS", later)
    monkeypatch.setattr(migrations, "LATEST", LATEST + 1)
    monkeypatch.setattr("offline_queue.opening.LATEST", LATEST + 1)
    with closing(open_store(path)) as store, closing(store.reader()) as reader:
        assert put(store, entry).replayed
        assert reader.verify().ok


def test_a_new_journal_that_was_never_finished_is_begun_again(path: Path) -> None:
    """A power cut while the file was made leaves only another name behind."""
    path.with_name("journal.db.new").write_bytes(b"half a database")
    with closing(open_store(path)) as store:
        put(store, sale())
    assert [file.name for file in path.parent.iterdir()] == ["journal.db"]


def test_making_a_journal_loads_no_reader_s_library() -> None:
    """A till that starts for the first time is as small as one that starts again: 1 GB has to do."""
    program = (
        "import sqlite3, sys; from offline_queue.migrations import migrate;"
        "migrate(sqlite3.connect(':memory:', isolation_level=None)); print('sqlite_utils' in sys.modules,"
        "'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["True", "False"]
