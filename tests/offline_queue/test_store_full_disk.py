"""A disk that is full refuses sales; when there is room again the till goes on by itself."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from offline_queue.entry import Entry
from offline_queue.journal import JournalUnusable, NotRecorded
from offline_queue.store import Store
from tests.offline_queue.sales import DIGEST, open_store, put, right, sale

SIZE = 2 * 1024 * 1024


def mounted(folder: Path) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    return subprocess.run(command, check=False, capture_output=True, timeout=60).returncode == 0


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.getuid() != 0 or not mounted(folder):
        pytest.skip("needs root and the right to mount, for a disk that is really full")
    yield folder
    subprocess.run(["umount", str(folder)], check=True, timeout=60)


class Ballast:
    """Fills the disk to the last byte, and makes room again."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ballast"

    def fill(self) -> None:
        with self.path.open("ab", buffering=0) as file:
            for size in (65536, 512):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def release(self) -> None:
        self.path.unlink()


def sold_until_refused(store: Store, durable: list[Entry]) -> Entry:
    """What SQLite still has room for in its log is sold; the first sale that is not recorded."""
    for _ in range(2000):
        entry = sale(operator="x" * 4000)
        try:
            put(store, entry)
        except NotRecorded:
            return entry
        durable.append(entry)
    raise AssertionError("this disk is never full")


def ask_for_rights(store: Store, name: str) -> None:
    for number in range(2000):
        store.ask_allowance(right(f"right {number} {name}"))


def test_a_full_disk_refuses_and_recovers(small: Path) -> None:
    """Callers hear NotRecorded, nothing of theirs is there, and the same sale succeeds when room returns."""
    ballast = Ballast(small)
    with closing(open_store(small / "journal.db")) as store, closing(store.reader()) as reader:
        durable = [sale() for _ in range(30)]
        for entry in durable:
            put(store, entry)
        for _ in range(2):
            ballast.fill()
            refused = sold_until_refused(store, durable)
            assert reader.find_key(refused.key) is None
            assert put(store, durable[0]).replayed
            with pytest.raises(NotRecorded, match="Nothing was recorded"):
                ask_for_rights(store, f"of {len(durable)}")
            assert store.failure is None
            ballast.release()
            assert not put(store, refused).replayed
            durable.append(refused)
            assert [found.entry for found in reader.list(None, 10_000)] == durable
            assert reader.verify().ok


def test_a_whole_group_is_refused_or_taken(small: Path) -> None:
    """Of entries in flight exactly those are there whose callers were told so."""
    ballast = Ballast(small)
    with closing(open_store(small / "journal.db")) as store, closing(store.reader()) as reader:
        ballast.fill()
        entries = [sale(operator="x" * 2000) for _ in range(1500)]
        futures = [store.submit(entry, b"{}", DIGEST) for entry in entries]
        errors = [future.exception(30) for future in futures]
        assert {type(error) for error in errors if error} == {NotRecorded}
        taken = [entry for entry, error in zip(entries, errors, strict=True) if error is None]
        assert [found.entry for found in reader.list(None, 10_000)] == taken
        ballast.release()
        put(store, sale())
        assert reader.verify().ok


def test_no_room_for_a_new_journal_is_explained(small: Path) -> None:
    """A till that cannot begin says why and what to do."""
    Ballast(small).fill()
    with pytest.raises(JournalUnusable) as caught:
        open_store(small / "journal.db")
    assert "df -h" in caught.value.remedy
    assert not (small / "journal.db").exists()


def test_a_close_on_a_full_disk_is_a_close(small: Path) -> None:
    """Without room for the seal the streams end as after a power cut, and everything is there at the next start."""
    ballast = Ballast(small)
    store = open_store(small / "journal.db")
    put(store, sale())
    ballast.fill()
    sold_until_refused(store, [])
    store.close()
    ballast.release()
    with closing(open_store(small / "journal.db")) as store, closing(store.reader()) as reader:
        assert reader.verify().ok
        put(store, sale())
