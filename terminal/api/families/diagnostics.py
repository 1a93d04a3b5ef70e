"""The route that examines the till."""

from typing import Final

from terminal.api.callers import Caller
from terminal.api.diagnostics import diagnostics
from terminal.api.families.recurring import ASKING
from terminal.api.routes import Answer, Parameter, Route
from terminal.doctor.findings import Diagnosis, Level
from terminal.doctor.resident import LEVELS
from terminal.doctor.sections import NAMES

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET",
        "/v1/diagnostics",
        diagnostics,
        "Everything that the till can tell of itself and its machine, with what mends it",
        Caller.PAGE,
        {200: Answer("Section by section; docs/doctor.md lists every code.", Diagnosis)},
        (*ASKING, "invalid"),
        (
            Parameter(
                "level",
                "query",
                "`external` also tries disk, network and readers; it needs the technician's token.",
                {"type": "string", "enum": list(LEVELS), "default": Level.INTERNAL},
            ),
            Parameter("section", "query", "Only this one.", {"type": "string", "enum": list(NAMES)}),
        ),
    ),
)
