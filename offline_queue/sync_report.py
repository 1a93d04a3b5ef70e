"""How the ledger stands, as a person sees it: the sync's report, and its trouble in words. Pure."""

from typing import Final

import msgspec

from offline_queue.wire import Order, ProblemCode


class SyncReport(msgspec.Struct, frozen=True):
    """How the ledger stands: `next_attempt` and `last_success` are RFC 3339, `accepted` records in the last pass.

    `detail` is a sentence for people; `ledger_time` the ledger's own clock as last heard; `orders` what was found out
    about this till or its ledger, for the technician.
    """

    reachable: bool
    last_success: str | None
    next_attempt: str | None
    detail: str
    accepted: int = 0
    ledger_time: str | None = None
    orders: tuple[Order, ...] = ()


NOT_YET: Final = SyncReport(False, None, None, "The ledger has not been asked yet; sales wait in the journal.")
STILL_WAITING: Final = (
    "The pause of before this start goes on; sales wait in the journal. `tilld sync` asks the ledger now."
)
FINE: Final = "The ledger has heard everything."
ANOTHER_KEY: Final = (
    "This ledger does not sign with the key that this till knows, so it may be a stranger and is sent nothing. Sales go"
    " on and their points are kept in this till's journal: have head office put the ledger's own ledger.key back. If"
    " that is gone for good, write the new key as public_key in [ledger] and start tilld again."
)


def in_words(trouble: str, alarm: str | None) -> str:
    """What happened, what it means for the points, what to do."""
    what = f"{trouble[:1].upper()}{trouble[1:]}".rstrip(".")
    if alarm is None:
        return f"{what}. Sales go on; their points wait in this till's journal and are sent when the ledger is back."
    if alarm == ProblemCode.LEDGER_KEY:
        return ANOTHER_KEY
    return (
        f"The ledger refuses this till ({alarm}): {what}. Sales go on and their points are kept in this till's journal,"
        " but none reach the ledger: ask head office to enrol or update this terminal, then run `tilld sync`."
    )
