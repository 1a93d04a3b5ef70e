"""A reader's counters: they only grow, outlive the daemon, and a damaged file costs no more than them."""

import logging
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.inbox import Counters
from terminal.readers.tally import EVERY_S, Tally

NAMES = ("good", "failed", "unreadable", "duplicate", "restarts")


@given(st.lists(st.sampled_from(NAMES), max_size=30), st.integers(0, 30))
def test_what_is_counted_is_kept(events: list[str], restart_at: int) -> None:
    """Wherever the daemon is started anew in between."""
    with TemporaryDirectory() as folder:
        tally = Tally(Path(folder) / "counters.json")
        for at, event in enumerate(events):
            if at == restart_at:
                tally.save()
                tally = Tally(Path(folder) / "counters.json")
            tally.add(**{event: 1})
        assert tally.counters == Counters(**{name: events.count(name) for name in NAMES})


def test_at_most_one_write_a_minute(tmp_path: Path) -> None:
    """A disk is not worn out by counting, and nothing is written where nothing is new."""
    path = tmp_path / "counters.json"
    tally = Tally(path)
    tally.keep(100.0)
    tally.add(good=1)
    tally.keep(100.0 + EVERY_S - 1)
    assert not path.exists()
    tally.keep(100.0 + EVERY_S)
    assert Tally(path).counters.good == 1
    path.unlink()
    tally.keep(100.0 + 2 * EVERY_S)
    assert not path.exists()


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"{", b"[" * 100_000, b'{"good": -1}', b'{"good": "many"}', b'{"hours": -0.5}', b"null"]
)
def test_a_damaged_file_begins_at_0(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """With a line in the log; the next writing mends it."""
    path = tmp_path / "counters.json"
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        tally = Tally(path)
    assert "begin at 0" in caplog.text
    assert tally.counters == Counters()
    tally.add(restarts=2)
    tally.save()
    assert Tally(path).counters.restarts == 2


def test_a_file_of_another_version_is_taken_as_far_as_it_goes(tmp_path: Path) -> None:
    """Counters that it does not have begin at 0; those that we do not know are passed over."""
    path = tmp_path / "counters.json"
    path.write_bytes(b'{"good": 7, "lost": 3}')
    assert Tally(path).counters == Counters(good=7)


def test_a_disk_that_takes_nothing_stops_no_reader(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The counting goes on in memory."""
    (tmp_path / "file").touch()
    tally = Tally(tmp_path / "file" / "counters.json")
    tally.add(good=1)
    tally.save()
    assert "could not be written" in caplog.text
    assert tally.counters.good == 1


def test_two_threads_count_together(tmp_path: Path) -> None:
    """The till counts duplicates while the supervisor counts reads."""
    tally = Tally(tmp_path / "counters.json")
    threads = [
        threading.Thread(target=lambda name=name: [tally.add(**{name: 1}) for _ in range(2000)])  # type: ignore[misc]
        for name in ("good", "good", "duplicate")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tally.counters == Counters(good=4000, duplicate=2000)
