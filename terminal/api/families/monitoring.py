"""Routes for machines that watch the till."""

from typing import Final

from terminal.api import rest
from terminal.api.callers import Caller
from terminal.api.metrics import MEDIA_TYPE
from terminal.api.routes import Answer, Route
from terminal.api.shapes import Health

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET",
        "/metrics",
        rest.metrics,
        "Counts for Prometheus",
        Caller.ANYONE,
        {200: Answer("Text exposition format 0.0.4.", media_type=MEDIA_TYPE)},
        ("unanswered",),
    ),
    Route(
        "GET",
        "/healthz",
        rest.health,
        "Whether the till's own thread answers",
        Caller.ANYONE,
        {200: Answer("It does.", Health)},
        ("unanswered",),
    ),
)
