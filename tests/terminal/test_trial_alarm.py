"""The alarm that wakes the till when a trial's time is over."""

import queue
import threading

from terminal.trial.alarm import Alarm


def test_the_latest_word_counts() -> None:
    """Set anew it rings once, and not for what it was set for before."""
    rung: queue.SimpleQueue[int] = queue.SimpleQueue()
    alarm = Alarm(lambda: rung.put(threading.get_ident()))
    alarm.set(3_600_000)
    alarm.set(0)
    assert rung.get(timeout=60) != threading.get_ident()
    assert rung.empty()


def test_a_stopped_alarm_keeps_still() -> None:
    """Its thread ends without a sound; one that was never set can be stopped too."""
    rung: list[int] = []
    alarm = Alarm(lambda: rung.append(1))
    alarm.stop()
    before = set(threading.enumerate())
    alarm.set(3_600_000)
    (thread,) = set(threading.enumerate()) - before
    alarm.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert rung == []
