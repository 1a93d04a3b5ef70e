"""Allowances as the books hold them."""

from enum import StrEnum

import msgspec


class RightState(StrEnum):
    """An allowance's life: `open` becomes `consumed` or `released` by a record of its holder or of the office.

    `locked`: its holder has given it up, but a copy of that till may still use it, so its points stay held back.
    """

    OPEN = "open"
    LOCKED = "locked"
    CONSUMED = "consumed"
    RELEASED = "released"
    REFUSED = "refused"


class Right(msgspec.Struct, frozen=True, gc=False):
    """An allowance as the books hold it. `account` is None where the card was unknown.

    `asked` points where fewer were granted; `bound` is the later stream of its holder that it was confirmed for,
    `trusted` the one without a seal whose end was believed for that; `granted_at` in ms since 1970.
    """

    id: str
    terminal: str
    stream: str
    card: str
    points: int
    account: int | None
    state: RightState
    code: str | None = None
    asked: int | None = None
    bound: str | None = None
    trusted: str | None = None
    granted_at: int | None = None

    @property
    def holds_back(self) -> int:
        """Points that nobody else may be promised."""
        return self.points if self.state in (RightState.OPEN, RightState.LOCKED) else 0
