"""Which streams a hello tells of."""

from contextlib import closing
from pathlib import Path

from offline_queue.journal_reader import MOST_UNCOVERED
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
