"""What is taken back: the transaction that a refund or a reversal names, and how much of it."""

from msgspec.structs import replace

from offline_queue.entry import Entry, Kind
from offline_queue.journal import Found
from terminal.api.nexo.answers import Unfit
from terminal.api.nexo.talk import Talk
from terminal.pos import Amount, Outcome, Refusal, TransactionRequest


async def original_of(talk: Talk, name: str) -> Entry:
    """By the POITransactionID of its answer. Raises Unfit, or Refusal."""
    try:
        outcome: Outcome = await talk.desk.ask("transaction", name)
    except Refusal as refusal:
        if refusal.code != "not_found":
            raise
        words = "This till has made no such transaction. No points moved. Take it back at the till where it was made."
        raise Unfit("NotFound", words) from None
    found: Found = await talk.desk.ask("recorded", outcome.idempotency_key)
    return found.entry


def part_of(request: TransactionRequest, amount: Amount, original: Entry) -> TransactionRequest:
    """Takes back what `amount` had earned; all that is left where it is the original's own.

    Raises Unfit where the POS gave the points itself: money says nothing about those. Pure.
    """
    counted = original.amount
    if original.kind is Kind.EARN and counted is None:
        words = "This sale was awarded in points: an AwardRefund says in LoyaltyAmount how many. No points moved."
        raise Unfit("MessageFormat", words)
    if counted is not None and (amount.value, amount.currency) == (counted.value, counted.currency):
        return request
    return replace(request, amount=amount)
