"""Routes for browsers: the pages and what they are made of."""

from typing import Final

from terminal.api import pages
from terminal.api.callers import Caller
from terminal.api.routes import Answer, Parameter, Route

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET",
        "/",
        pages.cashier,
        "The page at the counter",
        Caller.ANYONE,
        {200: Answer("The page, with its read-only session cookie.", media_type="text/html")},
    ),
    Route(
        "GET",
        "/web/{file}",
        pages.asset,
        "What the page is made of",
        Caller.ANYONE,
        {200: Answer("Script, style or picture.", media_type="*/*")},
        ("not_found",),
        (Parameter("file", "path", "Its name.", {"type": "string"}, required=True),),
    ),
)
