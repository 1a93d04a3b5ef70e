"""When a till has delivered all that restored books may lack: nothing is promised before."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.books.recovery import delivered
from offline_queue.entry import Lane
from offline_queue.wire import Hello, Marks, StreamHead

held = st.none() | st.integers(0, 5)


@given(st.lists(st.tuples(st.integers(0, 5), held), max_size=4), st.sampled_from(["g-2", "g-1", None]))
def test_a_till_has_reported_when_every_record_of_its_streams_is_here(
    streams: list[tuple[int, int | None]], adopted: str | None
) -> None:
    """Of each stream that it has, up to its last record, and under the generation that the books have now."""
    heads = [StreamHead(f"s{n}", Lane.BULK, seq, "00", 0) for n, (seq, _) in enumerate(streams)]
    marks = {f"s{n}": Marks(mark, 0) for n, (_, mark) in enumerate(streams) if mark is not None}
    hello = Hello("r", "T1", "", 1, 2, "fake", heads, "2025-06-15T12:00:00Z", adopted)
    whole = all(mark is not None and mark >= seq for seq, mark in streams)
    assert delivered(hello, "g-2", marks) == (whole and adopted == "g-2")
