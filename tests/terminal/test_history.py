"""The arithmetic of the last days: nothing is lost in sums, nothing grows, and no clock breaks it."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.history.buckets import CAPACITY, STEP_S, Bucket, Reads, Waits, added, put, start_of, window
from terminal.history.shapes import history
from terminal.history.waiting import BOUNDS_S, Latencies, Taken, Waiting

COUNTS = st.integers(0, 10_000)
READS = st.builds(Reads, COUNTS, COUNTS, COUNTS)
WAITS = st.builds(Waits, COUNTS, COUNTS, COUNTS)
STARTS = st.integers(-3, 40).map(lambda n: n * STEP_S)
BUCKETS = st.builds(Bucket, STARTS, COUNTS, WAITS, st.dictionaries(st.sampled_from(["qr", "nfc"]), READS))


def total(buckets: Sequence[Bucket]) -> Bucket:
    whole = Bucket(0)
    for bucket in buckets:
        whole = added(whole, bucket)
    return whole


@given(BUCKETS, BUCKETS, BUCKETS)
@settings(max_examples=60)
def test_adding_knows_no_order(one: Bucket, two: Bucket, three: Bucket) -> None:
    """A bucket that two starts of the till have written, in whatever order, is the same bucket."""
    assert added(added(Bucket(0), one), two) == added(added(Bucket(0), two), one)
    assert added(one, added(two, three)) == added(added(one, two), three)


@given(st.lists(BUCKETS, max_size=30), st.integers(1, 6))
@settings(max_examples=60)
def test_a_coarser_view_has_the_same_sums(lines: list[Bucket], steps: int) -> None:
    """Whoever looks at hours sees every card that whoever looks at minutes sees."""
    kept: dict[int, Bucket] = {}
    for line in lines:
        put(kept, line)
    now_s, step_s = 41 * STEP_S, steps * STEP_S
    seen = window(kept.values(), now_s, 60 * STEP_S, step_s)
    assert total(seen) == total(lines)
    assert all(bucket.start % step_s == 0 for bucket in seen)
    assert all(one.start < two.start for one, two in pairwise(seen))


@given(st.lists(st.integers(-(2**40), 2**40), max_size=60))
@settings(max_examples=60)
def test_a_clock_that_jumps_anywhere_costs_no_room(jumps: list[int]) -> None:
    """The clock of a till without a battery says 1970, then today, then 2038: the newest lines stay, in bounds."""
    kept: dict[int, Bucket] = {}
    for at in jumps:
        put(kept, Bucket(start_of(at), queue=1), capacity=10)
    assert len(kept) <= 10
    if jumps:
        assert start_of(jumps[-1]) in kept or start_of(jumps[-1]) in [start_of(at) for at in jumps[:-1]]
    assert all(
        -STEP_S < bucket.start - at < STEP_S for at in jumps for bucket in window(kept.values(), at, STEP_S, STEP_S)
    )


def test_a_week_is_kept_and_not_more() -> None:
    """The oldest five minutes make room for the newest."""
    kept: dict[int, Bucket] = {}
    for n in range(CAPACITY + 5):
        put(kept, Bucket(n * STEP_S))
    assert (len(kept), min(kept)) == (CAPACITY, 5 * STEP_S)


def test_a_stretch_says_what_is_known_and_no_more() -> None:
    """Without a card there is no success rate, without an entry no latency."""
    told = history([Bucket(0, 3, Waits(2, 500, 400), {"qr": Reads(3, 1, 0)}), Bucket(300)], 600, 1, 300)
    busy, idle = told.stretches
    assert (busy.start, busy.taken, busy.latency_mean_s, busy.latency_most_s) == (
        "1970-01-01T00:00:00.000Z",
        2,
        0.25,
        0.4,
    )
    assert busy.readers["qr"].success == 0.75
    assert (idle.latency_mean_s, idle.latency_most_s, idle.readers) == (None, None, {})


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 12)), max_size=80), st.integers(1, 8))
@settings(max_examples=60)
def test_every_entry_leaves_once_and_waits_at_least_its_time(steps: list[tuple[int, int]], most_groups: int) -> None:
    """Against a plain list of times: counts are exact, waits are never told shorter, memory is bounded."""
    waiting, plain, now_ms = Waiting(most_groups), list[int](), 0
    for pause_ms, left in steps:
        now_ms += pause_ms
        waiting.recorded(now_ms)
        plain.append(now_ms)
        coarse_ms = waiting.width_ms
        gone = [now_ms - plain.pop(0) for _ in range(len(plain) - left)]
        told = [one.wait_ms for one in waiting.left(left, now_ms) for _ in range(one.count)]
        assert len(told) == len(gone)
        assert all(real <= said < real + 2 * coarse_ms for real, said in zip(gone, told, strict=True))
        assert waiting.count == len(plain)
        assert len(waiting._groups) <= most_groups


def test_more_queued_than_were_seen_is_no_surprise() -> None:
    """What an earlier start has left in the queue is not counted as taken, nor waited for."""
    waiting = Waiting()
    waiting.recorded(0)
    assert waiting.left(7, 50) == []
    assert waiting.left(0, 90) == [Taken(90, 1)]


@given(st.lists(st.builds(Taken, st.integers(0, 10**9), st.integers(1, 50)), max_size=20))
@settings(max_examples=40)
def test_the_histogram_counts_each_entry_in_one_place(taken: list[Taken]) -> None:
    """As Prometheus wants it: a wait of exactly a bound is within it."""
    told = Latencies().plus(taken)
    assert sum(told.counts) == sum(one.count for one in taken)
    for bound, upto in zip(BOUNDS_S, range(1, len(BOUNDS_S) + 1), strict=True):
        assert sum(told.counts[:upto]) == sum(one.count for one in taken if one.wait_ms <= bound * 1000)
