"""Frames to presentations: each frame is looked at as it is and on one more rung of the ladder, in turn.

A text is told once while it is there. Frames are also laid over each other, for where light is scarce or a lamp is
mirrored. Time is an argument, in seconds of any clock that does not go back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from drivers.decoding import ladder, scene
from drivers.decoding.rungs import RUNGS, Rung
from drivers.decoding.symbol import EVERYTHING, Floats, Gray, Symbol, Symbology, Wanted

AWAY_S: Final = 1.5
"""For so long a text must not be seen to be presented again: a trembling hand is one presentation."""
STIR_S: Final = 2.0
"""After a movement the harder rungs are climbed for so long in every frame, then in every CALM-th."""
CALM: Final = 6
REST: Final = 2
"""Where nothing has stirred and no card is there only every REST-th frame is looked at."""
STUCK_S: Final = 3.0
"""A symbol that is there for so long and cannot be read is told as unreadable."""
EACH_STACK: Final = 4
"""Frames from one look at the stack to the next."""
MOST_EFFORT: Final = 99

_PLAIN: Final = (RUNGS["plain"],)
_TURNS: Final = tuple(
    tuple(RUNGS[name] for name in names)
    for names in (
        ("located", "levelled", "doubtful"),
        ("found_qr", "soft_qr"),
        ("thresholded", "half"),
        ("soft_ean",),
        ("sharpened", "opened", "soft_qr"),
        ("levelled_strips", "zbar"),
    )
)
_STACKED: Final = tuple(RUNGS[n] for n in ("plain", "levelled", "located", "found_qr", "soft_qr", "soft_ean"))


@dataclass(frozen=True, slots=True)
class Unread:
    """A symbol has been held up for STUCK_S and could not be read."""


class History:
    """What a camera has seen lately."""

    def __init__(self, wanted: Wanted = EVERYTHING) -> None:
        self.wanted = wanted
        self._frames = 0
        self._before: Floats | None = None
        self._moved_at = float("-inf")
        self._stack = scene.Stack()
        self._present: dict[tuple[Symbology, str], float] = {}
        self._follow: tuple[Rung, ...] = ()
        self._tried = 0
        self._unread_from: float | None = None
        self._unread_at = float("-inf")
        self._told_unread = False

    def see(self, frame: Gray, now: float) -> list[Symbol | Unread]:
        """What this frame presents anew."""
        self._frames += 1
        small = scene.thumb(frame)
        if scene.moved(small, self._before):
            self._moved_at = now
        self._before = small
        if self._frames % REST and not self._stirred(now) and not self._is_present(now):
            return []
        if not scene.busy(frame) and not scene.dark(frame):
            self._tried = 0
            return []
        found, unread = self._looked(frame, now)
        return list(self._news(found, now)) if found else self._stuck(now, unread=unread)

    def _stirred(self, now: float) -> bool:
        return now - self._moved_at <= STIR_S

    def _is_present(self, now: float) -> bool:
        return any(now - at <= AWAY_S for at in self._present.values())

    def _looked(self, frame: Gray, now: float) -> tuple[Sequence[Symbol], bool]:
        turn = self._turn(now)
        seen = ladder.looked(frame, self.wanted, _PLAIN + turn)
        if seen.symbols or not (turn or scene.dark(frame)):
            return seen.symbols, seen.unread
        self._tried += 1
        self._stack.add(frame)
        if self._tried % EACH_STACK or (clear := self._stack.picture()) is None:
            return (), seen.unread
        stacked = ladder.looked(clear, self.wanted, _STACKED)
        return stacked.symbols, seen.unread or stacked.unread

    def _turn(self, now: float) -> tuple[Rung, ...]:
        """The rungs for this frame: what has read the card that is there, else one after the other."""
        if self._is_present(now):
            return self._follow
        if self._stirred(now):
            return _TURNS[self._frames % len(_TURNS)]
        return () if self._frames % CALM else _TURNS[self._frames // CALM % len(_TURNS)]

    def _news(self, found: Sequence[Symbol], now: float) -> Sequence[Symbol]:
        fresh = [s for s in found if now - self._present.get((s.symbology, s.text), float("-inf")) > AWAY_S]
        self._present = {key: at for key, at in self._present.items() if now - at <= AWAY_S}
        self._present |= {(s.symbology, s.text): now for s in found}
        if fresh:
            self._follow = next((turn for turn in _TURNS if fresh[0].rung in {r.name for r in turn}), ())
        effort, self._tried = self._tried, 0
        self._unread_from, self._told_unread = None, False
        return [replace(s, effort=min(s.effort + effort, MOST_EFFORT)) for s in fresh]

    def _stuck(self, now: float, *, unread: bool) -> list[Symbol | Unread]:
        if now - self._unread_at > AWAY_S:
            self._unread_from, self._told_unread = None, False
        if not unread:
            return []
        self._unread_at = now
        if self._unread_from is None:
            self._unread_from = now
        if self._told_unread or now - self._unread_from < STUCK_S:
            return []
        self._told_unread = True
        return [Unread()]
