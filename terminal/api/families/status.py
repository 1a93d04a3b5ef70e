"""Routes that show the till as it is, and as it changes."""

from typing import Final

from offline_queue.words import LANGUAGES
from terminal.api import rest
from terminal.api.callers import Caller
from terminal.api.families.recurring import ASKING, GUARDED
from terminal.api.routes import Answer, Parameter, Route
from terminal.api.shapes import Status

_LAST_ID: Final = Parameter("Last-Event-ID", "header", "The last id seen: goes on after it.", {"type": "string"})

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET",
        "/v1/status",
        rest.status,
        "The till at a glance",
        Caller.PAGE,
        {200: Answer("Ledger, queue, readers and clock.", Status)},
        ASKING,
    ),
    Route(
        "GET",
        "/v1/events",
        rest.events,
        "What happens, as it happens (server-sent events)",
        Caller.PAGE,
        {
            200: Answer(
                "Events card_read, card_unreadable, card_note, reader_status, display, trial, transaction, balance,"
                " sync, conflict, each with an id; `reset` when events are missing: ask for the status again.",
                media_type="text/event-stream",
            )
        },
        (*GUARDED, "invalid"),
        (
            _LAST_ID,
            Parameter(
                "after",
                "query",
                "The same, for clients that set no headers; `first` brings all that is kept.",
                {"type": "string"},
            ),
            Parameter(
                "language",
                "query",
                "Of the words for people, for clients that cannot say it in Accept-Language.",
                {"type": "string", "enum": list(LANGUAGES)},
            ),
        ),
    ),
)
