"""Routes for transactions: make one, and ask what became of it."""

from typing import Final

from terminal.api import rest
from terminal.api.callers import Caller
from terminal.api.families.recurring import ASKING, KEY, REPLAYED, SENDING
from terminal.api.rest import SVG
from terminal.api.routes import Answer, Parameter, Route
from terminal.pos import Outcome, TransactionAnswer, TransactionRequest

_ID: Final = Parameter("id", "path", "The id of the transaction's answer.", {"type": "string"}, required=True)

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "POST",
        "/v1/transactions",
        rest.transact,
        "Earn, redeem or reverse points",
        Caller.POS,
        {
            200: Answer("The same request came before: its first answer again.", TransactionAnswer, headers=REPLAYED),
            201: Answer("Durable: the entry is on the disk.", TransactionAnswer),
        },
        (
            *SENDING,
            "idempotency_key_missing",
            "not_found",
            "insufficient_points",
            "offline_limit",
            "card_refused",
            "idempotency_key_reused",
            "not_recorded",
        ),
        (
            Parameter(
                "Idempotency-Key",
                "header",
                "Your own name for this transaction; however often it is sent, it counts once.",
                KEY,
                required=True,
            ),
        ),
        body=TransactionRequest,
    ),
    Route(
        "GET",
        "/v1/transactions/{id}",
        rest.transaction,
        "What became of a transaction",
        Caller.POS,
        {200: Answer("As it stands now.", Outcome)},
        (*ASKING, "not_found"),
        (_ID,),
    ),
    Route(
        "GET",
        "/v1/transactions/{id}/claim.svg",
        rest.claim_picture,
        "The claim code of a sale, as a QR code for its receipt",
        Caller.PAGE,
        {200: Answer("A picture that grows with its place.", media_type=SVG)},
        (*ASKING, "not_found"),
        (_ID,),
    ),
    Route(
        "GET",
        "/v1/transactions",
        rest.transaction_by_key,
        "What became of a transaction whose answer was lost",
        Caller.POS,
        {200: Answer("As it stands now.", Outcome)},
        (*ASKING, "not_found", "idempotency_key_missing", "invalid"),
        (Parameter("idempotency_key", "query", "The key that it was sent with.", KEY, required=True),),
    ),
)
