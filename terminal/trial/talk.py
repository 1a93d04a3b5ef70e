"""The talk about trials: what a technician asks and what is answered, whatever carries it. Values only."""

from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec

from terminal.pos import Text
from terminal.trial.judging import Judgement
from terminal.trial.taps import Tap

MOST_TAPS: Final = 50
USUAL_TAPS: Final = 5

Taps = Annotated[int, msgspec.Meta(ge=1, le=MOST_TAPS)]


class TrialRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`reader` may be left out where there is only one; `operator` is who will stand on the sheet."""

    reader: Text | None = None
    taps: Taps = USUAL_TAPS
    operator: Text | None = None


class TrialState(StrEnum):
    """Only a running trial holds its reader."""

    RUNNING = "running"
    COMPLETE = "complete"  # every tap that was wanted has come
    STOPPED = "stopped"  # the technician has ended it
    ABANDONED = "abandoned"  # nobody looked any more, or no card came


class TrialView(msgspec.Struct, frozen=True):
    """A trial as it stands. `revision` grows with each change; `repeats` counts sights of a card that still lay there.

    `judgement` is there when it has ended, and so is its sheet.
    """

    id: str
    revision: int
    state: TrialState
    reader: str
    driver: str
    device: str
    wanted: int
    operator: str
    started_at: str
    ended_at: str
    taps: tuple[Tap, ...]
    repeats: int = 0
    restarts: int = 0
    judgement: Judgement | None = None


class Trials(msgspec.Struct, frozen=True):
    """The trials that this start of the till remembers, the newest first."""

    trials: list[TrialView]


@dataclass(frozen=True)
class Begin:
    """The reply becomes a TrialView. Raises Refusal `not_found` (no such reader), `invalid`, `busy`."""

    request: TrialRequest


@dataclass(frozen=True)
class Look:
    """The reply becomes a TrialView. Raises Refusal `not_found`. `watching`: the technician is there, go on."""

    id: str
    watching: bool = True


@dataclass(frozen=True)
class End:
    """The technician ends it; the reply becomes the TrialView, of one that has ended before, too."""

    id: str


@dataclass(frozen=True)
class SheetOf:
    """The reply becomes a SignedSheet. Raises Refusal `not_found`, and `busy` while the trial runs."""

    id: str


@dataclass(frozen=True)
class All:
    """The reply becomes Trials."""


@dataclass(frozen=True)
class TrialAsked:
    """An event of the inbox: a technician's word on trials."""

    asked: Begin | Look | End | SheetOf | All
    reply: "Future[Any]"


@dataclass(frozen=True)
class TrialDue:
    """An event of the inbox: a running trial's time may be over."""
