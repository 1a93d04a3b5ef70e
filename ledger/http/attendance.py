"""How many tills there are to expect, by who has said hello lately; idle tills come the more seldom the more they are.

Pure: the clock (seconds, any origin) and chance (in [0, 1)) are arguments. A front end counts the tills that speak with
it: with several of them, each keeps its own share of hellos cheap.
"""

from typing import Final

LATELY_S: Final = 1800.0
"""Twice the longest time that an idle till stays away."""
HELLOS_PER_S: Final = 50.0
"""From idle tills in the mean: less than a tenth of what one front end serves."""
SHORTEST_S: Final = 30.0
LONGEST_S: Final = 900.0
"""An idle till hears of blocked cards and of a restored ledger within this."""
FAILING_S: Final = 5.0


def next_sync_after_s(tills: int) -> float:
    """When an idle till shall say hello again."""
    return min(max(SHORTEST_S, tills / HELLOS_PER_S), LONGEST_S)


def patience_s(tills: int, chance: float) -> int:
    """A Retry-After while the books cannot be used: who waits for them must not come back in step."""
    return int(FAILING_S + chance * (next_sync_after_s(tills) - FAILING_S))


class Attendance:
    """The tills that were seen within LATELY_S, and a little longer: two sets that take turns."""

    def __init__(self) -> None:
        self._now: set[str] = set()
        self._before: set[str] = set()
        self._since_s: float | None = None

    def seen(self, terminal: str, now_s: float) -> None:
        """An enrolled terminal has said hello."""
        if self._since_s is None or now_s >= self._since_s + LATELY_S:
            lapsed = self._since_s is not None and now_s >= self._since_s + 2 * LATELY_S
            self._now, self._before, self._since_s = set(), set() if lapsed else self._now, now_s
        self._now.add(terminal)

    @property
    def tills(self) -> int:
        return max(len(self._now), len(self._before))
