"""The reading ladder at this counter: which readers are there, how far up the cashier is, what has failed so far."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from drivers.base import CardUnreadable, ReaderState, Technology
from offline_queue.timepiece import Timepiece
from offline_queue.words import Words, in_a_row
from terminal.config import ReaderConfig
from terminal.counter.ladder import FORGET_MS, GROUND, Step, Way, after, beginning, possible, upward
from terminal.counter.ladder_words import say
from terminal.counter.refusals import Refused
from terminal.inbox import ReaderStatus
from terminal.pos import Refusal, Rung

MOST_STRUGGLES: Final = 20
"""Remembered failures by technology: more say nothing more of a card, and a broken reader may fail for ever."""

_MATRIX: Final = frozenset({"qr", "aztec", "pdf417", "datamatrix"})
_WAYS: Final = {
    "pcsc": frozenset({Way.CHIP}),
    "contactless": frozenset({Way.CHIP}),
    "serial_line": frozenset({Way.QR, Way.BAR}),
    "keyboard_wedge": frozenset({Way.QR, Way.BAR}),
    "simulated": frozenset(Way),
}
"""By driver. What a scanner takes is not known to us: most of those that are sold take both kinds."""
_OWN_WORDS: Final = frozenset(
    {"card_blocked", "payment_card", "check_digit", "too_short", "too_long", "format", "replayed"}
    | {"stale_code", "foreign_link", "not_authentic"}
)
"""Reasons whose own advice says more than the ladder's first sentence, and names no reader that may be absent."""


def ways_of(driver: str, options: Mapping[str, Any]) -> frozenset[Way]:
    """What a reader takes, by its config; nothing for a driver that we do not know."""
    if driver != "camera":
        return _WAYS.get(driver, frozenset())
    symbologies = options.get("symbologies")
    if symbologies is None:
        return frozenset({Way.QR, Way.BAR})
    return frozenset(Way.QR if one in _MATRIX else Way.BAR for one in symbologies)


@dataclass(frozen=True)
class Advice:
    """What the cashier does now: `step` of `ladder`, None where no other way of reading helps; `next` in words."""

    step: Step | None
    next: tuple[Words, ...]
    ladder: tuple[Rung, ...]


class LadderDesk:
    """Used by the till's thread alone. `states` are the readers as they are, which the till keeps up to date, and
    `held` the names of those that a technician tests now.
    """

    def __init__(
        self,
        rungs: Sequence[Step],
        readers: Sequence[ReaderConfig],
        states: Mapping[str, ReaderStatus],
        timepiece: Timepiece,
        *,
        claims: bool,
        held: Collection[str] = (),
    ) -> None:
        self._held = held
        self._rungs, self._states, self._timepiece, self._claims = rungs, states, timepiece, claims
        self._ways = {reader.name: ways_of(reader.driver, reader.options) for reader in readers}
        self._climb = GROUND
        self._struggles: dict[Technology, list[str]] = {}
        self._heard = False

    def card_failed(self, failure: CardUnreadable) -> Advice:
        """The reader's own word on a card, which is remembered until a card is read."""
        advice = self.failed(failure.reason, failure.technology)
        before = self._struggles.setdefault(failure.technology, [])
        if len(before) < MOST_STRUGGLES:
            before.append(failure.reason)
        return advice

    def failed(self, reason: str, technology: Technology = Technology.UNKNOWN, own: Sequence[Words] = ()) -> Advice:
        """One more failure; `own` is the reason's own advice."""
        now, can = self._timepiece.boottime_ms(), self._possible()
        if now - self._climb.at_ms > FORGET_MS:
            self.reset()
        self._climb = after(self._climb, reason, technology, can, now)
        self._heard = True
        return self._advice(own if reason in _OWN_WORDS and self._climb.step is beginning(reason) else ())

    def listen(self) -> None:
        """A POS begins to wait for a card."""
        self._heard = False

    def unheard(self) -> Advice:
        """The wait is over. If nothing has failed meanwhile, that no reader has noticed a card is the failure."""
        return self._advice(()) if self._heard else self.failed("no_card")

    def refusal(self, why: Refused, technology: Technology) -> Refusal:
        """A card that is refused, for the POS."""
        advice = self.failed(why.reason, technology, why.steps)
        return card_refused(why, advice)

    def struggles(self) -> dict[Technology, list[str]]:
        """Why cards could not be read since the last one that could, by technology as far as the reader knew it."""
        return self._struggles

    def reset(self) -> None:
        """A card is known, or the sale is made: the next failure is another customer's."""
        self._climb = GROUND
        self._struggles = {}

    def _advice(self, own: Sequence[Words]) -> Advice:
        steps = upward(self._climb, self._possible())
        spoken = [say(step, claims=self._claims) for step in steps]
        return Advice(self._climb.step, tuple(own or spoken[:1]), tuple(map(Rung, steps, spoken)))

    def _possible(self) -> frozenset[Step]:
        states = self._states.items()
        ready = [name for name, state in states if state.status is ReaderState.READY and name not in self._held]
        return possible((way for name in ready for way in self._ways.get(name, ())), self._rungs)


def card_refused(why: Refused, advice: Advice) -> Refusal:
    """In one text for people, and apart for programs."""
    return Refusal("card_refused", in_a_row([why.detail, *advice.next]), why.reason, advice.next, advice.step)
