"""The till's thread: it answers what it took, and its death is noticed."""

import threading
from collections.abc import Callable

import pytest

from terminal.inbox import Asked, Event, Inbox, ReadAbandoned, Stop
from terminal.sales.replies import answer
from terminal.till_loop import TillLoop


class Scripted:
    """Stops when it is told to and has handled `needs` events after that."""

    def __init__(self, needs: int = 0, on_event: Callable[[Event], None] | None = None) -> None:
        self.stopping = False
        self.needs = needs
        self.handled: list[Event] = []
        self._on_event = on_event

    @property
    def idle(self) -> bool:
        return self.needs <= 0

    def handle(self, event: Event) -> None:
        self.handled.append(event)
        if self._on_event:
            self._on_event(event)
        if self.stopping:
            self.needs -= 1
        if isinstance(event, Stop):
            self.stopping = True
        if isinstance(event, Asked):
            answer(event.reply, True)


def test_what_was_taken_is_finished_before_the_thread_ends() -> None:
    """Events that come after Stop are handled as long as something is without its answer."""
    inbox, ended, stopping = Inbox(), threading.Event(), threading.Event()
    till = Scripted(needs=1, on_event=lambda event: stopping.set() if isinstance(event, Stop) else None)
    loop = TillLoop(till, inbox, ended.set)
    loop.start()
    assert loop.answers(10)
    stopper = threading.Thread(target=loop.stop)
    stopper.start()
    assert stopping.wait(60)
    assert not ended.is_set()
    inbox.report(ReadAbandoned("last"))
    stopper.join(60)
    assert ended.is_set()
    assert not loop.alive()
    assert till.handled[-1] == ReadAbandoned("last")


def test_a_defect_ends_the_thread_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """The daemon hears of it and ends; half a till must not pass for a whole one."""
    ended = threading.Event()

    def fail(_: Event) -> None:
        raise ZeroDivisionError

    inbox = Inbox()
    loop = TillLoop(Scripted(on_event=fail), inbox, ended.set)
    loop.start()
    inbox.offer(ReadAbandoned("x"))
    assert ended.wait(60)
    loop.stop()
    assert not loop.alive()
    assert "the till's thread failed" in caplog.text


def test_at_its_word_of_the_end_it_is_dead_already() -> None:
    """The daemon looks who has died as soon as it hears of it: a dead part must not pass for one that lives."""
    seen, inbox = list[bool](), Inbox()
    loop = TillLoop(Scripted(), inbox, lambda: seen.append(loop.alive()))
    loop.start()
    loop.stop()
    assert seen == [False]


def test_a_thread_that_hangs_gives_no_sign_of_life() -> None:
    """So systemd's watchdog is not fed."""
    release = threading.Event()
    inbox = Inbox()
    loop = TillLoop(Scripted(on_event=lambda _: release.wait(60) and None), inbox, lambda: None)
    loop.start()
    inbox.offer(ReadAbandoned("x"))
    assert not loop.answers(0.01)
    release.set()
    assert loop.answers(10)
    loop.stop()


def test_a_full_inbox_is_no_sign_of_life() -> None:
    """Nobody takes from it."""
    inbox = Inbox(capacity=1)
    inbox.offer(Stop())
    assert not TillLoop(Scripted(), inbox, lambda: None).answers(10)
