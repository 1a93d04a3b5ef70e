"""What becomes of a reader: the rules alone, then real processes that flood, babble, hang and die."""

import os
import select
import signal
import sys
import threading
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import CardRead, CardUnreadable, Condition, EntryMode, ReaderState, Technology
from drivers.simulated import BREAKDOWNS, Fault, NotTapped, Tap, tap
from drivers.worker import Assignment
from offline_queue.timepiece import SystemTimepiece
from terminal.inbox import CardPresented, Event, Inbox, ReaderChanged
from terminal.readers.child import ReaderChild
from terminal.readers.life import (
    BROKEN_OFF,
    HOPELESS_AFTER,
    Allowed,
    Cause,
    Ending,
    Limits,
    born,
    counter_of,
    ended,
    pause_s,
    started,
    told,
)
from terminal.readers.supervisor import ReaderSupervisor
from terminal.readers.tally import Tally
from tests.virtual.watching import IMPATIENT, Watched

PYTHON = Path(sys.executable)
LIMITS = Limits()
NEW = born("counter", "simulated", "12:00")
READY = told(started(NEW, 17), Condition(ReaderState.READY, "all well"), "12:01")
READ = CardRead(Technology.QR, EntryMode.SCANNED, data="2990000000017")
ENDINGS = st.builds(Ending, st.sampled_from(list(Cause)), st.one_of(st.none(), st.integers(-64, 255)), st.text())


# The rules


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_pause_grows_to_its_cap(few: int, many: int) -> None:
    """Never shorter after more failures, never longer than the cap, none before the first."""
    few, many = sorted((few, many))
    assert 0.0 <= pause_s(few, LIMITS) <= pause_s(many, LIMITS) <= LIMITS.longest_pause_s
    assert pause_s(0, LIMITS) == 0.0
    assert pause_s(1, LIMITS) == LIMITS.first_pause_s


@given(st.lists(st.floats(0, 0.1), max_size=400))
def test_no_reader_gets_more_than_burst_and_rate(gaps: list[float]) -> None:
    """However the reports are spaced, what passes is bounded by what the time allows."""
    allowed, now, passed = Allowed(LIMITS.burst, 0.0), 0.0, 0
    for gap in gaps:
        now += gap
        after = allowed.less_one(now, LIMITS)
        if after.left < 0:
            break
        allowed, passed = after, passed + 1
    assert passed <= LIMITS.burst + LIMITS.rate * now + 1


@given(ENDINGS, st.floats(0, 1000), st.integers(0, 100))
def test_every_ending_leaves_a_state_that_a_technician_can_act_on(
    ending: Ending, lasted_s: float, failures: int
) -> None:
    """No process id is left; an unexpected end has a reason, a remedy and the time of the next attempt."""
    life = ended(replace(READY, failures=failures), ending, lasted_s, "12:02", LIMITS)
    assert life.status.pid is None
    if ending.cause in {Cause.GAVE_UP, Cause.DISMISSED}:
        return
    assert life.status.status in {ReaderState.RECONNECTING, ReaderState.FAILING}
    assert life.status.remedy
    assert "next attempt in" in life.status.detail
    assert life.reopened


def test_a_signal_is_named() -> None:
    """SIGKILL is often the kernel's out-of-memory killer, SIGSEGV a native library."""
    life = ended(READY, Ending(Cause.DIED, -signal.SIGKILL), 1.0, "12:02", LIMITS)
    assert "SIGKILL" in life.status.detail
    assert "signal 63" in ended(READY, Ending(Cause.DIED, -63), 1.0, "12:02", LIMITS).status.detail


def test_a_reader_that_keeps_dying_is_failing() -> None:
    """After a few endings in a row somebody should look; the attempts go on."""
    life = READY
    for _ in range(HOPELESS_AFTER):
        life = ended(life, Ending(Cause.DIED, 1), 1.0, "12:02", LIMITS)
    assert life.status.status is ReaderState.FAILING
    assert f"{HOPELESS_AFTER} times in a row" in life.status.detail


