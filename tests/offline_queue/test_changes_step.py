"""The feed of changes in the core of the protocol: when it is read, what of it counts, and what never waits for it."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline_queue.entry import Lane
from offline_queue.failing import failed
from offline_queue.hearing import heard
from offline_queue.next_step import begin, next_step
from offline_queue.steps import FetchChanges, Moment, Rest, SayHello, SendRecords, Silence, SyncState, TakeChanges
from offline_queue.wire import Problem, StreamHead, Welcome
from offline_queue.wire_feeds import CardChange, Change, Changes

NOW = Moment(1000, 0.5)
READY = SyncState(generation="g1", greeted=True, hello_due_ms=10**9)
HEAD = StreamHead("b", Lane.BULK, 10, "00", 0)
replace = msgspec.structs.replace


def blocked(n: int) -> Change:
    return Change(n, card=CardChange(f"card-{n}", "blocked"))


def page(*numbers: int, following: int | None = None, more: bool = False, generation: str = "g1") -> Changes:
    last = numbers[-1] if numbers else 0
    return Changes("r1", generation, [blocked(n) for n in numbers], last if following is None else following, more)


def asking(after: int, end: int = 9) -> SyncState:
    state = replace(READY, changes_end=end)
    step = next_step(state, [], 0, NOW.now_ms, after)
    assert step == FetchChanges(after)
    return begin(state, step, "r1", [])


def test_a_till_that_is_behind_reads_the_changes_before_it_sends() -> None:
    """A blocked card is refused at once, however long the backlog."""
    assert next_step(replace(READY, changes_end=5), [HEAD], 0, 0, 4) == FetchChanges(4)
    assert next_step(replace(READY, changes_end=5), [HEAD], 0, 0, 5) == SendRecords("b", 1, 10)


def test_the_welcome_tells_the_end_of_the_feed() -> None:
    """Of a ledger that knows no changes nothing is asked."""
    greeting = begin(replace(READY, greeted=False), SayHello(everything=False), "r1", [])
    for end in (0, 7):
        answer = Welcome("r1", 1, "g1", {}, "2026-01-01T00:00:00.000Z", 30, changes=end)
        state = replace(heard(greeting, answer, NOW).state, feed_due=False)
        step = next_step(state, [], 0, NOW.now_ms, 0)
        assert isinstance(step, FetchChanges if end else Rest)


def test_a_page_is_taken_with_its_cursor_and_the_next_one_asked_for() -> None:
    """While there are more; the last page ends it, whatever the welcome said."""
    outcome = heard(asking(3), page(4, 6, more=True), NOW)
    assert outcome.effects == (TakeChanges(3, [blocked(4), blocked(6)], 6, "g1", more=True),)
    assert next_step(outcome.state, [HEAD], 0, NOW.now_ms, 6) == FetchChanges(6)
    last = heard(begin(outcome.state, FetchChanges(6), "r1", []), page(7), NOW)
    assert isinstance(next_step(last.state, [], 0, NOW.now_ms, 7), Rest)


@pytest.mark.parametrize(
    "nonsense",
    [
        page(3),
        page(5, 4),
        page(4, 4),
        page(4, following=3),
        page(following=3, more=True),
        page(4, generation="g2"),
        msgspec.structs.replace(page(4), request="of another"),
    ],
)
def test_nonsense_in_the_feed_is_silence(nonsense: Changes) -> None:
    """Nothing of such a page is taken."""
    outcome = heard(asking(3), nonsense, NOW)
    assert not outcome.ok
    assert outcome.effects == ()


@pytest.mark.parametrize("cause", [Silence(reached=True), Problem("no", 500, "internal"), Problem("no", 404, "none")])
def test_a_feed_that_fails_holds_up_no_record(cause: Silence | Problem) -> None:
    """It is asked for again when nothing else is due."""
    state = failed(asking(3), cause, NOW).state
    state = replace(state, greeted=True, hello_due_ms=10**9, backoff=replace(state.backoff, next_attempt_ms=0))
    assert next_step(state, [HEAD], 0, NOW.now_ms, 3) == SendRecords("b", 1, 10)
    assert next_step(state, [], 0, NOW.now_ms, 3) == FetchChanges(3)
    mended = heard(begin(state, FetchChanges(3), "r1", []), page(4, more=True), NOW).state
    assert next_step(mended, [HEAD], 0, NOW.now_ms, 4) == FetchChanges(4)


@given(
    st.lists(
        st.one_of(
            st.builds(lambda numbers, more: page(*numbers, more=more), st.lists(st.integers(0, 9)), st.booleans()),
            st.builds(lambda reached: Silence(reached=reached), st.booleans()),
        ),
        max_size=12,
    )
)
@settings(max_examples=100)
def test_the_cursor_only_goes_on(answers: list[Changes | Silence]) -> None:
    """Whatever a ledger says, what was taken over follows what was taken before."""
    state, taken = replace(READY, changes_end=9), 0
    for answer in answers:
        state = replace(state, greeted=True, hello_due_ms=10**9, backoff=replace(state.backoff, next_attempt_ms=0))
        step = next_step(state, [], 0, NOW.now_ms, taken)
        if isinstance(step, Rest):
            break
        assert step == FetchChanges(taken)
        flying = begin(state, step, "r1", [])
        outcome = heard(flying, answer, NOW) if isinstance(answer, Changes) else failed(flying, answer, NOW)
        for effect in outcome.effects:
            assert isinstance(effect, TakeChanges)
            assert effect.after == taken <= effect.cursor
            taken = effect.cursor
        state = outcome.state
