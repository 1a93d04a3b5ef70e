"""Where a batch belongs: it follows, overlaps, leaves a gap, or is another future."""

from collections.abc import Callable
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from ledger.rules.custody import Branch, Fork, Gap, HeadMismatch, Held, admit, went_back
from offline_queue.entry import GENESIS_HASH, Lane, Parent, chain
from offline_queue.wire import StreamHead

records = st.lists(st.binary(min_size=1, max_size=3), min_size=1, max_size=8)


def hashes_of(stream: list[bytes]) -> list[bytes]:
    return list(accumulate(stream, chain, initial=GENESIS_HASH))


def held(stream: list[bytes]) -> tuple[Branch, Callable[[Branch, int, int], list[bytes]]]:
    """One branch with these records, and the way to look up its hashes."""
    chained = hashes_of(stream)
    branch = Branch(1, len(stream), chained[-1])
    return branch, lambda _, first, last: chained[first : last + 1]


@given(records, st.data())
def test_any_stretch_of_the_same_stream_is_at_home(stream: list[bytes], data: st.DataObject) -> None:
    """Whatever is held already is known again, whatever is new follows; nothing is a fork."""
    mark = data.draw(st.integers(0, len(stream)))
    first = data.draw(st.integers(1, mark + 1))
    last = data.draw(st.integers(first, max(first, len(stream))))
    sent = stream[first - 1 : last]
    if not sent:
        return
    branch, hashes = held(stream[:mark])
    place = admit([branch], first, hashes_of(stream)[last], sent, hashes)
    assert isinstance(place, Held)
    assert place.known == max(0, min(mark, last) - first + 1)
    assert place.hashes == hashes_of(stream)[first : last + 1]


@given(records, records, records)
def test_two_futures_part_where_they_differ(past: list[bytes], ours: list[bytes], theirs: list[bytes]) -> None:
    """Sent from the beginning, the other future is a fork after the last common record, or no fork at all."""
    branch, hashes = held(past + ours)
    place = admit([branch], 1, hashes_of(past + theirs)[-1], past + theirs, hashes)
    common = next(
        (n for n, (a, b) in enumerate(zip(past + ours, past + theirs, strict=False)) if a != b),
        min(len(past + ours), len(past + theirs)),
    )
    assert isinstance(place, Held | Fork)
    assert isinstance(place, Fork) == (common < min(len(past + ours), len(past + theirs)))
    assert place.known == common


@given(records, st.integers(2, 50))
def test_beyond_the_mark_is_a_gap(stream: list[bytes], ahead: int) -> None:
    """The till is told the first record that is missing."""
    branch, hashes = held(stream)
    assert admit([branch], len(stream) + ahead, bytes(32), [b"x"], hashes) == Gap(len(stream) + 1)


def test_a_chain_that_does_not_follow_is_looked_for_further_back() -> None:
    """Far into a stream the till steps back a thousand records; at the beginning there is no further back."""
    branch, hashes = held([b"x"] * 2500)
    assert admit([branch], 2501, bytes(32), [b"y"], hashes) == Gap(1501)
    assert admit([branch], 1, bytes(32), [b"y"], hashes) == HeadMismatch()


def told(stream: str, accepted: int, parent: Parent | None = None) -> StreamHead:
    return StreamHead(stream, Lane.BULK, 9, "", accepted, parent=parent)


def test_a_till_that_was_told_of_more_shows_that_the_books_are_old() -> None:
    """Its stream is held no further than before, or its closed stream that it no longer declares is not held whole."""
    marks = {"old": 7, "new": 3}

    def held(stream: str) -> int:
        return marks.get(stream, 0)

    assert not went_back([told("new", 3, Parent("old", 7, ""))], held)
    assert went_back([told("new", 4, Parent("old", 7, ""))], held)
    assert went_back([told("new", 0, Parent("old", 8, ""))], held)
    assert not went_back([told("old", 6), told("new", 0, Parent("old", 8, ""))], held)
    assert went_back([told("never held", 1)], held)
