"""What fails, and what that must not hold up: whose fault it is, where to go on, and who goes first meanwhile."""

import pytest

from offline_queue.backoff import Backoff
from offline_queue.entry import Lane
from offline_queue.failing import failed
from offline_queue.hearing import heard
from offline_queue.next_step import BATCHES_PER_FEED, begin, next_step
from offline_queue.steps import FetchDecisions, MarkStreams, SayHello, SendRecords, Silence, Suspect, SyncState
from offline_queue.wire import BatchAnswer, Marks, ProblemCode, StreamHead
from tests.offline_queue.test_protocol_core import (
    NOW,
    READY,
    custody,
    fail_repeatedly,
    flying,
    head,
    refused,
    replace,
    welcome,
)


def ready_again(state: SyncState) -> SyncState:
    """After the wait, and a hello that the ledger answered."""
    return replace(state, greeted=True, backoff=replace(state.backoff, next_attempt_ms=0))


@pytest.mark.parametrize("nonsense", [custody(10, request="another"), custody(10, stream="other")])
def test_answers_that_make_no_sense_are_held_against_the_batch(nonsense: BatchAnswer) -> None:
    """Something answers in the ledger's place whenever this batch is sent: it is tried in smaller pieces."""
    state, heads = READY, [head(seq=100)]
    for _ in range(3):
        state = ready_again(heard(flying(state, heads), nonsense, NOW).state)
    assert next_step(state, heads, 0, NOW.now_ms) == SendRecords("b", 1, 50)


def test_another_generation_in_an_answer_is_held_against_no_record() -> None:
    """The ledger was restored under the batch: the till says hello and hears of it."""
    state, heads = READY, [head(seq=100)]
    for _ in range(9):
        state = ready_again(heard(flying(state, heads), custody(10, generation="g2"), NOW).state)
        state = ready_again(failed(flying(state, heads), refused(ProblemCode.GENERATION), NOW).state)
    assert (state.suspect, state.batch) == (None, 100)


def test_who_was_turned_away_at_the_hello_says_hello_again() -> None:
    """It has not heard the ledger's marks yet."""
    hello = begin(replace(READY, greeted=False), SayHello(everything=False), "r1", [head()])
    state = failed(hello, Silence(reached=False, retry_after_s=2.0), NOW).state
    assert next_step(state, [head()], 0, NOW.now_ms + 60_000) == SayHello(everything=False)


def test_a_ledger_that_fails_with_a_wait_is_greeted_again() -> None:
    """It looked at the request and failed (500 with Retry-After): what it told before may hold no more."""
    state = failed(flying(READY, [head()]), Silence(reached=True, retry_after_s=2.0), NOW).state
    assert next_step(state, [head()], 0, NOW.now_ms + 60_000) == SayHello(everything=False)


def test_a_feed_that_cannot_be_read_holds_up_no_backlog() -> None:
    """Points go first: the decisions are asked for again after as many batches as ever."""
    due = replace(READY, feed_due=True, batches_since_feed=BATCHES_PER_FEED)
    state = ready_again(failed(begin(due, FetchDecisions(3), "r1", []), Silence(reached=True), NOW).state)
    for sent in range(BATCHES_PER_FEED):
        heads = [head(accepted=sent, seq=50)]
        assert isinstance(next_step(state, heads, 3, NOW.now_ms), SendRecords)
        state = heard(flying(state, heads), custody(sent + 1), NOW).state
    assert next_step(state, [head(accepted=20, seq=50)], 3, NOW.now_ms) == FetchDecisions(3)


def test_a_ledger_that_lost_a_whole_stream_gets_it_from_its_first_record() -> None:
    """But what it expects already, or beyond, is no gap."""
    heads = [head(accepted=7)]
    for expected, first in ((1, 1), (7, 7), (8, 8), (9, 8)):
        state = ready_again(failed(flying(READY, heads), refused(ProblemCode.GAP, expected=expected), NOW).state)
        assert next_step(state, heads, 0, NOW.now_ms) == SendRecords("b", first, 10 - first + 1)
        assert (state.suspect is None) == (expected < 8), "a gap that is none is the batch's failure"


