"""TransactionStatus: what became of a message whose answer was lost. Abort: a message that is wanted no more."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from offline_queue.journal import Found
from offline_queue.words import Words
from terminal.api.nexo import exchange
from terminal.api.nexo.answers import SUCCESS, Body, Unfit, succeeded
from terminal.api.nexo.exchange import Exchange
from terminal.api.nexo.exchange_log import Noted
from terminal.api.nexo.names import Shape
from terminal.api.nexo.sale_shapes import shape_of
from terminal.api.nexo.talk import Shop, Talk
from terminal.api.nexo.transactions import loyalty_body, outlived, reversal_body, stored_value_body
from terminal.pos import Refusal

REPEATED: Final = frozenset({"CardAcquisition", "Loyalty", "Reversal", "StoredValue"})
"""Those for which the protocol has a place in RepeatedResponseMessageBody, and we an answer."""


_AT_IT: Final = Words(
    "The till is still at it. Ask again in a second.", "La caisse y travaille encore. Redemandez dans une seconde."
)
_STORED_VALUE: Final = {letter: kind for kind, letter in exchange.STORED_VALUE.items()}


class Reference(Shape, frozen=True):
    """`MessageReference`; what is not named is as in the header."""

    message_category: str | None = None
    service_id: str | None = None
    sale_id: str | None = None
    poi_id: str | None = None


class StatusRequest(Shape, frozen=True):
    """`TransactionStatusRequest`; without a reference it means the last transaction."""

    message_reference: Reference = Reference()


class AbortRequest(Shape, frozen=True):
    """`AbortRequest`."""

    message_reference: Reference
    abort_reason: str = ""


async def tell(talk: Talk) -> Body:
    """The answer again; `InProgress` while there is none, `NotFound` where nothing is known. Never guessed."""
    reference = shape_of(talk.message.body, StatusRequest).message_reference
    noted = _noted(talk, reference)
    meant = noted.exchange if noted else _exchange(talk, reference)
    category = noted.category if noted else reference.message_category
    running = talk.memory.running.get(meant)
    if running is not None and reference.message_category in (None, running.category):
        raise Unfit("InProgress", _AT_IT)
    kept = noted.answer if noted and noted.category in REPEATED else None
    # A refusal that is kept may be older than a repeat that was recorded: the journal has the last word.
    found = None if succeeded(kept) else await _journalled(talk, meant, category)
    if found is not None:
        return _repeated(talk, meant, *body_of(found, talk.shop))
    if kept is None:
        raise _nothing(noted)
    return _repeated(talk, meant, category or "", msgspec.json.decode(kept))


def _nothing(noted: Noted | None) -> Unfit:
    if noted is None or noted.category in REPEATED:
        return Unfit("NotFound", "This till has answered no such message, and has recorded nothing for it.")
    return Unfit(
        "NotFound",
        f"The protocol does not repeat answers to {noted.category}. Send it again as it was: nothing is done twice.",
    )


def body_of(found: Found, shop: Shop) -> tuple[str, Body]:
    """Category and answer of what the journal holds of an exchange; the letter of its key tells them apart. Pure."""
    match found.entry.key.split("-")[1]:
        case exchange.REVERSAL:
            return "Reversal", reversal_body(found)
        case letter if letter in _STORED_VALUE:
            return "StoredValue", stored_value_body(found, _STORED_VALUE[letter])
        case letter:
            return "Loyalty", loyalty_body(found, shop, rebate=letter == exchange.REBATE)


async def abort(talk: Talk) -> None:
    """Ends a wait for a card; what is being recorded cannot be ended. The protocol has no answer to it."""
    reference = shape_of(talk.message.body, AbortRequest).message_reference
    running = talk.memory.running.get(_exchange(talk, reference))
    if running is not None:
        running.ended.set()


def _exchange(talk: Talk, reference: Reference) -> Exchange:
    header = talk.header
    return Exchange(reference.poi_id or header.poi_id, reference.sale_id or header.sale_id, reference.service_id or "")


def _noted(talk: Talk, reference: Reference) -> Noted | None:
    meant = _exchange(talk, reference)
    if reference.service_id is None:
        return talk.memory.log.newest(meant.poi_id, meant.sale_id, REPEATED)
    noted = talk.memory.log.find(meant)
    return noted if noted and reference.message_category in (None, noted.category) else None


async def _journalled(talk: Talk, meant: Exchange, category: str | None) -> Found | None:
    if not meant.number:
        return None
    now = datetime.now(UTC)
    for key in meant.keys(category, now.date()):
        try:
            found: Found = await talk.desk.ask("recorded", key)
        except Refusal as refusal:
            if refusal.code != "not_found":
                raise
        else:
            if not outlived(found.entry, now):
                return found
    return None


def _repeated(talk: Talk, meant: Exchange, category: str, body: Body) -> Body:
    header: dict[str, Any] = {
        "MessageClass": "Service",
        "MessageCategory": category,
        "MessageType": "Response",
        "SaleID": meant.sale_id,
        "ServiceID": meant.number,
        "POIID": meant.poi_id,
        "ProtocolVersion": talk.header.protocol_version or "3.0",
    }
    reference = {name: header[name] for name in ("MessageCategory", "SaleID", "ServiceID", "POIID")}
    repeated = {"MessageHeader": header, "RepeatedResponseMessageBody": {f"{category}Response": body}}
    return {"Response": dict(SUCCESS), "MessageReference": reference, "RepeatedMessageResponse": repeated}
