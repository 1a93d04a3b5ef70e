"""The whole API: every route, family by family; who may take each and all it may answer stands in its family."""

from typing import Final

from terminal.api.families import (
    cards,
    claims,
    conflicts,
    diagnostics,
    history,
    monitoring,
    pages,
    queue,
    reads,
    status,
    technician,
    transactions,
    trials,
)
from terminal.api.routes import Route

ROUTES: Final[tuple[Route, ...]] = (
    *status.ROUTES,
    *reads.ROUTES,
    *transactions.ROUTES,
    *claims.ROUTES,
    *cards.ROUTES,
    *conflicts.ROUTES,
    *queue.ROUTES,
    *history.ROUTES,
    *trials.ROUTES,
    *monitoring.ROUTES,
    *diagnostics.ROUTES,
    *pages.ROUTES,
    *technician.ROUTES,
)
