"""The core of the protocol, rule by rule (docs/protocol.md)."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline_queue.backoff import Backoff, reachable_again
from offline_queue.entry import Lane, State
from offline_queue.failing import failed
from offline_queue.hearing import heard
from offline_queue.next_step import BATCHES_PER_FEED, begin, hasten, next_step
from offline_queue.steps import (
    FetchDecisions,
    MarkStreams,
    Moment,
    Outcome,
    ParkRecord,
    Rest,
    SayHello,
    SendRecords,
    Silence,
    Suspect,
    SyncState,
    TakeDecisions,
)
from offline_queue.wire import BatchAnswer, Marks, Problem, ProblemCode, StreamHead, Welcome
from offline_queue.wire_feeds import Decisions, Verdict

NOW = Moment(1000, 0.5)
READY = SyncState(generation="g1", greeted=True, hello_due_ms=10**9, batch=100)
replace = msgspec.structs.replace


def head(stream: str = "b", accepted: int = 0, seq: int = 10, lane: Lane = Lane.BULK) -> StreamHead:
    return StreamHead(stream, lane, seq, "00", accepted)


def flying(state: SyncState, heads: Sequence[StreamHead], request: str = "r1") -> SyncState:
    step = next_step(state, heads, 0, NOW.now_ms)
    assert not isinstance(step, Rest)
    return begin(state, step, request, heads)


def custody(accepted: int, stream: str = "b", request: str = "r1", generation: str = "g1") -> BatchAnswer:
    return BatchAnswer(request, stream, generation, accepted, 0)


def welcome(streams: dict[str, Marks], generation: str = "g1", protocol: int = 1, rest: float = 60) -> Welcome:
    return Welcome("r1", protocol, generation, streams, "2026-01-01T00:00:00.000Z", rest)


def refused(code: ProblemCode, status: int = 409, **more: int | str) -> Problem:
    return msgspec.convert({"title": "no", "status": status, "code": code, **more}, Problem)


def fail_repeatedly(state: SyncState, heads: Sequence[StreamHead], cause: Silence | Problem, times: int) -> SyncState:
    """As it goes in life: every failure is followed by a hello that the ledger answers."""
    for _ in range(times):
        state = failed(flying(state, heads), cause, NOW).state
        state = replace(state, greeted=True, backoff=replace(state.backoff, next_attempt_ms=0))
    return state


def test_hello_comes_first() -> None:
    """Before anything else a till says hello; the first time with every stream it ever had."""
    assert next_step(SyncState(), [head()], 0, 0) == SayHello(everything=True)
    assert next_step(SyncState(generation="g1"), [head()], 0, 0) == SayHello(everything=False)


def test_urgent_lane_goes_first_and_older_streams_before_newer() -> None:
    """A backlog of earns never delays a redemption; within a lane the oldest stream is sent first."""
    heads = [head("b1"), head("u1", lane=Lane.URGENT), head("u2", lane=Lane.URGENT)]
    assert next_step(READY, heads, 0, 0) == SendRecords("u1", 1, 10)
    assert next_step(READY, [heads[0], head("b2")], 0, 0) == SendRecords("b1", 1, 10)


def test_batch_starts_after_the_mark_and_keeps_to_its_size() -> None:
    """What the ledger holds is not sent again, and no batch is larger than agreed."""
    assert next_step(READY, [head(accepted=7, seq=500)], 0, 0) == SendRecords("b", 8, 100)


def test_custody_moves_the_mark() -> None:
    """An answer that counts becomes a durable mark, and decisions are due."""
    outcome = heard(flying(READY, [head()]), custody(10), NOW)
    assert outcome.effects == (MarkStreams({"b": Marks(10, 0)}, "g1"),)
    assert next_step(outcome.state, [head(accepted=10)], 5, NOW.now_ms) == FetchDecisions(5)


@pytest.mark.parametrize(
    "answer",
    [custody(10, request="another"), custody(10, stream="other"), custody(10, generation="g2"), welcome({})],
)
def test_only_the_answer_to_the_outstanding_request_counts(answer: BatchAnswer | Welcome) -> None:
    """A late, foreign or mixed-up answer moves nothing: it is silence."""
    outcome = heard(flying(READY, [head()]), answer, NOW)
    assert (outcome.effects, outcome.ok) == ((), False)
    assert outcome.state.outstanding is None
    assert not outcome.state.greeted


def test_answer_without_a_question_changes_nothing_durable() -> None:
    """Nothing is outstanding, so nothing can be answered."""
    assert heard(READY, custody(10), NOW).effects == ()


def test_gap_rewinds_to_what_the_ledger_expects() -> None:
    """The ledger's mark is the only truth about what it holds, even if it had accepted more."""
    heads = [head(accepted=7)]
    state = failed(flying(READY, heads), refused(ProblemCode.GAP, expected=3), NOW).state
    state = replace(state, greeted=True, backoff=Backoff())
    assert next_step(state, heads, 0, 0) == SendRecords("b", 3, 8)
    outcome = heard(flying(state, heads), custody(5), NOW)
    assert outcome.effects == ()
    assert next_step(replace(outcome.state, feed_due=False), heads, 0, NOW.now_ms) == SendRecords("b", 6, 5)


