"""What a welcome changes: marks, rewinds, waits, what is asked next and what a technician reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.backoff import Backoff
from offline_queue.entry import Lane
from offline_queue.failing import failed
from offline_queue.hearing import heard
from offline_queue.next_step import begin, hasten, next_step
from offline_queue.steps import FetchDecisions, MarkStreams, Moment, Rest, SayHello, SendRecords, Suspect, SyncState
from offline_queue.wire import Marks, Order, OrderCode, Problem, ProblemCode, StreamHead, Welcome
from tests.offline_queue.test_protocol_core import NOW, READY, custody, flying, head, replace, welcome


def greeting(state: SyncState, *heads: StreamHead, everything: bool = False) -> SyncState:
    return begin(state, SayHello(everything=everything), "r1", heads)


def greeted(state: SyncState, answer: Welcome, *heads: StreamHead, everything: bool = False) -> SyncState:
    return heard(greeting(state, *heads, everything=everything), answer, NOW).state


def test_a_welcome_moves_marks_as_custody_does() -> None:
    """Its answer was lost, but the ledger has the records: they are not sent again, and backups count from here."""
    heads = head("b", accepted=3), head("u", accepted=2, seq=5, lane=Lane.URGENT)
    outcome = heard(greeting(READY, *heads), welcome({"b": Marks(9, 4), "u": Marks(2, 2)}), NOW)
    assert outcome.effects == (MarkStreams({"b": Marks(9, 4), "u": Marks(2, 2)}, "g1"),)


def test_a_new_generation_is_remembered_also_without_a_stream() -> None:
    """The feed of decisions begins anew with it; a welcome that tells nothing new writes nothing."""
    assert heard(greeting(READY, everything=True), welcome({}, "g2"), NOW).effects == (MarkStreams({}, "g2", True),)
    outcome = heard(greeting(READY), welcome({}), NOW)
    assert (outcome.effects, outcome.ok) == ((), True)


def test_a_welcome_makes_decisions_due() -> None:
    """What was decided while the till was away is heard before it rests."""
    assert next_step(greeted(READY, welcome({})), [], 4, NOW.now_ms) == FetchDecisions(4)


def test_a_ledger_that_answers_ends_the_growing_waits() -> None:
    """The outage is over, and the next one begins with a short wait."""
    failing = replace(READY, backoff=Backoff(failures=9, outage_since_ms=0, budget=7.0))
    assert greeted(failing, welcome({})).backoff == Backoff(budget=7.5)


def test_an_order_to_wait_ends_with_a_welcome_while_a_batch_keeps_failing() -> None:
    """The ledger that named a wait has answered since; what comes back elsewhere may shorten the next one."""
    failing = replace(READY, backoff=Backoff(failures=2, outage_since_ms=0, ordered=True), suspect=Suspect("b", 1, 2))
    told = greeted(failing, welcome({}))
    assert told.backoff == Backoff(failures=2, outage_since_ms=0, ordered=False)
    assert told.suspect == Suspect("b", 1, 2)


@given(st.floats(0, 1, exclude_max=True))
def test_tills_that_were_given_the_same_rest_come_back_apart(chance: float) -> None:
    """Within a tenth around what was ordered, or a shop's tills would knock together for ever."""
    told = heard(greeting(READY), welcome({}, rest=100), Moment(0, chance)).state
    assert told.hello_due_ms == pytest.approx(90_000 + 20_000 * chance, abs=1)


def test_a_new_generation_is_declared_everything_at_once() -> None:
    """Also by a till that had been greeted before: it says nothing else until that is done, and does it once."""
    told = greeted(READY, welcome({}, "g2"))
    assert next_step(told, [head()], 0, NOW.now_ms) == SayHello(everything=True)
    adopted = greeted(told, welcome({}, "g2"), everything=True)
    assert next_step(hasten(adopted, NOW.now_ms), [head()], 0, NOW.now_ms) == SayHello(everything=False)


def test_a_generation_takes_no_rewinds_over() -> None:
    """What the old books lacked says nothing of the restored ones: their marks do."""
    rewinding = replace(READY, rewinds={"b": 3, "gone": 7})
    assert greeted(rewinding, welcome({"b": Marks(5, 5)}, "g2"), head(accepted=9), everything=True).rewinds == {}


