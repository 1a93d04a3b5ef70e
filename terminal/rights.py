"""The rights to redeem that this till has asked for: each is used once or given back, and none is forgotten."""

from dataclasses import dataclass, field
from typing import Final

from offline_queue.journal import Allowance

IDLE_MS: Final = 60_000
"""A granted right waits this long for the POS to repeat its sale before it is given back."""


@dataclass
class Right:
    """One right. `wanted_by` is the idempotency key of the sale that waits for it or is being recorded with it."""

    allowance: Allowance
    granted: bool = False
    wanted_by: str | None = None
    idle_since_ms: int = 0


@dataclass
class Rights:
    """Used by the till's thread alone."""

    by_id: dict[str, Right] = field(default_factory=dict)

    def add(self, allowance: Allowance, *, granted: bool = False, wanted_by: str | None = None) -> Right:
        right = Right(allowance, granted, wanted_by)
        self.by_id[allowance.id] = right
        return right

    def reusable(self, key: str, card: str, points: int) -> Right | None:
        """The right that an earlier attempt of the same sale asked for, so that a repeat reserves nothing twice."""
        for right in self.by_id.values():
            wanted = right.allowance
            if right.wanted_by is None and (wanted.key, wanted.card, wanted.points) == (key, card, points):
                return right
        return None

    def left_idle(self, now_ms: int) -> list[Right]:
        """Granted rights that nobody has come back for."""
        return [
            right
            for right in self.by_id.values()
            if right.granted and right.wanted_by is None and now_ms - right.idle_since_ms >= IDLE_MS
        ]