@pytest.mark.parametrize("expected", [0, -1, 9, 10**9])
def test_absurd_gap_is_not_followed(expected: int) -> None:
    """A gap that would skip records, or asks for none of ours, does not move the till."""
    heads = [head(accepted=7)]
    state = failed(flying(READY, heads), refused(ProblemCode.GAP, expected=expected), NOW).state
    assert state.rewinds == {}


def test_new_generation_is_adopted_only_after_everything_was_declared() -> None:
    """A restored ledger hears of every stream, then marks may go down and the feed starts anew."""
    heads = [head(accepted=7)]
    hello = begin(replace(READY, greeted=False), SayHello(everything=False), "r1", heads)
    first = heard(hello, welcome({"b": Marks(3, 3)}, "g2"), NOW)
    assert first.effects == ()
    assert next_step(first.state, heads, 9, NOW.now_ms) == SayHello(everything=True)
    second = heard(flying(first.state, heads), welcome({"b": Marks(3, 3)}, "g2"), NOW)
    assert second.effects == (MarkStreams({"b": Marks(3, 3)}, "g2", renewed=True),)
    assert second.state.generation == "g2"


def test_restored_ledger_that_lost_a_stream_gets_it_whole() -> None:
    """A stream that a new generation does not name counts as not held at all."""
    hello = begin(SyncState(generation="g1"), SayHello(everything=True), "r1", [head(accepted=7)])
    outcome = heard(hello, welcome({}, "g2"), NOW)
    assert outcome.effects == (MarkStreams({"b": Marks(0, 0)}, "g2", renewed=True),)


def test_marks_never_go_down_within_a_generation() -> None:
    """A welcome with a lower mark makes the till send again, but what was accepted stays accepted."""
    heads = [head(accepted=7)]
    hello = begin(replace(READY, greeted=False), SayHello(everything=False), "r1", heads)
    outcome = heard(hello, welcome({"b": Marks(3, 3)}), NOW)
    assert outcome.effects == ()
    assert next_step(outcome.state, heads, 0, NOW.now_ms) == SendRecords("b", 4, 7)


@given(claimed=st.integers(-(10**9), 10**9), seq=st.integers(1, 50), accepted=st.integers(0, 49))
def test_no_ledger_can_claim_records_that_were_not_sent(claimed: int, seq: int, accepted: int) -> None:
    """A mark beyond what the till held when it asked would skip records still to be written: it is cut."""
    heads = [head(accepted=min(accepted, seq - 1), seq=seq)]
    for effect in heard(flying(READY, heads), custody(claimed), NOW).effects:
        assert isinstance(effect, MarkStreams)
        assert heads[0].accepted < effect.marks["b"].accepted <= seq


def test_unreachable_ledger_blames_no_record() -> None:
    """While not even a connection comes about, batches keep their size however long it takes."""
    state = fail_repeatedly(READY, [head(seq=500)], Silence(reached=False), 50)
    assert (state.batch, state.suspect) == (100, None)


def test_a_busy_ledger_blames_no_record_and_need_not_be_greeted_again() -> None:
    """Turned away at the door: the batch keeps its size, the wait is the ledger's, and then it goes on where it was."""
    state = failed(flying(READY, [head(seq=500)]), Silence(reached=False, retry_after_s=40.0), NOW).state
    assert next_step(state, [head(seq=500)], 0, NOW.now_ms) == Rest(NOW.now_ms + 40_500)
    assert next_step(state, [head(seq=500)], 0, NOW.now_ms + 40_500) == SendRecords("b", 1, 100)
    assert (state.batch, state.suspect) == (100, None)


@pytest.mark.parametrize("reached", [True, False])
def test_the_ledgers_own_wait_goes_before_ours(reached: bool) -> None:
    """Retry-After with any silence: not earlier, and not later by more than a second of jitter."""
    failing = replace(READY, backoff=Backoff(failures=9))
    state = failed(flying(failing, [head()]), Silence(reached, retry_after_s=7.0), NOW).state
    assert state.backoff.next_attempt_ms == NOW.now_ms + 7_500