def test_a_welcome_speaks_only_of_the_streams_it_names() -> None:
    """A lower mark rewinds its stream, a mark as it should be ends a rewind, and others stay as they were."""
    heads = [head(uid, accepted=7) for uid in ("lower", "right", "unnamed")]
    rewinding = replace(READY, rewinds={"lower": 6, "right": 4, "unnamed": 2})
    told = greeted(rewinding, welcome({"lower": Marks(2, 2), "right": Marks(7, 7)}), *heads)
    assert told.rewinds == {"lower": 3, "unnamed": 2}


def test_a_welcome_does_not_call_back_a_stream_that_went_astray() -> None:
    """Its mark says how far some future of the stream is held; that ours did not follow it is known better."""
    flight = flying(READY, [head(accepted=7)])
    refused = Problem("no", 409, ProblemCode.GAP, request="r1", expected=1)
    gone_back = replace(failed(flight, refused, NOW).state, backoff=Backoff())
    told = greeted(gone_back, welcome({"b": Marks(7, 0)}), head(accepted=7))
    assert next_step(replace(told, feed_due=False), [head(accepted=7)], 0, NOW.now_ms) == SendRecords("b", 1, 10)
    found = heard(flying(told, [head(accepted=7)]), custody(10), NOW).state
    assert (found.rewinds, found.astray) == ({}, frozenset())


def test_books_that_recover_are_greeted_again_when_all_is_delivered() -> None:
    """Until then they cannot confirm a right; the welcome alone is no reason to ask at once."""
    told = replace(greeted(READY, replace(welcome({}), recovering=True), head()), feed_due=False)
    assert isinstance(next_step(told, [], 0, NOW.now_ms), Rest)
    sent = replace(heard(flying(told, [head()]), custody(10), NOW).state, feed_due=False)
    assert next_step(sent, [], 0, NOW.now_ms) == SayHello(everything=False)


def test_a_technician_reads_what_the_ledger_found_until_it_says_otherwise() -> None:
    """Orders are those of the last welcome, whole."""
    order = Order(OrderCode.FORK, "two machines work as one")
    told = greeted(READY, replace(welcome({}), orders=[order]))
    assert told.orders == (order,)
    assert greeted(told, welcome({})).orders == ()


def test_findings_about_the_ledger_stay_and_the_newest_is_told_first() -> None:
    """Each kind once, in its newest words; a till's first ledger ever is no restored one."""
    assert greeted(SyncState(), welcome({}), everything=True).findings == ()
    lost = greeted(READY, welcome({"b": Marks(4, 4)}), head(accepted=7))
    assert [found.code for found in lost.findings] == [OrderCode.CUSTODY_BROKEN]
    assert "lost 3 records" in lost.findings[0].detail
    assert greeted(lost, welcome({"b": Marks(7, 7)}), head(accepted=7)).findings == lost.findings
    again = greeted(lost, welcome({"b": Marks(2, 2)}), head(accepted=7))
    assert ["lost 5 records" in found.detail for found in again.findings] == [True]
    restored = greeted(again, welcome({"b": Marks(2, 2)}, "g2"), head(accepted=7), everything=True)
    assert [found.code for found in restored.findings] == [OrderCode.LEDGER_RESTORED, OrderCode.CUSTODY_BROKEN]


def test_the_key_of_the_first_welcome_is_kept_and_another_is_an_alarm() -> None:
    """Nothing is taken from a ledger with another key: no mark moves, and the till stays unhappy until people look."""
    first = heard(greeting(READY, head()), replace(welcome({"b": Marks(4, 4)}), ledger_key="KEY"), NOW)
    assert [type(effect).__name__ for effect in first.effects] == ["PinLedgerKey", "MarkStreams"]
    for other in ("OTHER", None):
        outcome = heard(greeting(first.state, head()), replace(welcome({"b": Marks(9, 9)}), ledger_key=other), NOW)
        assert (outcome.effects, outcome.ok, outcome.state.alarm) == ((), False, "ledger_key")
        assert outcome.state.ledger_key == "KEY"


@given(st.integers(-5, 20), st.integers(-5, 20), st.integers(0, 10))
def test_no_welcome_moves_a_mark_beyond_what_the_till_has(accepted: int, stable: int, had: int) -> None:
    """Nor is more backed up than accepted, nor does a mark fall within a generation."""
    outcome = heard(greeting(READY, head(accepted=had)), welcome({"b": Marks(accepted, stable)}), NOW)
    for effect in outcome.effects:
        assert isinstance(effect, MarkStreams)
        mark = effect.marks["b"]
        assert had <= mark.accepted <= 10
        assert 0 <= mark.stable <= mark.accepted
