"""Loyalty: points are earned, redeemed, and both taken back."""

from decimal import Decimal
from typing import Final, Literal

from offline_queue.entry import Entry, Kind
from terminal.api.nexo import money
from terminal.api.nexo.answers import Body, Unfit
from terminal.api.nexo.exchange import LOYALTY, REBATE, day_of
from terminal.api.nexo.names import Shape
from terminal.api.nexo.originals import original_of, part_of
from terminal.api.nexo.sale_shapes import (
    LoyaltyAccountReq,
    OriginalTransaction,
    SaleData,
    card_of,
    many,
    original_id,
    shape_of,
)
from terminal.api.nexo.talk import Talk
from terminal.api.nexo.transactions import loyalty_body
from terminal.inbox import TransactionAsked
from terminal.pos import Amount, TransactionRequest

Type = Literal["Award", "Redemption", "Rebate", "AwardRefund", "RedemptionRefund", "RebateRefund"]

_REFUNDS: Final = {
    "AwardRefund": frozenset({Kind.EARN, Kind.CLAIM}),
    "RedemptionRefund": frozenset({Kind.REDEEM}),
    "RebateRefund": frozenset({Kind.REDEEM}),
}
"""What each kind of refund takes back."""


class LoyaltyAmount(Shape, frozen=True):
    """Points, or money that the till's own rule turns into points."""

    value: Decimal
    loyalty_unit: Literal["Point", "Monetary"] = "Point"
    currency: str | None = None


class LoyaltyData(LoyaltyAccountReq, frozen=True):
    """A card and what it gets or gives."""

    loyalty_amount: LoyaltyAmount | None = None


class Transaction(Shape, frozen=True):
    """`LoyaltyTransaction`; `total_amount` is what the customer pays."""

    loyalty_transaction_type: Type
    currency: str | None = None
    total_amount: Decimal | None = None
    original_poi_transaction: OriginalTransaction | None = None


class Request(Shape, frozen=True):
    """`LoyaltyRequest`."""

    sale_data: SaleData
    loyalty_transaction: Transaction
    loyalty_data: tuple[LoyaltyData, ...] | LoyaltyData = ()


async def move_points(talk: Talk) -> Body:
    """Recorded, or refused by the till."""
    asked = shape_of(talk.message.body, Request)
    request = request_of(asked)
    kind = asked.loyalty_transaction.loyalty_transaction_type
    if request.reverses is not None:
        request = refund_of(request, asked.loyalty_transaction, await original_of(talk, request.reverses))
    rebate = kind.startswith("Rebate")
    day = day_of(asked.sale_data.sale_transaction_id.time_stamp)
    key = talk.exchange.key(REBATE if rebate else LOYALTY, day)
    found = await talk.recorded(lambda reply: TransactionAsked(request, key, reply))
    return loyalty_body(found, talk.shop, rebate=rebate)


def request_of(asked: Request) -> TransactionRequest:
    """The same request as the till's other routes make it. Raises Unfit or Refusal. Pure."""
    transaction = asked.loyalty_transaction
    data = _one(asked)
    card = card_of(data)
    points, amount = _asked_for(transaction, data.loyalty_amount)
    receipt, operator = asked.sale_data.receipt(), asked.sale_data.operator
    if transaction.loyalty_transaction_type in _REFUNDS:
        reverses = original_id(transaction.original_poi_transaction)
        return TransactionRequest("reverse", card, points, amount, receipt, operator, reverses)
    if transaction.loyalty_transaction_type == "Award":
        if points is None and amount is None:
            raise Unfit("MessageFormat", "An Award needs LoyaltyAmount, or TotalAmount and Currency. No points moved.")
        return TransactionRequest("earn", card, points, amount, receipt, operator)
    if data.loyalty_amount is None:
        raise Unfit("MessageFormat", "LoyaltyAmount is missing: how many points are handed over? No points moved.")
    return TransactionRequest("redeem", card, points, amount, receipt, operator)


def _one(asked: Request) -> LoyaltyData:
    given = many(asked.loyalty_data)
    if len(given) > 1:
        raise Unfit("MessageFormat", "LoyaltyData names more than one card: send a message for each. No points moved.")
    return given[0] if given else LoyaltyData()


def _asked_for(transaction: Transaction, wanted: LoyaltyAmount | None) -> tuple[int | None, Amount | None]:
    """Points or an amount; of an Award without either, what the customer pays. A refund without either is in full."""
    if wanted is not None and wanted.loyalty_unit == "Point":
        return money.points(wanted.value), None
    if wanted is not None:
        return None, money.amount(wanted.value, wanted.currency or transaction.currency)
    if transaction.loyalty_transaction_type == "Award" and transaction.total_amount is not None:
        return None, money.amount(transaction.total_amount, transaction.currency)
    return None, None


def _refuse_other_kind(kind: Type, original: Entry) -> None:
    """Raises Unfit: a refund of the wrong kind would move points the wrong way."""
    if original.kind not in _REFUNDS[kind]:
        raise Unfit("NotAllowed", f"The original is of kind {original.kind}: {kind} does not undo it. No points moved.")


def refund_of(request: TransactionRequest, transaction: Transaction, original: Entry) -> TransactionRequest:
    """Of a sale, TotalAmount tells how much comes back where LoyaltyAmount does not. Raises Unfit."""
    _refuse_other_kind(transaction.loyalty_transaction_type, original)
    total, told = transaction.total_amount, request.points is not None or request.amount is not None
    if transaction.loyalty_transaction_type != "AwardRefund" or total is None or told:
        return request
    currency = transaction.currency or (original.amount.currency if original.amount else None)
    return part_of(request, money.amount(total, currency), original)