def test_a_flapping_ledger_uses_up_the_quick_retries() -> None:
    """Each failure costs more of the budget than a success gives back; then even a first failure waits long."""
    state = READY
    for _ in range(60):
        state = fail_repeatedly(state, [head()], Silence(reached=False), 1)
        state = replace(heard(flying(state, [head()]), custody(10), NOW).state, feed_due=False)
    assert state.backoff.budget < 1
    last = failed(flying(state, [head()]), Silence(reached=False), Moment(1000, 0.99)).state
    assert last.backoff.next_attempt_ms > 1000 + 20_000


def test_a_busy_ledger_is_still_greeted_when_that_is_due() -> None:
    """A till that was turned away for long enough asks for the marks as ever."""
    state = replace(failed(flying(READY, [head()]), Silence(False, 40.0), NOW).state, hello_due_ms=NOW.now_ms + 10)
    assert next_step(state, [head()], 0, NOW.now_ms + 41_000) == SayHello(everything=False)


def test_batch_that_fails_three_times_is_halved_down_to_a_parked_record() -> None:
    """A poison record is closed in on and parked as opaque bytes; three failures at every size."""
    heads = [head(seq=4)]
    state, seen = replace(READY, batch=4), []
    for _ in range(9):
        step = next_step(state, heads, 0, NOW.now_ms)
        seen.append(step.limit if isinstance(step, SendRecords) else None)
        state = fail_repeatedly(state, heads, Silence(reached=True), 1)
    assert seen == [4, 4, 4, 2, 2, 2, 1, 1, 1]
    assert next_step(state, heads, 0, NOW.now_ms) == ParkRecord("b", 1)
    parked = heard(flying(state, heads), custody(1), NOW)
    assert next_step(replace(parked.state, feed_due=False), [head(accepted=1, seq=4)], 0, 1000) == SendRecords(
        "b", 2, 3
    )


def test_too_large_batch_is_halved_at_once() -> None:
    """413 needs no second try at the same size."""
    heads = [head(seq=100)]
    state = fail_repeatedly(READY, heads, refused(ProblemCode.TOO_LARGE, 413), 1)
    assert next_step(state, heads, 0, NOW.now_ms) == SendRecords("b", 1, 50)


def test_record_that_cannot_even_be_parked_holds_up_nobody_else() -> None:
    """The other streams go on; the stuck one is tried again after them."""
    stuck = replace(READY, suspect=Suspect("u", 1, 0, alone=True))
    heads = [head("u", lane=Lane.URGENT), head("b")]
    assert next_step(stuck, heads, 0, NOW.now_ms) == ParkRecord("u", 1)
    state = fail_repeatedly(stuck, heads, Silence(reached=True), 1)
    assert next_step(state, heads, 0, NOW.now_ms) == SendRecords("b", 1, 10)


@pytest.mark.parametrize("status", [401, 403, 426])
def test_refused_till_stops_with_an_alarm_and_asks_rarely(status: int) -> None:
    """Not enrolled or too old: people must mend that, so the till asks every few minutes and keeps queueing."""
    state = failed(flying(READY, [head()]), refused(ProblemCode.TERMINAL_UNKNOWN, status), NOW).state
    assert state.alarm == "terminal_unknown"
    step = next_step(state, [head()], 0, NOW.now_ms)
    assert isinstance(step, Rest)
    assert step.until_ms >= NOW.now_ms + 150_000
    greeted = heard(flying(hasten(state, NOW.now_ms), [head()]), welcome({}), NOW)
    assert greeted.state.alarm is None


def test_ledger_of_another_protocol_is_an_alarm() -> None:
    """A welcome in a protocol version that we do not speak stops the till as 426 does."""
    hello = begin(SyncState(), SayHello(everything=True), "r1", [])
    assert heard(hello, welcome({}, protocol=3), NOW).state.alarm == "protocol"


def test_failure_waits_and_says_hello_again() -> None:
    """After trouble the ledger's own marks are asked for before anything is repeated."""
    state = failed(flying(READY, [head()]), Silence(reached=True), NOW).state
    assert next_step(state, [head()], 0, NOW.now_ms) == Rest(NOW.now_ms + 500)
    assert next_step(state, [head()], 0, NOW.now_ms + 500) == SayHello(everything=False)


