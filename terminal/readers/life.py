"""What becomes of a reader when its process speaks, falls silent or ends: pure rules on frozen values."""

import signal
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from drivers.base import CardRead, CardUnreadable, Condition, ReaderState
from terminal.counter.failure_words import BROKEN_OFF
from terminal.inbox import ReaderStatus


@dataclass(frozen=True)
class Limits:
    """How patient a supervisor is, in seconds; `burst` and `rate` bound the reports of a reader that floods.

    A tap may take 3.0 s (libccid's patience with a mute card) and a heartbeat follows within 0.5 s; no counter
    sees 100 cards a second. Before its first word a process loads its driver's library, which takes a small machine
    long while it starts.
    """

    opening_s: float = 20.0
    silence_s: float = 6.0
    first_pause_s: float = 0.25
    longest_pause_s: float = 15.0
    steady_s: float = 30.0
    dismissal_s: float = 2.0
    burst: int = 300
    rate: float = 100.0


class Cause(Enum):
    """Why a reader's process is gone."""

    GAVE_UP = "its driver has said why"
    DIED = "it ended by itself"
    HUNG = "it gave no sign of life and was killed"
    GARBLED = "it wrote what is no report and was killed"
    FLOODED = "it sent more reports than anybody has cards and was killed"
    NOT_STARTED = "it could not be started"
    DISMISSED = "it was told to end"


@dataclass(frozen=True)
class Ending:
    """`code` is the exit status, negative for a signal; `detail` what else is known."""

    cause: Cause
    code: int | None = None
    detail: str = ""


@dataclass(frozen=True)
class Life:
    """A reader so far. `failures` counts the endings in a row without a steady time between them.

    `reopened` is true once a process of this start has ended.
    """

    status: ReaderStatus
    failures: int = 0
    reopened: bool = False


HOPELESS_AFTER: Final = 5
"""Endings in a row after which a technician should look, although the attempts go on."""

_REMEDIES: Final = {
    Cause.DIED: "see the log for where it broke; replug the reader if it goes on",
    Cause.HUNG: "take the card off the reader; replug the reader if it goes on",
    Cause.GARBLED: "see the log; report this driver",
    Cause.FLOODED: "look for a scanner that repeats itself, or replug the reader",
    Cause.NOT_STARTED: "see whether the machine is out of memory or processes",
}


def born(name: str, driver: str, now: str) -> Life:
    """Before anything is known of it; `now` is RFC 3339."""
    return Life(ReaderStatus(name, driver, ReaderState.RECONNECTING, now, "is being opened"))


def started(life: Life, pid: int) -> Life:
    """A process runs; what it has come to, it will say itself."""
    return replace(life, status=replace(life.status, pid=pid))


def told(life: Life, condition: Condition, now: str) -> Life:
    """The driver's own word. `since` moves only with the state."""
    status = life.status
    since = status.since if condition.state is status.status else now
    word = replace(status, status=condition.state, detail=condition.detail, remedy=condition.remedy, since=since)
    return replace(life, status=word)


def counter_of(report: CardRead | CardUnreadable) -> str:
    """The name of the counter that this report moves."""
    if isinstance(report, CardRead):
        return "good"
    return "failed" if report.reason in BROKEN_OFF else "unreadable"


def ended(life: Life, ending: Ending, lasted_s: float, now: str, limits: Limits) -> Life:
    """The process is gone after `lasted_s`, and another will follow it unless it was dismissed."""
    failures = 1 if lasted_s >= limits.steady_s else life.failures + 1
    status = replace(life.status, pid=None)
    if ending.cause is Cause.DISMISSED:
        return told(Life(status), Condition(ReaderState.STOPPED, "the till has stopped it"), now)
    gone = Life(status, failures, reopened=True)
    if ending.cause is Cause.GAVE_UP:
        return gone
    return told(gone, _condition(ending, failures, limits), now)


NEWS_MENDS: Final = frozenset({ReaderState.ABSENT, ReaderState.FORBIDDEN, ReaderState.HELD})
"""States in which a device that has just come is worth an attempt at once: it, or its group, may be there now."""


def _condition(ending: Ending, failures: int, limits: Limits) -> Condition:
    state = ReaderState.RECONNECTING if failures < HOPELESS_AFTER else ReaderState.FAILING
    often = f", {failures} times in a row" if failures > 1 else ""
    pause = f"; next attempt in {pause_s(failures, limits):g} s"
    return Condition(state, f"{_how(ending, limits)}{often}{pause}", _REMEDIES[ending.cause])


def _how(ending: Ending, limits: Limits) -> str:
    match ending.cause:
        case Cause.DIED if ending.code is not None and ending.code < 0:
            return f"its process was ended by {_signal(-ending.code)}"
        case Cause.DIED:
            return f"its process ended with exit code {ending.code}"
        case Cause.HUNG:
            return f"its process gave no sign of life for {ending.detail} and was killed"
        case Cause.GARBLED:
            return f"its process wrote what is no report ({ending.detail}) and was killed"
        case Cause.FLOODED:
            return f"it sent more than {limits.rate:g} reports a second and was stopped"
        case _:
            return f"its process could not be started ({ending.detail})"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def pause_s(failures: int, limits: Limits) -> float:
    """How long to wait after that many endings in a row: doubled each time, up to `longest_pause_s`.

    No jitter: the readers of one till do not crowd each other.
    """
    if failures == 0:
        return 0.0
    return min(limits.longest_pause_s, limits.first_pause_s * 2.0 ** min(failures - 1, 32))


@dataclass(frozen=True)
class Allowed:
    """A token bucket: how many more reports may come, as of `at` (seconds of any steady clock)."""

    left: float
    at: float

    def less_one(self, now: float, limits: Limits) -> "Allowed":
        """After one more report; negative when that was one too many."""
        refilled = min(float(limits.burst), self.left + (now - self.at) * limits.rate)
        return Allowed(refilled - 1, now)
