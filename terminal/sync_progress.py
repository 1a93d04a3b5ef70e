"""How a pass to the ledger goes: its phase, its rate and the time that is left. Pure: samples in, words out."""

from enum import StrEnum
from typing import Final

import msgspec

WINDOW: Final = 20
"""Samples that the rate is taken from; one comes each second of a long pass."""
LEAST_MS: Final = 500
"""A rate over less than this is chance."""


class Phase(StrEnum):
    """Where a pass stands: `idle` before the first word, `started` and `running` while entries are on their way.

    `ended` when the ledger has heard everything, `failed` when it does not answer or refuses.
    """

    IDLE = "idle"
    STARTED = "started"
    RUNNING = "running"
    ENDED = "ended"
    FAILED = "failed"


class Progress(msgspec.Struct, frozen=True):
    """`sent` entries of this pass are in the ledger's custody, `left` are not; None where too little is known yet.

    `per_s` is the rate of the last seconds; `remaining_s` counts on it, and that the till goes on selling as now.
    """

    sent: int
    left: int
    per_s: float | None = None
    remaining_s: float | None = None


class Sample(msgspec.Struct, frozen=True):
    """At a time of a clock that never goes back: so many sent in this pass, so many left."""

    at_ms: int
    sent: int
    left: int


class Pass(msgspec.Struct, frozen=True):
    """The last samples of the pass that runs, and what it has come to."""

    phase: Phase = Phase.IDLE
    samples: tuple[Sample, ...] = ()

    @property
    def progress(self) -> Progress | None:
        """None unless entries are on their way."""
        return progress(self.samples) if self.samples else None


def advanced(before: Pass, sample: Sample, *, reachable: bool, resting: bool) -> Pass:
    """What a report of the ledger's side makes of it; `resting` when nothing is being sent."""
    if not reachable:
        return Pass(Phase.FAILED)
    if resting or not (sample.left or before.samples):
        return Pass(Phase.ENDED)
    goes_on = before.samples and sample.sent >= before.samples[-1].sent
    if not goes_on:
        return Pass(Phase.STARTED, (sample,))
    return Pass(Phase.RUNNING, (*before.samples, sample)[-WINDOW:])


def progress(samples: tuple[Sample, ...]) -> Progress:
    """Of at least one sample, the oldest first."""
    first, last = samples[0], samples[-1]
    took_ms, sent = last.at_ms - first.at_ms, last.sent - first.sent
    if took_ms < LEAST_MS or sent <= 0:
        return Progress(last.sent, last.left)
    per_s = sent * 1000 / took_ms
    shrinks_by = (first.left - last.left) * 1000 / took_ms
    remaining_s = round(last.left / shrinks_by, 1) if shrinks_by > 0 else None
    return Progress(last.sent, last.left, round(per_s, 1), remaining_s)