def test_a_hello_alone_does_not_end_the_waits_of_a_failing_batch() -> None:
    """While a batch keeps failing its waits keep growing, though the hellos in between succeed."""
    state = failed(flying(READY, [head()]), Silence(reached=True), NOW).state
    hello = begin(hasten(state, NOW.now_ms), SayHello(everything=False), "r1", [head()])
    assert heard(hello, welcome({"b": Marks(0, 0)}), NOW).state.backoff.failures == 1


def test_quick_full_batches_grow_and_slow_ones_halve() -> None:
    """The batch size seeks half a second a batch: plus 50 when quick and full, half when slow."""
    heads = [head(seq=1000)]
    assert heard(flying(READY, heads), custody(100), Moment(0, 0.5, took_ms=100)).state.batch == 150
    assert heard(flying(READY, heads), custody(100), Moment(0, 0.5, took_ms=900)).state.batch == 50
    assert heard(flying(READY, [head(seq=3)]), custody(3), Moment(0, 0.5, took_ms=100)).state.batch == 100


@pytest.mark.parametrize(("ordered", "rest_s"), [(60, 60), (0, 1), (-5, 1), (10**9, 3600)])
def test_idle_till_says_hello_again(ordered: float, rest_s: float) -> None:
    """Within bounds the ledger orders when; without it a till would never learn of a restored ledger."""
    hello = begin(SyncState(), SayHello(everything=True), "r1", [])
    state = replace(heard(hello, welcome({}, rest=ordered), NOW).state, feed_due=False)
    assert next_step(state, [], 0, NOW.now_ms) == Rest(NOW.now_ms + int(rest_s * 1000))
    assert next_step(state, [], 0, state.hello_due_ms) == SayHello(everything=False)


def test_decisions_are_fetched_during_a_long_backlog() -> None:
    """A day's backlog does not keep the till from hearing decisions until its end."""
    state = replace(READY, feed_due=True, batches_since_feed=BATCHES_PER_FEED)
    assert next_step(state, [head()], 3, 0) == FetchDecisions(3)


def page(verdicts: list[Verdict], following: int, more: bool = False, generation: str = "g1") -> Decisions:
    return Decisions("r1", generation, verdicts, [], following, more)


def verdict(n: int) -> Verdict:
    return Verdict(n, "b", 1, 1, State.POSTED, "posted")


def fetching(after: int) -> SyncState:
    return begin(replace(READY, feed_due=True), FetchDecisions(after), "r1", [])


def test_page_of_decisions_is_taken_with_its_cursor() -> None:
    """Verdicts and cursor are one effect, and the next page follows while there is more."""
    outcome = heard(fetching(3), page([verdict(4), verdict(6)], 6, more=True), NOW)
    assert outcome.effects == (TakeDecisions([verdict(4), verdict(6)], [], 6, "g1"),)
    assert next_step(outcome.state, [], 6, NOW.now_ms) == FetchDecisions(6)


@pytest.mark.parametrize(
    "nonsense",
    [
        page([verdict(3)], 3),
        page([verdict(6), verdict(5)], 6),
        page([verdict(9)], 8),
        page([], 2),
        page([], 3, more=True),
        page([verdict(4)], 4, generation="g2"),
    ],
)
def test_nonsense_in_the_feed_is_silence(nonsense: Decisions) -> None:
    """Repeated, unordered or foreign decisions move nothing, and an endless empty page does not spin."""
    outcome = heard(fetching(3), nonsense, NOW)
    assert (outcome.effects, outcome.ok) == ((), False)
    assert outcome.state.backoff.failures == 1


def test_person_asking_for_a_pass_overrules_every_wait() -> None:
    """`tilld sync` speaks to the ledger now."""
    state = failed(flying(READY, [head()]), refused(ProblemCode.TERMINAL_UNKNOWN, 401), NOW).state
    assert next_step(hasten(state, NOW.now_ms), [head()], 0, NOW.now_ms) == SayHello(everything=False)


answers = st.one_of(
    st.builds(
        BatchAnswer,
        st.sampled_from(["r1", "r2"]),
        st.sampled_from(["b", "u"]),
        st.sampled_from(["g1", "g2"]),
        st.integers(-2, 40),
        st.integers(-2, 40),
    ),
    st.builds(
        Welcome,
        st.sampled_from(["r1", "r2"]),
        st.sampled_from([1, 2]),
        st.sampled_from(["g1", "g2"]),
        st.dictionaries(
            st.sampled_from(["b", "u", "x"]), st.builds(Marks, st.integers(-2, 40), st.integers(-2, 40)), max_size=3
        ),
        st.just("2026-01-01T00:00:00.000Z"),
        st.floats(0, 100),
    ),
    st.builds(
        Decisions,
        st.sampled_from(["r1", "r2"]),
        st.sampled_from(["g1", "g2"]),
        st.lists(st.builds(verdict, st.integers(0, 9)), max_size=3),
        st.just([]),
        st.integers(0, 9),
        st.booleans(),
    ),
)
causes = st.one_of(
    st.builds(Silence, st.booleans(), st.one_of(st.none(), st.floats(0, 100))),
    st.builds(
        Problem,
        title=st.just("no"),
        status=st.sampled_from([400, 401, 404, 409, 413, 426]),
        code=st.sampled_from(list(ProblemCode)),
        expected=st.one_of(st.none(), st.integers(-2, 40)),
    ),
)


