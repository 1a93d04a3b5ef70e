"""Routes for what is in the journal and its way to the ledger."""

from typing import Final

from offline_queue.entry import State
from terminal.api import rest
from terminal.api.callers import Caller
from terminal.api.families.recurring import AFTER, ASKING, LIMIT
from terminal.api.routes import Answer, Parameter, Route
from terminal.api.shapes import Due, Outcomes

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET",
        "/v1/queue",
        rest.queue,
        "The journal's transactions, stream by stream, the oldest first",
        Caller.PAGE,
        {200: Answer("A page of them.", Outcomes)},
        (*ASKING, "invalid"),
        (AFTER, LIMIT, Parameter("state", "query", "Only these.", {"type": "string", "enum": list(State)})),
    ),
    Route(
        "POST",
        "/v1/sync",
        rest.sync,
        "Start a pass to the ledger now",
        Caller.POS,
        {202: Answer("Started; watch the events for its end.", Due)},
        ASKING,
    ),
)
