"""Routes for what waits for a decision by a person."""

from typing import Final

from terminal.api import rest
from terminal.api.callers import Caller
from terminal.api.families.recurring import AFTER, ASKING, KEY, LIMIT, REPLAYED, SENDING
from terminal.api.routes import Answer, Parameter, Route
from terminal.disputes.shapes import Dispute, Disputes, ResolutionAnswer, ResolutionRequest

_CONFLICT: Final = Parameter("id", "path", "The id of the transaction.", {"type": "string"}, required=True)

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET",
        "/v1/conflicts",
        rest.conflicts,
        "Transactions that wait for a person's decision",
        Caller.PAGE,
        {200: Answer("A page of them, oldest first.", Disputes)},
        (*ASKING, "invalid"),
        (AFTER, LIMIT),
    ),
    Route(
        "GET",
        "/v1/conflicts/{id}",
        rest.conflict,
        "One of them, or one that was settled",
        Caller.POS,
        {200: Answer("As it stands now.", Dispute)},
        (*ASKING, "not_found", "not_in_dispute"),
        (_CONFLICT,),
    ),
    Route(
        "POST",
        "/v1/conflicts/{id}/resolution",
        rest.resolve,
        "Decide on one: it counts, or it does not",
        Caller.POS,
        {
            200: Answer("The same decision came before: its first answer again.", ResolutionAnswer, headers=REPLAYED),
            201: Answer("Durable: the decision is on the disk.", ResolutionAnswer),
        },
        (
            *SENDING,
            "not_found",
            "not_in_dispute",
            "not_here",
            "idempotency_key_missing",
            "idempotency_key_reused",
            "not_recorded",
        ),
        (
            _CONFLICT,
            Parameter("Idempotency-Key", "header", "Your own name for this decision; it has one without.", KEY),
        ),
        body=ResolutionRequest,
    ),
)
