"""StoredValue: for tills that know gift cards and no Loyalty message; and cards that are activated or replaced."""

from decimal import Decimal
from typing import Final, Literal

from offline_queue.entry import CardEvent, Happening
from terminal.api.nexo import money
from terminal.api.nexo.answers import Body, Unfit
from terminal.api.nexo.exchange import STORED_VALUE, day_of
from terminal.api.nexo.names import Shape
from terminal.api.nexo.sale_shapes import OriginalTransaction, SaleData, many, original_id, shape_of
from terminal.api.nexo.talk import Talk
from terminal.api.nexo.transactions import stored_value_body
from terminal.inbox import CardEventAsked, TransactionAsked
from terminal.pos import Amount, CardNumber, TransactionKind, TransactionRequest

Type = Literal["Activate", "Load", "Unload", "Reserve", "Reverse", "Duplicate"]

_KINDS: Final[dict[str, TransactionKind]] = {
    "Load": "earn",
    "Unload": "redeem",
    "Reserve": "redeem",
    "Reverse": "reverse",
}
"""Points are reserved by redeeming them; Reverse gives them back."""


class Account(Shape, frozen=True):
    """`StoredValueAccountID`: the libraries send `Value`, the protocol's documents say `StoredValueID`."""

    value: str | None = None
    stored_value_id: str | None = None
    entry_mode: tuple[str, ...] | str = ()

    @property
    def number(self) -> str:
        return self.value or self.stored_value_id or ""


class Data(Shape, frozen=True):
    """`StoredValueData`; an ItemAmount without Currency is points."""

    stored_value_transaction_type: Type
    stored_value_account_id: Account | None = None
    item_amount: Decimal | None = None
    currency: str | None = None
    original_poi_transaction: OriginalTransaction | None = None


class Request(Shape, frozen=True):
    """`StoredValueRequest`."""

    sale_data: SaleData
    stored_value_data: tuple[Data, ...] | Data


async def act(talk: Talk) -> Body:
    """Recorded, or refused by the till. A Duplicate names two cards: the old one, then the one that takes its place."""
    asked = shape_of(talk.message.body, Request)
    data = many(asked.stored_value_data)
    kind = kind_of(data)
    key = talk.exchange.key(STORED_VALUE[kind], day_of(asked.sale_data.sale_transaction_id.time_stamp))
    if kind in _KINDS:
        request = request_of(asked.sale_data, data[0])
        found = await talk.recorded(lambda reply: TransactionAsked(request, key, reply))
    else:
        asked.sale_data.receipt()
        event, number, operator = event_of(data), _number(data[0]), asked.sale_data.operator
        found = await talk.recorded(lambda reply: CardEventAsked(number, event, reply, operator, key))
    return stored_value_body(found, kind)


def request_of(sale: SaleData, data: Data) -> TransactionRequest:
    """Points that are loaded, reserved or given back. Raises Unfit or Refusal. Pure."""
    kind = _KINDS[data.stored_value_transaction_type]
    receipt, operator = sale.receipt(), sale.operator
    points, amount = _asked_for(data)
    if kind == "reverse":
        reverses = original_id(data.original_poi_transaction)
        return TransactionRequest(kind, None, points, amount, receipt, operator, reverses)
    if points is None and amount is None:
        raise Unfit("MessageFormat", "ItemAmount is missing. No points moved.")
    return TransactionRequest(kind, CardNumber(_number(data)), points, amount, receipt, operator)


def event_of(data: tuple[Data, ...]) -> CardEvent:
    """What happens to the first card. Pure."""
    if data[0].stored_value_transaction_type == "Activate":
        return CardEvent(Happening.ACTIVATE)
    return CardEvent(Happening.REPLACE, _number(data[1]))


def kind_of(data: tuple[Data, ...]) -> Type:
    """What all items ask for. Raises Unfit where they are not of one kind, or not as many as it takes. Pure."""
    kinds = {each.stored_value_transaction_type for each in data}
    kind = data[0].stored_value_transaction_type if len(kinds) == 1 else None
    if kind is None or len(data) != (2 if kind == "Duplicate" else 1):
        raise Unfit(
            "MessageFormat",
            "StoredValueData holds one item; a Duplicate two: the old card and the new one. No points moved.",
        )
    return kind


def _number(data: Data) -> str:
    number = data.stored_value_account_id.number if data.stored_value_account_id else ""
    if not number:
        raise Unfit("MessageFormat", "StoredValueAccountID.Value (the card's number) is missing. No points moved.")
    return number


def _asked_for(data: Data) -> tuple[int | None, Amount | None]:
    if data.item_amount is None:
        return None, None
    if data.currency:
        return None, money.amount(data.item_amount, data.currency)
    return money.points(data.item_amount), None
