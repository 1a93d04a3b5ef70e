"""Room on the disk, and the ballast that keeps the last of it for the ledger's word."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.entry import Lane, State
from offline_queue.journal import NotRecorded
from offline_queue.room import BALLAST_BYTES, MIB, SCARCE_BYTES, Room, Space, space
from offline_queue.wire import Marks
from tests.offline_queue.sales import open_store, put, sale, verdict
from tests.offline_queue.test_store_full_disk import Ballast as Filler
from tests.offline_queue.test_store_full_disk import sold_until_refused

ORDER = (Room.FINE, Room.LOW, Room.SCARCE)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(command, check=False, capture_output=True, timeout=60).returncode != 0:
        pytest.skip("needs root and the right to mount, for a disk that is really full")
    yield folder
    subprocess.run(["umount", str(folder)], check=True, timeout=60)


@pytest.mark.parametrize(
    ("size", "free", "room"),
    [
        (0, 10_000 * MIB, Room.FINE),
        (400 * MIB, 101 * MIB, Room.FINE),
        (400 * MIB, 100 * MIB, Room.LOW),
        (1900 * MIB, 101 * MIB, Room.LOW),
        (1900 * MIB, 100 * MIB, Room.SCARCE),
        (0, 63 * MIB, Room.LOW),
        (0, SCARCE_BYTES - 1, Room.SCARCE),
        (0, 0, Room.SCARCE),
    ],
)
def test_room_goes_by_share_and_by_what_is_left(size: int, free: int, room: Room) -> None:
    """A warning at 80 % and earning only at 95 %, and earlier where little is left at all."""
    assert Space(size, free).room is room


@given(st.integers(0, 2**50), st.integers(0, 2**50), st.integers(0, 2**40))
def test_more_free_room_is_never_worse(size: int, free: int, more: int) -> None:
    """Making room cannot make a till refuse what it did before."""
    assert ORDER.index(Space(size, free + more).room) <= ORDER.index(Space(size, free).room)


def test_the_ledgers_word_is_written_down_on_a_full_disk(disk: Path) -> None:
    """Sales are refused, and what the ledger has taken and decided meanwhile is durable all the same."""
    path, filler = disk / "journal.db", Filler(disk)
    with closing(open_store(path)) as store, closing(store.reader()) as reader:
        durable = [sale() for _ in range(5)]
        bulk = store.stream(Lane.BULK)
        for entry in durable:
            put(store, entry)
        filler.fill()
        refused = sold_until_refused(store, durable)
        for number in range(len(durable) + 1):
            store.mark({bulk: Marks(number + 1, 0)}, "books")
            store.settle([verdict(bulk, number + 1, number + 1, State.POSTED, number + 1)], number + 1, "books")
        assert reader.totals().queued == 0
        with pytest.raises(NotRecorded, match="Make room"):
            put(store, refused)
        with pytest.raises(NotRecorded, match="Make room"):
            put(store, refused)
        filler.release()
        assert not put(store, refused).replayed
        assert [found.entry for found in reader.list(None, 10_000)] == [*durable, refused]
        assert reader.verify().ok


def test_a_repeat_is_answered_on_a_full_disk(disk: Path) -> None:
    """A POS that did not hear its answer hears it again, room or not."""
    filler = Filler(disk)
    with closing(open_store(disk / "journal.db")) as store:
        first = sale()
        put(store, first)
        filler.fill()
        sold_until_refused(store, [])
        assert put(store, first).replayed


def test_the_ballast_is_there_while_the_till_runs(disk: Path) -> None:
    """It is nobody else's to read, and it leaves with the till."""
    path = disk / "journal.db"
    ballast = Path(f"{path}.ballast")
    with closing(open_store(path)) as store:
        put(store, sale())
        assert ballast.stat().st_size == BALLAST_BYTES
        assert ballast.stat().st_mode & 0o777 == 0o600
        assert store.space().size == path.stat().st_size + Path(f"{path}-wal").stat().st_size
    assert not ballast.exists()


def test_a_small_disk_has_no_ballast(disk: Path) -> None:
    """Where little is free the sales need it more."""
    filler = disk / "others"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, space(disk / "journal.db").free - 6 * BALLAST_BYTES)
    with closing(open_store(disk / "journal.db")) as store:
        put(store, sale())
        assert not (disk / "journal.db.ballast").exists()
        assert store.space().room is Room.LOW


def test_a_journal_never_outgrows_its_disk(disk: Path) -> None:
    """However long it goes on selling, what was answered is there and what was refused is not."""
    with closing(open_store(disk / "journal.db")) as store, closing(store.reader()) as reader:
        sold = 0
        while True:
            try:
                put(store, sale(operator="x" * 7000))
            except NotRecorded:
                break
            sold += 1
        assert len(reader.list(None, 100_000)) == sold
        assert reader.verify().ok
        assert store.failure is None