def test_a_steady_time_forgives_the_failures_before() -> None:
    """A reader that dies once a day comes back at once each time."""
    life = replace(READY, failures=9)
    assert ended(life, Ending(Cause.DIED, 1), LIMITS.steady_s, "12:02", LIMITS).failures == 1
    assert ended(life, Ending(Cause.DIED, 1), 1.0, "12:02", LIMITS).failures == 10


def test_what_the_driver_said_stays_while_it_is_tried_again() -> None:
    """`forbidden` does not flicker to `reconnecting` at each attempt."""
    forbidden = told(READY, Condition(ReaderState.FORBIDDEN, "no", "join the group"), "12:02")
    life = ended(forbidden, Ending(Cause.GAVE_UP, 3), 0.1, "12:03", LIMITS)
    assert (life.status.status, life.status.remedy) == (ReaderState.FORBIDDEN, "join the group")
    assert life.status.since == "12:02"


def test_since_moves_only_with_the_state() -> None:
    """The same state with another detail began when it began."""
    later = told(READY, Condition(ReaderState.READY, "two readers"), "12:30")
    assert (later.status.since, later.status.detail) == ("12:01", "two readers")
    assert told(later, Condition(ReaderState.ABSENT, "none"), "12:31").status.since == "12:31"


@given(st.text(max_size=20))
def test_each_report_moves_one_counter(reason: str) -> None:
    """What broke off is not the card's fault; a reason that nobody knows is held to be."""
    assert counter_of(READ) == "good"
    assert counter_of(CardUnreadable(reason, "words")) == ("failed" if reason in BROKEN_OFF else "unreadable")
    assert counter_of(CardUnreadable("card_gone", "words")) == "failed"


# Real processes


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that runs in place of Python; its eighth argument is the pipe for reports."""
    path = tmp_path / "program"
    monkeypatch.setattr(sys, "executable", str(path))
    return path


def scripted(program: Path, script: str) -> None:
    program.write_text(f"#!/bin/bash\nread -r assignment\n{script}\nread -r forever\n")
    program.chmod(0o700)


@pytest.mark.parametrize(
    "script",
    [
        "echo nonsense >&$8",
        'echo \'{"type":"card_read"}\' >&$8',
        "head -c 100000 /dev/zero >&$8",
        "printf '\\xff\\n' >&$8",
    ],
)
def test_a_process_that_babbles_is_ended(program: Path, tmp_path: Path, script: str) -> None:
    """What is no report is never passed on, and an endless line takes no memory."""
    scripted(program, script)
    with Watched(tmp_path, "simulated") as reader:
        assert "no report" in reader.state(ReaderState.RECONNECTING, but_not="is being opened").detail


def test_a_process_that_ends_by_itself_is_told_with_its_code(program: Path, tmp_path: Path) -> None:
    """Such as a mistake in a driver: the log has its traceback."""
    scripted(program, "exit 7")
    with Watched(tmp_path, "simulated") as reader:
        assert "exit code 7" in reader.state(ReaderState.RECONNECTING, but_not="is being opened").detail
        assert reader.state(ReaderState.FAILING).counters.restarts == HOPELESS_AFTER


def test_a_process_that_cannot_be_started_is_a_state(program: Path, tmp_path: Path) -> None:
    """The supervisor goes on trying instead of dying itself, and the reader comes when it can."""
    with Watched(tmp_path, "simulated") as reader:
        assert "could not be started" in reader.state(ReaderState.FAILING).detail
        program.write_text(f'#!/bin/sh\nexec {PYTHON} "$@"\n')
        program.chmod(0o700)
        reader.state(ReaderState.READY)


def test_a_process_may_take_its_time_until_its_first_word(program: Path, tmp_path: Path) -> None:
    """A small machine that starts loads a library slowly; after it has spoken once, silence is a hang."""
    scripted(program, """read -r -t 1; echo '{"type":"condition","state":"ready","detail":"at last"}' >&$8""")
    limits = replace(IMPATIENT, opening_s=60.0, silence_s=0.3)
    with Watched(tmp_path, "simulated", limits=limits) as reader:
        assert reader.state(ReaderState.READY).detail == "at last"
        assert "no sign of life for 0.3 s" in reader.state(ReaderState.RECONNECTING).detail


def test_a_flood_is_bounded_and_named(tmp_path: Path) -> None:
    """A reader that repeats itself without end is stopped after a bounded number of cards."""
    limits = replace(IMPATIENT, burst=50, rate=0.01)
    with Watched(tmp_path, "simulated", limits=limits) as reader:
        reader.state(ReaderState.READY)
        tap(reader.socket, Tap(card="2990000000017", fault=Fault.FLOOD))

        def stopped(event: Event) -> bool | None:
            named = isinstance(event, ReaderChanged) and "more than 0.01 reports a second" in event.status.detail
            return True if named else None

        cards = reader.nothing_before(stopped)
        assert 0 < len(cards) <= 50
        reader.state(ReaderState.READY)


def test_a_flood_of_signs_of_life_is_a_flood_too(program: Path, tmp_path: Path) -> None:
    """A driver that spins must not take the till's processor with it."""
    scripted(program, """while echo '{"type":"heartbeat"}' >&$8; do :; done""")
    with Watched(tmp_path, "simulated") as reader:
        assert "reports a second" in reader.state(ReaderState.RECONNECTING, but_not="is being opened").detail