def test_a_ledger_that_took_nothing_says_where_to_go_on() -> None:
    """Its mark is below what was sent: the till goes back to it, as after a gap, and no record is to blame."""
    heads = [head(accepted=7)]
    state = ready_again(heard(flying(READY, heads), custody(3), NOW).state)
    assert (next_step(state, heads, 0, NOW.now_ms), state.suspect) == (SendRecords("b", 4, 7), None)


def test_a_stream_that_went_back_goes_on_where_it_was() -> None:
    """When the ledger holds again exactly what it had accepted, the rewind is over."""
    outcome = heard(flying(replace(READY, rewinds={"b": 4}, batch=4), [head(accepted=7)]), custody(7), NOW)
    assert (outcome.state.rewinds, outcome.effects) == ({}, (MarkStreams({"b": Marks(7, 0)}, "g1"),))


def test_custody_ends_the_growing_waits() -> None:
    """And the request is answered: the next failure begins with a short wait again."""
    failing = replace(READY, backoff=Backoff(failures=9, outage_since_ms=0, budget=7.0))
    state = heard(flying(failing, [head()]), custody(10), NOW).state
    assert (state.backoff, state.outstanding) == (Backoff(budget=7.5), None)


def test_each_stream_goes_back_by_itself() -> None:
    """A gap in one does not forget the gap in another; custody ends only its own."""
    heads = [head("u", accepted=5, lane=Lane.URGENT), head("b", accepted=7)]
    state = replace(READY, rewinds={"b": 2})
    state = ready_again(failed(flying(state, heads), refused(ProblemCode.GAP, expected=3), NOW).state)
    assert state.rewinds == {"b": 2, "u": 3}
    state = heard(flying(state, heads), custody(10, stream="u"), NOW).state
    assert state.rewinds == {"b": 2}


def test_a_batch_that_failed_once_keeps_its_turn() -> None:
    """Redemptions still go before a day of earns; only a record that nothing carries steps aside."""
    heads: list[StreamHead] = [head("u", lane=Lane.URGENT), head("b")]
    state = fail_repeatedly(READY, heads, Silence(reached=True), 1)
    assert state.suspect == Suspect("u", 1, 1)
    assert next_step(state, heads, 0, NOW.now_ms) == SendRecords("u", 1, 10)


def test_failures_count_only_for_the_batch_that_failed() -> None:
    """Two failures of one place and one of another halve nothing."""
    state = fail_repeatedly(READY, [head(seq=100)], Silence(reached=True), 2)
    state = fail_repeatedly(state, [head(accepted=40, seq=100)], Silence(reached=True), 1)
    assert (state.suspect, state.batch) == (Suspect("b", 41, 1), 100)
    state = fail_repeatedly(state, [head("u", accepted=40, seq=100, lane=Lane.URGENT)], Silence(reached=True), 2)
    assert (state.suspect, state.batch) == (Suspect("u", 41, 2), 100)


def test_custody_of_another_stream_does_not_clear_a_suspect() -> None:
    """The poison record is still there; custody of its own stream shows that it is not."""
    state = replace(READY, suspect=Suspect("b", 1, 2))
    heads = [head("u", lane=Lane.URGENT), head("b")]
    assert heard(flying(state, heads), custody(10, stream="u"), NOW).state.suspect == Suspect("b", 1, 2)
    assert heard(flying(state, heads[1:]), custody(10), NOW).state.suspect is None


def test_an_alarm_stays_until_the_ledger_welcomes_the_till() -> None:
    """Silence does not clear it: nobody has mended anything yet."""
    state = failed(flying(READY, [head()]), refused(ProblemCode.TERMINAL_UNKNOWN, 401), NOW).state
    for cause in (Silence(reached=False), Silence(reached=True)):
        state = failed(begin(state, SayHello(everything=False), "r1", []), cause, NOW).state
        assert state.alarm == "terminal_unknown"
    hello = begin(state, SayHello(everything=False), "r1", [])
    assert heard(hello, welcome({}), NOW).state.alarm is None
