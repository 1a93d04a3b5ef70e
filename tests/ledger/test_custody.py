"""Where a batch belongs: it follows, overlaps, leaves a gap, or is another future."""

from collections.abc import Callable
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from ledger.rules.custody import Branch, Fork, Gap, HeadMismatch, Held, admit, marks_for, went_back
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


Books = tuple[list[Branch], Callable[[Branch, int, int], list[bytes]]]


def grown(*streams: list[bytes]) -> Books:
    """Branches with these records, each whole from its first on, and the way to look up their hashes."""
    chains = [hashes_of(stream) for stream in streams]
    branches = [Branch(no, len(chained) - 1, chained[-1]) for no, chained in enumerate(chains)]
    return branches, lambda branch, first, last: chains[branch.no][first : min(last, branch.mark) + 1]


def test_a_batch_goes_to_the_branch_that_it_follows() -> None:
    """Where it is wholly at home, though another shares more with it in number; and whichever came first."""
    past = [b"1", b"2", b"3"]
    ours, theirs = [*past, b"a"], [*past, b"b", b"c"]
    for streams in ((ours, theirs), (theirs, ours)):
        branches, hashes = grown(*streams)
        sent = [*ours, b"new"]
        place = admit(branches, 4, hashes_of(sent)[-1], sent[3:], hashes)
        assert isinstance(place, Held)
        assert (place.branch.no, place.known) == (streams.index(ours), 1)


def test_a_batch_that_simply_follows_grows_no_branch() -> None:
    """Though another branch holds some of its records already: a till that goes on is no second future."""
    past = [b"1", b"2", b"3"]
    for streams in ((past, [*past, b"4", b"y"]), ([*past, b"4", b"y"], past)):
        branches, hashes = grown(*streams)
        sent = [b"4", b"5"]
        place = admit(branches, 4, hashes_of([*past, *sent])[-1], sent, hashes)
        assert isinstance(place, Held)
        assert (place.branch.no, place.known) == (streams.index(past), 0)


def test_a_third_future_grows_from_the_branch_that_it_shares_most_with() -> None:
    """So the records that two tills have in common are kept once."""
    branches, hashes = grown([b"1", b"x"], [b"1", b"2", b"y", b"z"])
    sent = [b"1", b"2", b"3", b"4"]
    found = admit(branches, 1, hashes_of(sent)[-1], sent, hashes)
    assert isinstance(found, Fork)
    assert (found.branch.no, found.known) == (1, 2)


def test_a_gap_is_told_by_the_longest_branch() -> None:
    """Of a stream that is not held at all the first record is wanted."""
    branches, hashes = grown([b"1"], [b"1", b"2", b"3"])
    assert admit(branches, 9, bytes(32), [b"x"], hashes) == Gap(4)
    assert admit([], 9, bytes(32), [b"x"], hashes) == Gap(1)


@given(records, st.lists(records, min_size=1, max_size=3), records, st.data())
def test_no_till_is_told_of_custody_that_there_is_not(
    past: list[bytes], futures: list[list[bytes]], unsent: list[bytes], data: st.DataObject
) -> None:
    """Each record up to the mark that it is told is held as the till has it, whoever else continued its stream.

    The till remembers no more than it was told before. One whose stream is held whole hears that.
    """
    streams = list(dict.fromkeys(tuple(past + future) for future in futures))
    branches, hashes = grown(*map(list, streams))
    own = list(data.draw(st.sampled_from(streams)))
    till = own + (unsent if data.draw(st.booleans()) else [])
    till = till[: data.draw(st.integers(len(past), len(till)))]
    accepted = data.draw(st.integers(0, min(len(past), len(till))))
    chained = hashes_of(till)
    mark = marks_for(branches, len(till), chained[-1], accepted, lambda branch, seq: hashes(branch, seq, seq)[0])
    assert 0 <= mark <= len(till)
    if mark:
        assert any(hashes(branch, mark, mark) == [chained[mark]] for branch in branches if branch.mark >= mark)
    if any(branch.mark >= len(till) and hashes(branch, len(till), len(till)) == [chained[-1]] for branch in branches):
        assert mark == len(till)
    elif len(branches) == 1:
        assert mark == branches[0].mark
    else:
        assert mark == min(accepted, *(branch.mark for branch in branches))


def test_books_without_the_stream_hold_nothing_of_it() -> None:
    """Whatever the till was told: they were restored, or the stream is new."""
    assert marks_for([], 9, bytes(32), 7, lambda *_: None) == 0


def test_a_till_that_was_put_back_is_told_what_it_shares_with_the_books() -> None:
    """Its last record is not the one held at that place: only what it was told before is sure to be its own."""
    branches, hashes = grown([b"1", b"2", b"3", b"4"])
    other = hashes_of([b"1", b"2", b"x"])
    assert marks_for(branches, 3, other[-1], 2, lambda branch, seq: hashes(branch, seq, seq)[0]) == 2


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
