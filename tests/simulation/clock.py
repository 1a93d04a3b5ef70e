"""Time and chance of a simulated world: both follow from its seed."""

import random
from typing import Final

DAY_MS: Final = 86_400_000


class WorldClock:
    """One clock for all; it moves only when somebody takes time."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.now_ms = chance, 1_000_000

    def pass_ms(self, milliseconds: int) -> None:
        self.now_ms += milliseconds


class SimulatedTimepiece:
    """The clock as one machine sees it: its wall clock is wrong by `skew_ms`, its boot id is its own."""

    def __init__(self, clock: WorldClock, boot_id: str, skew_ms: int = 0) -> None:
        self._clock, self.boot_id, self.skew_ms = clock, boot_id, skew_ms
        self.chance = random.Random(clock.chance.random())

    def unix_ms(self) -> int:
        return 1_767_225_600_000 + self._clock.now_ms + self.skew_ms

    def boottime_ms(self) -> int:
        return self._clock.now_ms

    def random(self, count: int) -> bytes:
        return self.chance.randbytes(count)
