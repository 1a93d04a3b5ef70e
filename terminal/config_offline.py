"""What a shop may set for redemptions while the ledger cannot be reached."""

from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise
from typing import Annotated

import msgspec

from offline_queue.entry import MAX_POINTS
from terminal.promises.allotments import Budget
from terminal.promises.floor_limits import Limits

Points = Annotated[int, msgspec.Meta(ge=1, le=MAX_POINTS)]
Many = Annotated[int, msgspec.Meta(ge=1, le=100_000)]


class Redeem(StrEnum):
    """How points may be promised without the ledger."""

    EARN_ONLY = "earn_only"
    ALLOWANCES = "allowances"
    FLOOR = "floor"


class Offline(msgspec.Struct, frozen=True):
    redeem: Redeem = Redeem.EARN_ONLY
    ahead_points: Points = 500
    ahead_total: Points = 20_000
    ahead_cards: Many = 100
    floor_per_transaction: Points = 500
    floor_per_card: Points = 500
    floor_total: Points = 5_000
    floor_count: Many = 20
    floor_balance_age_h: Annotated[int, msgspec.Meta(ge=1, le=8760)] = 72
    floor_online_check: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 20
    tills: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 2

    def budget(self) -> Budget | None:
        """What may be held ahead of need; None where nothing is."""
        if self.redeem is not Redeem.ALLOWANCES:
            return None
        return Budget(self.ahead_points, self.ahead_total, self.ahead_cards)

    def limits(self) -> Limits | None:
        """What may be promised without a right; None where nothing is."""
        if self.redeem is not Redeem.FLOOR:
            return None
        return Limits(
            self.floor_per_transaction,
            self.floor_per_card,
            self.floor_total,
            self.floor_count,
            self.floor_balance_age_h,
        )


def offline_problems(offline: Offline) -> Iterator[tuple[str, str]]:
    """What is wrong although each key alone is right: where, and what."""
    steps = ("floor_per_transaction", "floor_per_card", "floor_total")
    for smaller, larger in pairwise(steps):
        if getattr(offline, smaller) > getattr(offline, larger):
            yield f"offline.{smaller}", f"is larger than {larger}, so it would never count; lower it or raise {larger}."
    if offline.ahead_points > offline.ahead_total:
        yield "offline.ahead_points", "is larger than ahead_total: not one card could be given that many; lower it."
