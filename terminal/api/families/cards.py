"""Routes for a card's state and what happens to it."""

from typing import Final

from offline_queue.entry import Happening
from terminal.api import rest
from terminal.api.callers import Caller
from terminal.api.families.recurring import ASKING, KEY, NUMBER, REPLAYED, SENDING
from terminal.api.routes import Answer, Parameter, Route
from terminal.api.shapes import CardAnswer, CardEventRequest, PhoneQuestion, ReplacementRequest
from terminal.cards.phone_lookup import PhoneCards
from terminal.pos import CardEventAnswer


def _happens(happening: Happening, summary: str, caller: Caller = Caller.POS) -> Route:
    """A route by which a person says what has happened to a card."""
    replaced = happening is Happening.REPLACE
    return Route(
        "POST",
        f"/v1/cards/{{number}}/{happening}",
        rest.happens(happening),
        summary,
        caller,
        {
            200: Answer("The same request came before: its first answer again.", CardEventAnswer, headers=REPLAYED),
            201: Answer("Durable, and so at this till from now on.", CardEventAnswer),
        },
        (*SENDING, "not_found", "card_refused", "idempotency_key_reused", "not_recorded"),
        (NUMBER, Parameter("Idempotency-Key", "header", "Your own name for this event, if you have one.", KEY)),
        body=ReplacementRequest if replaced else CardEventRequest,
        body_required=replaced,
    )


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET",
        "/v1/cards/{number}",
        rest.card,
        "Card and account as the till knows them",
        Caller.POS,
        {200: Answer("With the time of the last certain balance.", CardAnswer)},
        (*ASKING, "not_found", "invalid", "card_refused"),
        (NUMBER,),
    ),
    _happens(Happening.ACTIVATE, "The card is a customer's from now on"),
    _happens(Happening.BLOCK, "The card may not be used"),
    _happens(Happening.UNBLOCK, "The card may be used again", Caller.TECHNICIAN),
    _happens(Happening.REPLACE, "Another card takes its place; balance and history stay"),
    Route(
        "POST",
        "/v1/phone-lookups",
        rest.find_by_phone,
        "Find a customer's cards by phone number, at the ledger",
        Caller.POS,
        {200: Answer("At least one; ask for the card itself before you use it.", PhoneCards)},
        (*SENDING, "not_found", "ledger_unreachable"),
        body=PhoneQuestion,
    ),
    Route(
        "POST",
        "/v1/cards/{number}/resync",
        rest.resync_card,
        "Fetch from the ledger what the card is now",
        Caller.POS,
        {200: Answer("As the ledger says; as last known where `reached` is false.", CardAnswer)},
        (*ASKING, "not_found", "invalid", "card_refused"),
        (NUMBER,),
    ),
)
