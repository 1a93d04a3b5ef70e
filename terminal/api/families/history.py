"""Routes that tell of the last days."""

from typing import Final

from terminal.api.callers import Caller
from terminal.api.families.recurring import ASKING
from terminal.api.past import MOST_HOURS, MOST_STEP_MIN, history
from terminal.api.routes import Answer, Parameter, Route
from terminal.history.shapes import History

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET",
        "/v1/history",
        history,
        "The last days: reads at each reader, the queue, and how long the ledger took",
        Caller.PAGE,
        {200: Answer("Stretches of time, the oldest first.", History)},
        (*ASKING, "invalid"),
        (
            Parameter(
                "hours",
                "query",
                "How far back.",
                {"type": "integer", "minimum": 1, "maximum": MOST_HOURS, "default": MOST_HOURS},
            ),
            Parameter(
                "step",
                "query",
                "Minutes in a stretch, a multiple of 5.",
                {"type": "integer", "minimum": 5, "maximum": MOST_STEP_MIN, "multipleOf": 5, "default": 5},
            ),
        ),
    ),
)