def test_a_reader_waits_while_the_till_is_busy(tmp_path: Path) -> None:
    """A full inbox holds the reader back; nothing is lost and nothing piles up."""
    inbox = Inbox(capacity=2)
    supervisor = ReaderSupervisor(
        "counter", "simulated", {}, inbox.post, tmp_path, SystemTimepiece(), Tally(tmp_path / "tally"), IMPATIENT
    )
    supervisor.start()
    seen: list[Event] = []
    try:
        while not any(isinstance(e, ReaderChanged) and e.status.status is ReaderState.READY for e in seen):
            seen.append(taken(inbox))
        for number in range(8):
            tap(tmp_path / "readers/counter.sock", Tap(card=str(number)))
        cards = []
        while len(cards) < 8:
            event = taken(inbox)
            cards += [event.read.data] if isinstance(event, CardPresented) else []
    finally:
        drained = threading.Thread(target=lambda: [None for _ in iter(lambda: inbox.take(1.0), None)])
        drained.start()
        supervisor.stop()
        drained.join()
    assert cards == [str(number) for number in range(8)]


def taken(inbox: Inbox) -> Event:
    event = inbox.take(60.0)
    assert event is not None
    return event


@pytest.mark.parametrize("fault", sorted(BREAKDOWNS))
def test_a_drivers_reason_is_the_readers_state_until_it_is_open_again(tmp_path: Path, fault: Fault) -> None:
    """Absent, held, forbidden, failing: with detail and remedy, and it comes back by itself."""
    with Watched(tmp_path, "simulated") as reader:
        reader.state(ReaderState.READY)
        tap(reader.socket, Tap(fault=fault))
        broken = reader.state(ReaderState(fault.value))
        assert broken.remedy
        assert reader.state(ReaderState.READY).since >= broken.since


@pytest.mark.parametrize("when", ["hanging", "pausing"])
def test_stopping_takes_bounded_time_whatever_the_reader_does(tmp_path: Path, when: str) -> None:
    """A hung process is killed, a pause is cut short."""
    limits = Limits(silence_s=60.0, first_pause_s=60.0, longest_pause_s=60.0, dismissal_s=0.2)
    with Watched(tmp_path, "simulated", limits=limits) as reader:
        pid = reader.state(ReaderState.READY).pid
        tap(reader.socket, Tap(fault=Fault.HANG if when == "hanging" else Fault.ABSENT))
        if when == "pausing":
            reader.state(ReaderState.ABSENT)
    watching = reader.supervisor._thread
    watching.join(30.0)
    assert not watching.is_alive()
    assert reader.state(ReaderState.STOPPED)
    assert not Path(f"/proc/{pid}").exists()


def test_ctrl_c_is_not_for_readers(tmp_path: Path) -> None:
    """A terminal sends it to the till's whole process group, also while a reader is only starting up."""
    child = ReaderChild("simulated", "counter", Assignment(str(tmp_path)))
    try:
        assert os.getpgid(child.pid) == child.pid != os.getpgid(0)
    finally:
        child.dismiss(10)


