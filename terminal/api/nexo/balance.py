"""BalanceInquiry: the points of a card, as the ledger says now or as they were known last."""

from typing import Any, Final

from offline_queue.entry import Card
from offline_queue.words import Words
from terminal.api.nexo.answers import Body, Unfit, balance_told, current, success
from terminal.api.nexo.names import Shape
from terminal.api.nexo.sale_shapes import LoyaltyAccountReq, account_shown, card_of, shape_of
from terminal.api.nexo.talk import Shop, Talk
from terminal.pos import CardNumber

_NO_CARD: Final = Words(
    "The ledger knows no such card. Activate it, or sell with it: that is kept.",
    "Le serveur de points ne connaît pas cette carte. Activez-la, ou vendez avec : les points sont gardés.",
)
_NO_BALANCE: Final = Words(
    "The ledger does not answer and this till knows no balance. Ask again later.",
    "Le serveur de points ne répond pas et cette caisse ne connaît aucun solde. Redemandez plus tard.",
)


class Request(Shape, frozen=True):
    """`BalanceInquiryRequest`; payment accounts are none of ours."""

    loyalty_account_req: LoyaltyAccountReq | None = None


async def inquire(talk: Talk) -> Body:
    """Waits for the ledger as long as a customer would."""
    asked = shape_of(talk.message.body, Request).loyalty_account_req
    card = card_of(asked) if asked is not None else None
    if card is None:
        raise Unfit("MessageFormat", "LoyaltyAccountReq names no card: LoyaltyAccountID or CardAcquisitionReference.")
    number, mode = await _number(talk, card)
    return body_of(await talk.desk.ask("card", number), mode, talk.shop)


def body_of(told: dict[str, Any], mode: str | None, shop: Shop) -> Body:
    """Raises Unfit where there is no balance to tell. Pure."""
    balance = told["balance"]
    if balance is None:
        if told["reached"]:
            raise Unfit("NotFound", _NO_CARD)
        raise Unfit("UnreachableHost", _NO_BALANCE)
    successor = told["successor"]
    status = {
        "Response": success(
            cardStatus=told["status"],
            successor=successor.number if successor else None,
            reached=told["reached"],
            **balance_told(balance),
        )
    }
    account = account_shown(told["card"].number, mode, shop.brand)
    return {**status, "LoyaltyAccountStatus": {"LoyaltyAccount": account, **current(balance), "LoyaltyUnit": "Point"}}


async def _number(talk: Talk, card: CardNumber) -> tuple[str, str | None]:
    """Number and entry mode of the card that is meant. Raises Refusal."""
    if card.read_id is None:
        mode = card.entry_mode if isinstance(card.entry_mode, str) else None
        return card.number or "", mode
    read: Card = await talk.desk.ask("read", card.read_id)
    return read.number, read.entry_mode
