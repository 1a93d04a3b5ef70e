"""Which streams a hello tells of, and which may be sent next."""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from offline_queue.journal_reader import MOST_UNCOVERED
from offline_queue.next_step import next_step
from offline_queue.steps import Suspect, SyncState
from offline_queue.wire import Marks
from tests.offline_queue.sales import open_store, put, sale


def declared_after(path: Path, starts: int, *, stable: bool) -> tuple[int, int]:
    """How many streams a hello tells of at the end of so many starts, and how many are open; all are accepted."""
    for _ in range(starts):
        with closing(open_store(path)) as store, closing(store.reader()) as reader:
            heads = reader.streams(all=True)
            store.mark({head.stream: Marks(head.seq, head.seq if stable else 0) for head in heads}, "g")
            declared = len(reader.declared()), len(reader.streams())
    return declared


def test_ended_streams_are_told_until_a_backup_covers_them(path: Path) -> None:
    """A ledger put back to before them shows by them alone, if it has heard all that came later."""
    assert declared_after(path, 3, stable=False) == (2 + 4, 2)


def test_an_ended_stream_that_is_not_wholly_accepted_is_told(path: Path) -> None:
    """Also where a backup covers what was accepted of it: the rest has to be asked for."""
    for _ in range(2):
        with closing(open_store(path)) as store, closing(store.reader()) as reader:
            put(store, sale())
            heads = reader.streams(all=True)
    with closing(open_store(path)) as store, closing(store.reader()) as reader:
        ended = [head.stream for head in heads]
        store.mark({uid: Marks(1, 1) for uid in ended}, "g")
        assert {head.stream for head in reader.declared()} >= set(ended)
        assert {head.stream for head in reader.streams()} >= set(ended)


def test_what_a_backup_covers_is_told_no_more(path: Path) -> None:
    """A hello stays short, however often the till was started."""
    assert declared_after(path, 3, stable=True) == (2, 2)


def test_without_any_backup_a_hello_has_an_end(path: Path) -> None:
    """The newest are what a restore forgets first."""
    assert declared_after(path, MOST_UNCOVERED // 2 + 4, stable=False) == (2 + MOST_UNCOVERED, 2)


@settings(max_examples=30)
@given(st.data())
def test_what_may_be_sent_next_decides_like_all_that_is_left(data: st.DataObject) -> None:
    """Also where the oldest stream does not go, and where some are sent again from further back."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        for _ in range(data.draw(st.integers(1, 5))):
            with closing(open_store(path)) as store, closing(store.reader()) as reader:
                put(store, sale())
                heads = reader.streams(all=True)
        with closing(open_store(path)) as store, closing(store.reader()) as reader:
            marks = {head.stream: Marks(data.draw(st.integers(0, head.seq)), 0) for head in heads}
            store.mark(marks, "g")
            left, next_ones = reader.streams(), reader.waiting()
            names = st.sampled_from([head.stream for head in left])
            suspects = st.none() | st.builds(Suspect, names, st.just(1), st.integers(0, 2), st.booleans())
            rewinds = data.draw(st.dictionaries(names, st.just(1), max_size=3))
            state = SyncState("g", greeted=True, hello_due_ms=10, suspect=data.draw(suspects), rewinds=rewinds)
            assert len(next_ones) <= 6
            assert next_step(state, next_ones, 0, 0) == next_step(state, left, 0, 0)