@settings(max_examples=150)
@given(events=st.lists(st.one_of(answers, causes), max_size=40), chance=st.floats(0, 1, exclude_max=True))
def test_nothing_that_is_heard_breaks_the_marks(events: list[object], chance: float) -> None:
    """Whatever comes back, marks stay within what the till holds and fall only under a new generation."""
    marks = {"b": 0, "u": 0}
    state, now, cursor = SyncState(), 0, 0
    for event in events:
        heads = [head("b", marks["b"], 20), head("u", marks["u"], 5, Lane.URGENT)]
        step = next_step(state, heads, cursor, now)
        if isinstance(step, Rest):
            assert step.until_ms > now
            now, state = step.until_ms, hasten(state, step.until_ms)
            continue
        if isinstance(step, SendRecords):
            assert step.limit >= 1
            assert step.first + step.limit - 1 <= {"b": 20, "u": 5}[step.stream]
        state = begin(state, step, "r1", heads)
        moment = Moment(now, chance)
        heard_it = isinstance(event, BatchAnswer | Welcome | Decisions)
        outcome: Outcome = heard(state, event, moment) if heard_it else failed(state, event, moment)  # type: ignore[arg-type]
        assert outcome.state.outstanding is None
        assert outcome.state.backoff.next_attempt_ms <= now + 301_000
        for effect in outcome.effects:
            if isinstance(effect, TakeDecisions):
                assert effect.cursor > cursor
                cursor = effect.cursor
                continue
            for stream, mark in effect.marks.items():
                assert 0 <= mark.stable <= mark.accepted <= {"b": 20, "u": 5}[stream]
                assert mark.accepted >= marks[stream] or effect.renewed
                marks[stream] = mark.accepted
            cursor = 0 if effect.renewed else cursor
        state = outcome.state


def test_outage_that_ends_elsewhere_is_noticed() -> None:
    """When a customer's question is answered, sync comes back within the outage's length."""
    state = SyncState(backoff=Backoff(failures=9, next_attempt_ms=300_000, outage_since_ms=0))
    assert reachable_again(state.backoff, 10_000, 0.5).next_attempt_ms == 15_000


def test_hello_is_said_again_when_the_ledger_owed_a_word_on_rights() -> None:
    """It cannot confirm a right before it holds everything: so it is asked again then, once."""
    heads = [head()]
    hello = begin(replace(READY, greeted=False), SayHello(everything=False), "r1", heads, ["a1"])
    owing = replace(heard(hello, welcome({}), NOW).state, feed_due=False)
    assert next_step(owing, [], 0, NOW.now_ms) == Rest(owing.hello_due_ms), "nothing was delivered since"
    sent = replace(heard(flying(owing, heads), custody(10), NOW).state, feed_due=False)
    assert next_step(sent, [], 0, NOW.now_ms) == SayHello(everything=False)
    again = begin(sent, SayHello(everything=False), "r1", [], ["a1"])
    told = replace(heard(again, replace(welcome({}), rights={"a1": True}), NOW).state, feed_due=False)
    assert next_step(told, [], 0, NOW.now_ms) == Rest(told.hello_due_ms)


def test_hello_is_said_again_while_the_books_recover() -> None:
    """Under the new generation, and after all is delivered: that is what they wait for."""
    hello = begin(SyncState(generation="g1"), SayHello(everything=True), "r1", [])
    adopted = replace(heard(hello, replace(welcome({}, "g2"), recovering=True), NOW).state, feed_due=False)
    assert next_step(adopted, [], 0, NOW.now_ms) == SayHello(everything=False)
    second = begin(adopted, SayHello(everything=False), "r1", [])
    reported = replace(heard(second, replace(welcome({}, "g2"), recovering=True), NOW).state, feed_due=False)
    assert next_step(reported, [], 0, NOW.now_ms) == Rest(reported.hello_due_ms), "it waits for others now"
