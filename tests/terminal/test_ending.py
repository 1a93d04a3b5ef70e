"""What ends the daemon: signals in any order, at any moment."""

import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from terminal.ending import READ_AGAIN, Ending, Told, heeding_signals

NOW_S = 0.0
PATIENCE_S = 30.0


@pytest.fixture
def told() -> Iterator[Told]:
    with heeding_signals() as told:
        yield told


def comes(*signals: int) -> None:
    for number in signals:
        signal.raise_signal(number)


def test_a_signal_to_read_the_config_again_stops_the_till_for_that(told: Told) -> None:
    """And the next run, by the new config, has heard nothing yet."""
    comes(READ_AGAIN, READ_AGAIN)
    assert (told.stop.wait(NOW_S), told.stop.again) == (True, True)
    told.anew()
    assert (told.stop.wait(NOW_S), told.stop.again) == (False, False)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("is_first", [False, True])
def test_an_end_is_an_end_whatever_else_is_said(told: Told, end: int, *, is_first: bool) -> None:
    """A till that is to stop does not start anew because somebody has changed its config meanwhile."""
    comes(*((end, READ_AGAIN) if is_first else (READ_AGAIN, end)))
    assert (told.stop.wait(NOW_S), told.stop.again) == (True, False)
    told.anew()
    comes(READ_AGAIN)
    assert (told.stop.wait(NOW_S), told.stop.again) == (True, False)


def test_between_two_runs_signals_are_heeded_too(told: Told) -> None:
    """They are for the run that comes: it ends, or reads once more what may have changed after its config was read."""
    comes(READ_AGAIN)
    told.anew()
    comes(READ_AGAIN)
    assert (told.stop.wait(NOW_S), told.stop.again) == (True, True)
    told.anew()
    comes(signal.SIGTERM)
    assert (told.stop.wait(NOW_S), told.stop.again) == (True, False)


def test_a_second_ctrl_c_ends_at_once_and_nothing_is_left_behind() -> None:
    """Whoever had the signals before has them again."""
    before = signal.getsignal(signal.SIGINT)
    with heeding_signals():
        comes(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is before
    assert signal.getsignal(READ_AGAIN) is signal.SIG_DFL


def test_a_signal_at_any_line_of_the_wait_is_heard(told: Told) -> None:
    """It interrupts the thread that waits, wherever that is: no lock of the wait may be needed to hear it."""

    def interrupt(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            comes(READ_AGAIN)
        return interrupt

    before = sys.gettrace()
    sys.settrace(interrupt)
    try:
        heard = told.stop.wait(PATIENCE_S)
    finally:
        sys.settrace(before)
    assert heard


def test_a_part_that_dies_is_heard_from_its_own_thread() -> None:
    """The daemon waits no longer."""
    stop = Ending()
    dying = threading.Thread(target=stop.set)
    dying.start()
    assert stop.wait(PATIENCE_S)
    dying.join()
