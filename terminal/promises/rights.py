"""The rights to redeem that this till has asked for: each is used once or given back, and none is forgotten."""

from dataclasses import dataclass, field
from typing import Final

from offline_queue.journal import Allowance

IDLE_MS: Final = 60_000
"""A granted right waits this long for the POS to repeat its sale before it is given back."""


@dataclass
class Right:
    """One right. `wanted_by` is the idempotency key of what is being recorded with it.

    `ahead`: held for whoever comes with its card, since `seen_ms`. `valid` is False for one of an earlier start, until
    the ledger has confirmed it: a copy of this till may have it too.
    """

    allowance: Allowance
    granted: bool = False
    wanted_by: str | None = None
    idle_since_ms: int = 0
    ahead: bool = False
    valid: bool = True
    seen_ms: int = 0

    @property
    def idle(self) -> bool:
        """Granted and in nobody's hands."""
        return self.granted and self.wanted_by is None


@dataclass
class Rights:
    """Used by the till's thread alone."""

    by_id: dict[str, Right] = field(default_factory=dict)

    def add(self, allowance: Allowance, *, granted: bool = False, ahead: bool = False, valid: bool = True) -> Right:
        right = Right(allowance, granted, ahead=ahead, valid=valid)
        self.by_id[allowance.id] = right
        return right

    def reusable(self, key: str, card: str, points: int) -> Right | None:
        """The right that an earlier attempt of the same sale asked for, so that a repeat reserves nothing twice."""
        for right in self.by_id.values():
            wanted = right.allowance
            mine = right.wanted_by is None and right.valid and not right.ahead
            if mine and (wanted.key, wanted.card, wanted.points) == (key, card, points):
                return right
        return None

    def fitting(self, card: str, points: int) -> Right | None:
        """The smallest right held ahead that covers a redemption; two are never put together."""
        held = [right for right in self.ahead_of(card) if right.idle and right.allowance.points >= points]
        return min(held, key=lambda right: right.allowance.points, default=None)

    def most(self, card: str) -> int:
        """Points that the card may redeem at once without the ledger."""
        return max((right.allowance.points for right in self.ahead_of(card) if right.idle), default=0)

    def in_hand(self, card: str) -> int:
        """Points of the card that granted rights hold here, used in this moment or not."""
        return sum(
            right.allowance.points for right in self.by_id.values() if right.granted and right.allowance.card == card
        )

    def ahead_of(self, card: str) -> list[Right]:
        """Those held for a card that may be used in this start."""
        return [right for right in self.by_id.values() if right.ahead and right.valid and right.allowance.card == card]

    def left_idle(self, now_ms: int) -> list[Right]:
        """Granted rights that nobody has come back for."""
        return [
            right
            for right in self.by_id.values()
            if right.idle and not right.ahead and now_ms - right.idle_since_ms >= IDLE_MS
        ]
