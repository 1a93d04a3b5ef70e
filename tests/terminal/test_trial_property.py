"""Whatever technicians and cards do: a reader is held by one trial or by none, and never for good."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from drivers.base import CardRead, CardUnreadable, EntryMode, ReaderState, Technology
from terminal import parts
from terminal.cards.identification import Identified
from terminal.ground import Ground
from terminal.inbox import CardFailed, CardPresented, Inbox, ReaderStatus
from terminal.pos import Refusal
from terminal.trial.desk import Shop, TrialDesk
from terminal.trial.holding import IDLE_MS, LEASE_MS
from terminal.trial.talk import All, Begin, End, Look, TrialAsked, TrialDue, TrialRequest, TrialState, TrialView
from tests.offline_queue.claimed import KEY
from tests.terminal.rig import HandTimepiece

NAMES = st.sampled_from(["counter", "kiosk"])


class Counter(RuleBasedStateMachine):
    """Two readers, any number of technicians."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = HandTimepiece()
        self.held: set[str] = set()
        self.alarm_at: int | None = None
        since = "2026-03-01T10:00:00Z"
        states = {
            name: ReaderStatus(name, "simulated", ReaderState.READY, since, "there") for name in ("counter", "kiosk")
        }
        self.desk = TrialDesk(
            *(Shop("S001-T01", "S001", "0.0", KEY), states, self.held),
            *(lambda _, read: Identified(read.data or ""), lambda *_: None, self.clock, self._set_alarm),
        )
        self.revisions: dict[str, int] = {}

    def _set_alarm(self, in_ms: int) -> None:
        self.alarm_at = self.clock.now_ms + in_ms

    def ask(self, asked: Any) -> Any:
        reply: Future[Any] = Future()
        self.desk.told(TrialAsked(asked, reply))
        error = reply.exception(0)
        assert error is None or isinstance(error, Refusal)
        return error or reply.result(0)

    @rule()
    def nothing(self) -> None:
        """An alarm that rings early does no harm."""
        self.desk.told(TrialDue())

    @rule(name=NAMES, taps=st.integers(1, 3))
    def begin(self, name: str, taps: int) -> None:
        held = name in self.held
        answer = self.ask(Begin(TrialRequest(name, taps)))
        # A lease that has just run out is found out by the asking itself.
        assert isinstance(answer, TrialView) or (held and answer.code == "busy")
        assert name in self.held

    @rule(name=NAMES, good=st.booleans())
    def card(self, name: str, good: bool) -> None:
        """At a reader that is held it is a tap, else it is a customer's and nothing of it is kept."""
        before = self.trials()
        if not self.desk.holds(name):
            assert name not in self.held
            return
        read = CardRead(Technology.NTAG, EntryMode.CONTACTLESS, "2990000000017")
        failure = CardUnreadable("mute", "It does not answer.")
        self.desk.tapped(CardPresented(name, read) if good else CardFailed(name, failure))
        assert sum(len(one.taps) for one in self.trials()) == sum(len(one.taps) for one in before) + 1

    @rule(passed_ms=st.sampled_from([1, LEASE_MS - 1, LEASE_MS, IDLE_MS]))
    def time_goes_by(self, passed_ms: int) -> None:
        """The alarm rings when it was set for, or later."""
        self.clock.now_ms += passed_ms
        if self.alarm_at is not None and self.clock.now_ms >= self.alarm_at:
            self.alarm_at = None
            self.desk.told(TrialDue())

    @rule(look=st.booleans())
    def a_technician_comes_back(self, look: bool) -> None:
        for one in self.trials():
            answer = self.ask(Look(one.id) if look else End(one.id))
            assert isinstance(answer, TrialView)
            assert look or answer.state is not TrialState.RUNNING

    def trials(self) -> list[TrialView]:
        listed: list[TrialView] = self.ask(All()).trials
        return listed

    @invariant()
    def a_reader_is_held_just_while_its_trial_runs(self) -> None:
        running = [one.reader for one in self.trials() if one.state is TrialState.RUNNING]
        assert sorted(running) == sorted(self.held)

    @invariant()
    def nothing_is_held_for_good(self) -> None:
        """Somebody will be woken as long as a reader is held."""
        assert not self.held or self.alarm_at is not None

    @invariant()
    def what_has_ended_is_judged_and_stays(self) -> None:
        for one in self.trials():
            assert (one.judgement is None) == (one.state is TrialState.RUNNING)
            assert len(one.taps) <= one.wanted
            assert (one.state is TrialState.COMPLETE) == (len(one.taps) == one.wanted)
            assert one.revision >= self.revisions.get(one.id, 0)
            self.revisions[one.id] = one.revision


Counter.TestCase.settings = settings(max_examples=25, stateful_step_count=25)
TestCounter = Counter.TestCase


def test_the_daemon_s_alarm_rings_in_the_till_s_inbox() -> None:
    """Where every event of the till goes."""
    inbox = Inbox()
    alarm = parts.alarm(cast("Ground", SimpleNamespace(inbox=inbox)))
    alarm.set(0)
    assert inbox.take(10) == TrialDue()
    alarm.stop()