def test_a_stuck_reader_does_not_outlive_the_till(tmp_path: Path) -> None:
    """When the till is killed while a driver hangs, nobody is left to kill it: it ends by itself."""
    wake = os.eventfd(0)
    child = ReaderChild("simulated", "counter", Assignment(str(tmp_path)))
    watch = os.pidfd_open(child.pid)
    try:
        assert isinstance(child.next(wake, 10.0), Condition)
        tap(tmp_path / "counter.sock", Tap(fault=Fault.HANG))
        child.hang_up()
        assert select.select([watch], [], [], 10)[0]
    finally:
        child.free()
        os.close(watch)
        os.close(wake)


def test_the_simulated_readers_socket_is_for_its_user_alone(tmp_path: Path) -> None:
    """Folder 0700, socket 0600: nobody else on the machine presents cards."""
    with Watched(tmp_path, "simulated") as reader:
        reader.state(ReaderState.READY)
        assert reader.socket.stat().st_mode & 0o777 == 0o600
        assert reader.socket.parent.stat().st_mode & 0o777 == 0o700
    assert not reader.socket.exists()


def test_a_tap_without_a_reader_says_what_to_do(tmp_path: Path) -> None:
    """Nobody listens, or the reader refuses: the words are for a person."""
    with pytest.raises(NotTapped, match="`tilld readers` tells why"):
        tap(tmp_path / "readers/counter.sock", Tap(card="1"))
    with Watched(tmp_path, "simulated") as reader:
        reader.state(ReaderState.READY)
        with pytest.raises(NotTapped, match="needs `card`"):
            tap(reader.socket, Tap())
        with pytest.raises(NotTapped, match="characters"):
            tap(reader.socket, Tap(card="9" * 5000))


def test_every_technology_can_be_simulated(tmp_path: Path) -> None:
    """Each comes with the entry mode that a real reader of it has."""
    with Watched(tmp_path, "simulated") as reader:
        reader.state(ReaderState.READY)
        modes = {}
        for technology in Technology:
            tap(reader.socket, Tap(card="2990000000017", technology=technology))
            modes[technology] = reader.card().entry_mode
    assert set(modes.values()) == set(EntryMode) - {EntryMode.PHONE}
    assert modes[Technology.NTAG] is EntryMode.CONTACTLESS
    assert modes[Technology.EAN] is EntryMode.SCANNED


def test_taps_arrive_in_order(tmp_path: Path) -> None:
    """Each one once."""
    with Watched(tmp_path, "simulated") as reader:
        reader.state(ReaderState.READY)
        numbers = [str(number) for number in range(50)]
        for number in numbers:
            tap(reader.socket, Tap(card=number))
        seen = [reader.card().data for _ in numbers]
    assert all(int(one or 0) < int(other or 0) for one, other in pairwise(seen))


def test_a_device_that_comes_is_tried_at_once(tmp_path: Path) -> None:
    """An absent reader waits out its pause, unless a device is announced."""
    limits = replace(IMPATIENT, first_pause_s=3600.0, longest_pause_s=3600.0)
    with Watched(tmp_path, "simulated", limits=limits) as reader:
        reader.state(ReaderState.READY)
        tap(reader.socket, Tap(fault=Fault.ABSENT))
        reader.state(ReaderState.ABSENT)
        reader.supervisor.look_now()
        reader.state(ReaderState.READY)
        assert reader.supervisor.status.counters.restarts == 1


def test_counters_outlive_the_daemon(tmp_path: Path) -> None:
    """Good, failed and unreadable reads, restarts and hours are those of the reader's life."""
    for good in (1, 2):
        with Watched(tmp_path, "simulated") as reader:
            reader.state(ReaderState.READY)
            tap(reader.socket, Tap(card="2990000000017"))
            reader.card()
            tap(reader.socket, Tap(fault=Fault.UNREADABLE))
            reader.failure()
        counters = reader.supervisor.status.counters
        assert (counters.good, counters.unreadable, counters.failed, counters.restarts) == (good, good, 0, 0)
        assert counters.hours > 0
