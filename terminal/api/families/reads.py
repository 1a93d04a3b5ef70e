"""Routes by which a POS waits for a card."""

from typing import Final

from terminal.api import rest
from terminal.api.callers import Caller
from terminal.api.families.recurring import GUARDED, SENDING
from terminal.api.routes import Answer, Route
from terminal.api.shapes import ReadRequest
from terminal.pos import ReadAnswer

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "POST",
        "/v1/reads",
        rest.read,
        "Wait for the next card",
        Caller.POS,
        {200: Answer("A card was presented.", ReadAnswer)},
        (*SENDING, "no_card", "busy", "aborted", "card_refused"),
        body=ReadRequest,
        body_required=False,
    ),
    Route(
        "DELETE",
        "/v1/reads/current",
        rest.abort_read,
        "End the waiting read; its caller hears `aborted`",
        Caller.POS,
        {204: Answer("Nobody waits any more.")},
        GUARDED,
    ),
)
