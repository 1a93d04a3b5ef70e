"""Routes of the technician's page."""

from typing import Final

from terminal.api import technician
from terminal.api.callers import Caller
from terminal.api.families.recurring import SENDING
from terminal.api.routes import Answer, Route

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET",
        "/technician",
        technician.page,
        "The technician's page",
        Caller.ANYONE,
        {200: Answer("The page; it asks for the token in technician.token.", media_type="text/html")},
    ),
    Route(
        "GET",
        "/technician/session",
        technician.session,
        "Whether this browser is logged in",
        Caller.ANYONE,
        {200: Answer("Open or not.", technician.SessionView)},
    ),
    Route(
        "POST",
        "/technician/session",
        technician.log_in,
        "Log in with the technician's token",
        Caller.ANYONE,
        {201: Answer("Open, with its cookie.", technician.SessionView)},
        SENDING,
        body=technician.LogIn,
    ),
    Route(
        "DELETE",
        "/technician/session",
        technician.log_out,
        "Log out",
        Caller.ANYONE,
        {204: Answer("Closed, or it was not open.")},
    ),
)
