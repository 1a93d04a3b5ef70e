"""Loyalty passes of phones: why there is none, told alike by every wallet."""

from enum import StrEnum


class Reason(StrEnum):
    """Why there is no pass; stable codes."""

    ANOTHER_WALLET = "another_wallet"
    NO_PASS = "no_pass"  # noqa: S105 - a loyalty pass
    CHOOSE = "choose_pass"
    LOCKED = "phone_locked"
    OLD = "pass_of_another_time"
    NOT_TRUSTED = "terminal_not_trusted"
    REFUSED = "phone_refused"


class NoPass(Exception):
    """The phone gives none; `reason` tells the cashier what to say."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
