"""The last days over restarts, power cuts and broken files, with time that goes on by hand."""

import contextlib
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline_queue.entry import State
from offline_queue.journal import Totals
from terminal.history.buckets import STEP_S, Bucket, Reads
from terminal.history.file import HEADER, MOST_BYTES, MOST_LINES, HistoryBroken, HistoryFile, parse, text_of
from terminal.history.recorder import Recorder
from terminal.history.shapes import History
from terminal.readers.tally import Tally
from tests.terminal.rig import HandTimepiece
from tests.terminal.test_history import BUCKETS


class Till:
    """What a recorder hears and looks at."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.timepiece, self.queued = folder, HandTimepiece(), 0
        self.tally = Tally(folder / "counter.json")
        self.recorder = self.start()

    def start(self) -> Recorder:
        tallies = {"counter": self.tally}
        self.recorder = Recorder(self.folder / "history.jsonl", self._totals, tallies, self.timepiece)
        return self.recorder

    def _totals(self) -> Totals:
        return Totals(self.queued, 0, 0, None, 0)

    def sale(self) -> None:
        self.queued += 1
        self.recorder.hear("transaction", {"state": State.QUEUED})

    def sync(self, left: int = 0) -> None:
        self.queued = left
        self.recorder.hear("sync", {"queue": {"queued": left}})

    def wait(self, seconds: float) -> None:
        self.timepiece.now_ms += int(seconds * 1000)

    def view(self, hours: int = 1, step_s: int = STEP_S) -> History:
        return self.recorder.view(hours, step_s)


@pytest.fixture
def till(tmp_path: Path) -> Till:
    return Till(tmp_path)


def test_a_sale_waits_until_the_ledger_has_it(till: Till) -> None:
    """From durable at the till to custody, by a clock that never jumps."""
    till.sale()
    till.wait(2)
    till.sale()
    till.recorder.look()
    till.wait(1)
    till.sync()
    (now,) = till.view().stretches
    assert (now.queue, now.taken, now.latency_mean_s, now.latency_most_s) == (2, 2, 2.0, 3.0)
    assert till.recorder.latencies.sum_ms == 4000


def test_a_defect_in_the_charts_stops_no_sale(till: Till, caplog: pytest.LogCaptureFixture) -> None:
    """Watchers are told first, and the till's thread goes on whatever the recorder makes of it."""
    told = list[str]()
    publish = till.recorder.overhearing(lambda kind, _: told.append(kind))
    publish("transaction", {"no": "state"})
    publish("transaction", {"state": State.QUEUED})
    assert told == ["transaction", "transaction"]
    assert "could not take up a transaction" in caplog.text
    till.sync()
    assert till.view().stretches[0].taken == 1


def test_reads_are_those_since_the_last_look(till: Till) -> None:
    """A reader's counters are of its whole life; the chart is of five minutes."""
    till.tally.add(good=2, unreadable=1)
    till.recorder.look()
    till.wait(STEP_S)
    till.recorder.look()
    till.tally.add(failed=1)
    till.recorder.look()
    reads = [stretch.readers["counter"] for stretch in till.view().stretches]
    assert [(each.good, each.failed, each.unreadable) for each in reads] == [(2, 0, 1), (0, 1, 0)]


def test_a_restart_goes_on_where_it_was(till: Till) -> None:
    """Also in the middle of five minutes; and what others publish costs nothing."""
    till.recorder.start()
    till.sale()
    till.sync()
    till.tally.add(good=3)
    till.recorder.stop()
    till.start()
    till.recorder.hear("card_read", object())
    till.sale()
    till.sync()
    (now,) = till.view().stretches
    assert (now.taken, now.readers["counter"].good) == (2, 3)


def test_a_torn_line_costs_itself_alone(till: Till, tmp_path: Path) -> None:
    """A power cut in the middle of a write; the next line does not stick to the torn one."""
    file = tmp_path / "history.jsonl"
    start = till.timepiece.now_ms // 1000 - 600
    file.write_bytes(HEADER + text_of([Bucket(start, queue=4)]) + b'{"start":17723592')
    till.start()
    till.wait(STEP_S)
    till.recorder.look()
    assert [bucket.queue for bucket in parse(file.read_bytes())] == [4, 0]


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\x00" * 100, HEADER[:-5], b"{}\n", HEADER + b'{"start":"x"}\n', HEADER + b'{"start":1,"queue":-1}\n'),
        *(HEADER + b"[" * 100_000 + b"\n", b"x" * (MOST_BYTES + 1)),
    ],
    ids=["empty", "zeros", "half a header", "another header", "text", "negative", "deep", "large"],
)
def test_a_broken_file_is_put_aside(till: Till, tmp_path: Path, data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """The charts begin anew, the till starts, and whoever wants to look finds the file beside."""
    file = tmp_path / "history.jsonl"
    file.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        till.start()
    assert "put aside" in caplog.text
    assert file.with_suffix(".broken").read_bytes() == data
    till.sale()
    till.wait(STEP_S)
    till.recorder.look()
    assert [bucket.queue for bucket in parse(file.read_bytes())] == [1]


@given(st.binary(max_size=200) | st.lists(BUCKETS, max_size=5).map(lambda some: HEADER + text_of(some)), st.data())
@settings(max_examples=100)
def test_any_bytes_are_a_history_or_are_not(data: bytes, choice: Any) -> None:
    """Whatever a dying card made of the file: buckets, or one plain refusal."""
    cut = data[: choice.draw(st.integers(0, len(data)))]
    with contextlib.suppress(HistoryBroken):
        assert all(isinstance(bucket, Bucket) for bucket in parse(cut))


@given(st.lists(BUCKETS, max_size=8))
@settings(max_examples=40)
def test_what_is_written_is_read(buckets: list[Bucket]) -> None:
    """Line for line."""
    assert parse(HEADER + text_of(buckets)) == buckets


def test_the_file_stays_small(tmp_path: Path) -> None:
    """Written anew when half of its lines are too old to matter."""
    file = HistoryFile(tmp_path / "history.jsonl")
    kept = {0: Bucket(0)}
    file.append(kept[0], kept)
    for _ in range(MOST_LINES - 1):
        file.append(kept[0], kept)
    assert len(parse((tmp_path / "history.jsonl").read_bytes())) == MOST_LINES
    file.append(kept[0], kept)
    assert len(parse((tmp_path / "history.jsonl").read_bytes())) == 1


def test_a_disk_that_takes_nothing_is_no_drama(till: Till, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The charts go on in memory; the till does not even notice."""
    (tmp_path / "history.jsonl").mkdir()
    with caplog.at_level(logging.WARNING):
        till.start()
        till.sale()
        till.wait(STEP_S)
        till.recorder.look()
    assert "could not be written" in caplog.text
    assert [stretch.queue for stretch in till.view().stretches] == [1, 0]


def test_a_clock_that_is_set_back_loses_nothing(till: Till) -> None:
    """The same five minutes twice are one stretch with the sums of both."""
    till.tally.add(good=1)
    till.recorder.look()
    till.wait(STEP_S)
    till.recorder.look()
    till.wait(-STEP_S)
    till.recorder.look()
    till.tally.add(good=1)
    till.recorder.look()
    assert sum(s.readers["counter"].good for s in till.view().stretches if s.readers) == 2
    assert till.recorder._kept[till.recorder._now.start].readers == {"counter": Reads(1)}
