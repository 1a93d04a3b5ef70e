"""Routes for the claim codes of sales without a card."""

from typing import Final

from terminal.api import rest
from terminal.api.callers import Caller
from terminal.api.families.recurring import REPLAYED, SENDING
from terminal.api.routes import Answer, Route
from terminal.claims.shapes import ClaimAnswer, ClaimQuestion, ClaimRequest, ClaimView

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "POST",
        "/v1/claims/verify",
        rest.verify_claim,
        "What a claim code says, and whether this till can prove it",
        Caller.POS,
        {200: Answer("What it says of its sale.", ClaimView)},
        (*SENDING, "claim_unreadable"),
        body=ClaimQuestion,
    ),
    Route(
        "POST",
        "/v1/claims",
        rest.redeem_claim,
        "Credit a sale by its claim code",
        Caller.POS,
        {
            200: Answer(
                "The same code came before for the same card: its first answer again.", ClaimAnswer, headers=REPLAYED
            ),
            201: Answer("Durable: the claim is on the disk.", ClaimAnswer),
        },
        (
            *SENDING,
            "claim_unreadable",
            "claim_unproven",
            "claimed",
            "not_found",
            "card_refused",
            "idempotency_key_reused",
            "not_recorded",
        ),
        body=ClaimRequest,
    ),
)
