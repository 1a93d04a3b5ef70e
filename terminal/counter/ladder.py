"""The reading ladder: what a cashier tries next when a card will not be read. Pure; the rungs are data.

From rung to rung it only goes up, each rung is tried so often and no more, and the last one can always be done.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from drivers.base import Technology


class Step(StrEnum):
    """The rungs, in the order in which they cost a queue time."""

    TAP_AGAIN = "tap_again"
    TURN = "turn"
    SCAN_QR = "scan_qr"
    SCAN_BAR = "scan_bar"
    KEY_NUMBER = "key_number"
    PHONE = "phone"
    NO_CARD = "no_card"


class Way(StrEnum):
    """What a reader can take."""

    CHIP = "chip"
    QR = "qr"
    BAR = "bar"


ORDER: Final = tuple(Step)
LAST: Final = Step.NO_CARD
NEEDS: Final = {Step.TAP_AGAIN: Way.CHIP, Step.TURN: Way.CHIP, Step.SCAN_QR: Way.QR, Step.SCAN_BAR: Way.BAR}
"""What a rung needs of a reader; the others need none."""
TRIES: Final = {Step.KEY_NUMBER: 2}
"""How often a rung is advised in a row where that is more than once: people mistype."""
FORGET_MS: Final = 90_000
"""A failure so long after the one before is another customer's."""

_PRINTED: Final = {
    **dict.fromkeys((Technology.QR, Technology.AZTEC, Technology.PDF417, Technology.DATAMATRIX), Step.SCAN_QR),
    **dict.fromkeys((Technology.EAN, Technology.CODE128, Technology.CODE39, Technology.ITF), Step.SCAN_BAR),
    Technology.KEYED: Step.KEY_NUMBER,
}
_CHIP_IS_NO_USE: Final = (
    "phone",
    "random_uid",
    "no_number",
    "imitation",
    "unsupported_card",
    "no_pass",
    "choose_pass",
    "phone_refused",
    "pass_of_another_time",
    "terminal_not_trusted",
)
_SCANS: Final = ("half_scan", "scan_again", "no_code", "code_unreadable", "stale_code", "foreign_link")
FIRST: Final = {
    **dict.fromkeys((*_CHIP_IS_NO_USE, *_SCANS, "foreign_number", "too_long", "format"), Step.SCAN_QR),
    **dict.fromkeys(("check_digit", "too_short"), Step.KEY_NUMBER),
}
"""The lowest rung worth a try after a failure of this reason; after any other the card is presented again."""
NO_LADDER: Final = frozenset({"card_blocked", "payment_card", "setup_code", "wrong_layout"})
"""Reasons that no other way of reading mends."""


@dataclass(frozen=True)
class Climb:
    """How far up the cashier is: `step` was advised `tries` times, the last time at `at_ms` of a steady clock."""

    step: Step | None = None
    tries: int = 0
    at_ms: int = 0


GROUND: Final = Climb()
"""Nothing has failed."""


def possible(ways: Iterable[Way], rungs: Collection[Step]) -> frozenset[Step]:
    """Which of the programme's `rungs` can be done with readers that take these `ways`; the last one always."""
    can = set(ways)
    return frozenset({LAST} | {step for step in rungs if step not in NEEDS or NEEDS[step] in can})


def after(climb: Climb, reason: str, technology: Technology, can: Collection[Step], now_ms: int) -> Climb:
    """Where to go after one more failure; `can` is of possible()."""
    if reason in NO_LADDER:
        return GROUND
    if now_ms - climb.at_ms > FORGET_MS:
        climb = GROUND
    step = next(step for step in ORDER[_lowest(climb, reason, technology) :] if step in can)
    return Climb(step, climb.tries + 1 if step is climb.step else 1, now_ms)


def upward(climb: Climb, can: Collection[Step]) -> tuple[Step, ...]:
    """The rungs from the present one up."""
    if climb.step is None:
        return ()
    return tuple(step for step in ORDER[ORDER.index(climb.step) :] if step in can)


def beginning(reason: str) -> Step | None:
    """The rung at which a climb for this reason begins, None where no other way of reading helps."""
    return None if reason in NO_LADDER else FIRST.get(reason, ORDER[0])


def _lowest(climb: Climb, reason: str, technology: Technology) -> int:
    first = max(ORDER.index(beginning(reason) or LAST), ORDER.index(_PRINTED.get(technology, ORDER[0])))
    if climb.step is None:
        return first
    tried_out = climb.tries >= TRIES.get(climb.step, 1) and climb.step is not LAST
    return max(first, ORDER.index(climb.step) + tried_out)
