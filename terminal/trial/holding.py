"""A running trial and the reader that it holds: what becomes of it with each tap, look and breakdown. Pure.

A trial ends when its taps have come, when the technician says so, LEASE_MS after the technician has last looked, and
IDLE_MS after the last card.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from drivers.base import ReaderState
from terminal.inbox import ReaderStatus
from terminal.trial.judging import Evidence, judge
from terminal.trial.talk import TrialRequest, TrialState, TrialView
from terminal.trial.taps import Tap, label_of

LEASE_MS: Final = 30_000
"""Pages and commands ask again within 20 s; a closed laptop frees the reader soon after."""
IDLE_MS: Final = 180_000
"""A page left open does not keep a reader from the customers: time to fetch a card from the car."""


@dataclass(frozen=True)
class Holding:
    """`faces` are its cards as salted hashes, `pid` the reader's process; times are milliseconds of a steady clock.

    `lies`: the last card was seen again since it was counted.
    """

    trial: TrialView
    until_look_ms: int
    until_tap_ms: int
    faces: tuple[int, ...] = ()
    pid: int | None = None
    lies: bool = False

    @property
    def until_ms(self) -> int:
        """When it ends if nothing happens."""
        return min(self.until_look_ms, self.until_tap_ms)

    @property
    def complete(self) -> bool:
        return len(self.trial.taps) >= self.trial.wanted


def begun(id_: str, request: TrialRequest, status: ReaderStatus, at: str, now_ms: int) -> Holding:
    """`at` is the time of day, RFC 3339."""
    trial = TrialView(
        id=id_,
        revision=1,
        state=TrialState.RUNNING,
        reader=status.name,
        driver=status.driver,
        device=status.detail,
        wanted=request.taps,
        operator=request.operator or "",
        started_at=at,
        ended_at="",
        taps=(),
    )
    return Holding(trial, now_ms + LEASE_MS, now_ms + IDLE_MS, pid=status.pid)


def looked(holding: Holding, now_ms: int) -> Holding:
    """The technician is there."""
    return replace(holding, until_look_ms=now_ms + LEASE_MS)


def labelled(holding: Holding, face: str | None) -> tuple[Holding, str]:
    """The trial that knows this card, and its label there. It is remembered by a hash with this process's salt."""
    if face is None:
        return holding, ""
    known = hash(face)
    faces = holding.faces if known in holding.faces else (*holding.faces, known)
    return replace(holding, faces=faces), label_of(faces.index(known))


def with_tap(holding: Holding, tap: Tap, now_ms: int) -> Holding:
    return replace(_changed(holding, taps=(*holding.trial.taps, tap)), until_tap_ms=now_ms + IDLE_MS, lies=False)


def with_repeat(holding: Holding) -> Holding:
    """The same card lies there still, or has come back too soon to count."""
    return replace(_changed(holding, repeats=holding.trial.repeats + 1), lies=True)


def with_process(holding: Holding, pid: int | None) -> Holding:
    """The reader runs in this process now, or in none; another one than before is a breakdown of that."""
    if pid is None or pid == holding.pid:
        return holding
    broke_down = holding.pid is not None
    return replace(_changed(holding, restarts=holding.trial.restarts + broke_down), pid=pid)


def ended(holding: Holding, state: TrialState, status: ReaderStatus, at: str) -> TrialView:
    """Judged, with the reader as it stands at the end."""
    trial = holding.trial
    judgement = judge(Evidence(trial.wanted, trial.taps, trial.restarts, _trouble(status)))
    return _changed(holding, state=state, ended_at=at, judgement=judgement).trial


def _trouble(status: ReaderStatus) -> str:
    if status.status is ReaderState.READY:
        return ""
    return " ".join(filter(None, (f"{status.status}, {status.detail}.", status.remedy)))


def _changed(holding: Holding, **more: Any) -> Holding:
    trial = msgspec.structs.replace(holding.trial, revision=holding.trial.revision + 1, **more)
    return replace(holding, trial=trial)
