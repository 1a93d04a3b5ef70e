"""CardAcquisition: the customer presents a card; a Loyalty message names it afterwards by its POITransactionID."""

import asyncio
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any, Final

from drivers.base import ReaderState
from offline_queue.words import Language, Words, in_a_row
from terminal.api.desk import answer, settled
from terminal.api.nexo.answers import Body, Unfit, balance_told, success
from terminal.api.nexo.names import Shape
from terminal.api.nexo.sale_shapes import ENTRY_MODES, SaleData, account_shown, many, shape_of
from terminal.api.nexo.talk import Shop, Talk
from terminal.api.no_answer import STUCK_READING
from terminal.inbox import ReadAbandoned, ReadAsked
from terminal.pos import ReadAnswer

WAIT_S: Final = 25.0
"""The clients hang up after 30 s."""
GRACE_S: Final = 3.0


_NOT_READY: Final = Words(
    "No reader is ready ({told}). Key the number in, or mend the reader.",
    "Aucun lecteur n'est prêt ({told}). Saisissez le numéro, ou faites réparer le lecteur.",
)
_NO_READER: Final = Words("there is none", "il n'y en a pas")


class Transaction(Shape, frozen=True):
    """`CardAcquisitionTransaction`, as far as a loyalty card has to do with it."""

    loyalty_handling: str = "Allowed"
    allowed_loyalty_brand: tuple[str, ...] | str = ()
    force_entry_mode: tuple[str, ...] | str = ()


class Request(Shape, frozen=True):
    """`CardAcquisitionRequest`."""

    sale_data: SaleData
    card_acquisition_transaction: Transaction


async def acquire(talk: Talk) -> Body:
    """The till decides between card, time and abort, so that a card that comes at the last moment is not lost."""
    asked = shape_of(talk.message.body, Request)
    asked.sale_data.receipt()
    modes = entry_modes(asked.card_acquisition_transaction, talk.shop)
    await refuse_without_reader(talk)
    read = await card(talk, swipe_ahead(talk, modes) or begin(talk, modes))
    return body_of(read, asked.sale_data, talk.shop, datetime.now(UTC), talk.language)


def entry_modes(asked: Transaction, shop: Shop) -> frozenset[str]:
    """The till's words for what the POS wants, none for any. Raises Unfit where nothing is left that we could read."""
    if asked.loyalty_handling in {"Forbidden", "Processed"}:
        raise Unfit("NotAllowed", "This till reads loyalty cards alone, and LoyaltyHandling wants none.")
    brands = many(asked.allowed_loyalty_brand)
    if brands and shop.brand and shop.brand not in brands:
        raise Unfit("NotAllowed", f"The cards of this till are of the brand {shop.brand}, which is not allowed here.")
    wanted = [mode for mode in many(asked.force_entry_mode) if mode != "CheckReader"]
    modes = frozenset(ENTRY_MODES[mode] for mode in wanted if mode in ENTRY_MODES)
    if wanted and not modes:
        raise Unfit("UnavailableDevice", f"No reader of this till takes {', '.join(wanted)}.")
    return modes


async def refuse_without_reader(talk: Talk) -> None:
    """Raises Unfit where a customer would wait in vain."""
    readers = (await talk.desk.ask("status"))["readers"]
    if not any(reader.status is ReaderState.READY for reader in readers):
        told = "; ".join(f"{reader.name}: {reader.remedy or reader.detail}" for reader in readers)
        raise Unfit("UnavailableDevice", _NOT_READY.of(told=told or _NO_READER))


def swipe_ahead(talk: Talk, modes: frozenset[str]) -> ReadAsked | None:
    """The wait that this sale system has begun ahead, where its card is one that is wanted now; else it is over."""
    wait = talk.memory.ahead.pop(talk.header.sale_id, None)
    if wait is None:
        return None
    came = wait.reply.done() and wait.reply.exception() is None
    if modes and not (came and wait.reply.result().entry_mode in modes):
        talk.desk.put(ReadAbandoned("aborted", wait.reply))
        return None
    return wait


def begin(talk: Talk, modes: frozenset[str]) -> ReadAsked:
    asked = ReadAsked(modes, Future())
    talk.desk.put(asked)
    return asked


async def card(talk: Talk, wait: ReadAsked) -> ReadAnswer:
    """The card that comes. Raises Refusal: `no_card`, `aborted`, `busy`, or why the card will not do."""
    reply = wait.reply
    heard, ended = asyncio.create_task(settled(reply)), asyncio.create_task(talk.ended.wait())
    try:
        await asyncio.wait({heard, ended}, timeout=WAIT_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not reply.done():
            talk.desk.put(ReadAbandoned("aborted" if talk.ended.is_set() else "no_card", reply))
        heard.cancel()
        ended.cancel()
    read: ReadAnswer = await answer(reply, GRACE_S, STUCK_READING)
    return read


def body_of(read: ReadAnswer, sale: SaleData, shop: Shop, now: datetime, language: Language) -> Body:
    """What the POS is told of a card. Pure."""
    told: dict[str, Any] = {"technology": read.technology, "reader": read.reader, **balance_told(read.balance)}
    points = read.balance.points if read.balance else None
    stamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "Response": success(**told, points=points, hints=in_a_row(read.hints).said(language) or None, wear=read.wear),
        "SaleData": sale,
        "POIData": {"POITransactionID": {"TransactionID": read.read_id, "TimeStamp": stamp}},
        "LoyaltyAccount": [account_shown(read.card.number or "", read.entry_mode, shop.brand)],
    }
