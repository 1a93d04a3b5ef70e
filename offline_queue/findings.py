"""What a till finds out about its ledger, in words for the technician. Pure."""

from collections.abc import Mapping

from offline_queue.counted import counted
from offline_queue.wire import Marks, Order, OrderCode, Problem, ProblemCode, StreamHead, Welcome


def unfit(answer: Welcome, protocols: tuple[int, int], key: str | None) -> Problem | None:
    """Why this is not a ledger that we may go on with: people must look, and until then nothing is sent."""
    if not protocols[0] <= answer.protocol <= protocols[1]:
        return Problem("no common protocol version", 426, ProblemCode.PROTOCOL)
    if key is not None and answer.ledger_key != key:
        return Problem("another ledger's key", 426, ProblemCode.LEDGER_KEY)
    return None


def about(heads: Mapping[str, StreamHead], marks: Mapping[str, Marks], *, renewed: bool) -> tuple[Order, ...]:
    """What marks that are lower than before mean: the ledger told us so (`renewed`), or it contradicts itself."""
    missing = {uid: heads[uid].accepted - mark.accepted for uid, mark in marks.items()}
    count = sum(number for number in missing.values() if number > 0)
    if renewed:
        return (
            Order(
                OrderCode.LEDGER_RESTORED,
                "The ledger was put back from an older backup: what it had had of this till and lost is sent"
                f" again ({counted(count, 'record')}). Nothing is lost or counted twice; there is nothing to do here.",
            ),
        )
    if not count:
        return ()
    return (
        Order(
            OrderCode.CUSTODY_BROKEN,
            f"The ledger has lost {counted(count, 'record')} that it had acknowledged to this till, and has not said"
            " so. This till sends all of it again, so no point is lost; but the ledger's books cannot be trusted: tell"
            " head office. `tilld queue verify` checks the receipts that it has signed.",
        ),
    )
