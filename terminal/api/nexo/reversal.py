"""Reversal: the till's own way to take a transaction back, wholly or for a part of its money."""

from decimal import Decimal
from typing import Literal

from terminal.api.nexo import money
from terminal.api.nexo.answers import Body
from terminal.api.nexo.exchange import REVERSAL, day_of
from terminal.api.nexo.names import Shape
from terminal.api.nexo.originals import original_of, part_of
from terminal.api.nexo.sale_shapes import OriginalTransaction, SaleData, original_id, shape_of
from terminal.api.nexo.talk import Talk
from terminal.api.nexo.transactions import reversal_body
from terminal.inbox import TransactionAsked
from terminal.pos import TransactionRequest


class Request(Shape, frozen=True):
    """`ReversalRequest`. `reversed_amount` is money of the programme's currency; without it all is taken back."""

    original_poi_transaction: OriginalTransaction
    reversal_reason: Literal["CustCancel", "MerchantCancel", "Malfunction", "Unable2Compl"]
    reversed_amount: Decimal | None = None
    sale_data: SaleData | None = None


async def reverse(talk: Talk) -> Body:
    """Recorded, or refused by the till."""
    asked = shape_of(talk.message.body, Request)
    request = request_of(asked)
    if asked.reversed_amount is not None:
        amount = money.amount(asked.reversed_amount, talk.shop.rule.currency)
        request = part_of(request, amount, await original_of(talk, request.reverses or ""))
    day = day_of(asked.sale_data.sale_transaction_id.time_stamp if asked.sale_data else None)
    key = talk.exchange.key(REVERSAL, day)
    return reversal_body(await talk.recorded(lambda reply: TransactionAsked(request, key, reply)))


def request_of(asked: Request) -> TransactionRequest:
    """All of it. Raises Unfit or Refusal. Pure."""
    sale = asked.sale_data
    return TransactionRequest(
        "reverse",
        receipt=sale.receipt() if sale else None,
        operator=sale.operator if sale else None,
        reverses=original_id(asked.original_poi_transaction),
    )
