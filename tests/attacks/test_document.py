"""The OpenAPI document is the truth: whatever is generated from it, good or bad, is answered as it promises."""

from collections.abc import Iterator

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.core import NotSet
from schemathesis.specs.openapi.checks import ignored_auth

from terminal.api.callers import Caller
from terminal.api.openapi import document
from terminal.api.routes import Route
from terminal.api.table import ROUTES
from tests.attacks.conftest import RealApi

ENDLESS = "/v1/events"
SHORT_MS, LONGEST_MS = 20, 300_000

schema = schemathesis.openapi.from_dict(document(ROUTES, "0.1.0")).exclude(path=ENDLESS)
# A request that fits the document may still name a card that is none, a forged code or a wrong token: that is said.
schema.config.checks.positive_data_acceptance.expected_statuses = ["2xx", "401", "404", "408", "409", "422", "429"]


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def hurry(case: schemathesis.Case) -> None:
    """A read waits as long as it is told to, or half a minute; a test does not."""
    if isinstance(case.body, NotSet):
        case.body = {}
    wait_ms = case.body.get("timeout_ms", LONGEST_MS) if isinstance(case.body, dict) else None
    if type(wait_ms) is int and SHORT_MS < wait_ms <= LONGEST_MS:
        case.body["timeout_ms"] = SHORT_MS


@schema.parametrize()
@settings(derandomize=True, database=None, max_examples=15, suppress_health_check=list(HealthCheck))
def test_every_answer_is_promised(case: schemathesis.Case, api: RealApi, session: requests.Session) -> None:
    """Status, media type, headers and shape; bad data refused, good data taken, other methods not allowed."""
    if case.path == "/v1/reads":
        hurry(case)
    case.call_and_validate(
        base_url=f"http://{api.address}",
        headers={"Authorization": f"Bearer {api.technician}"},
        session=session,
        timeout=60,
        # One wrong token for each of a thousand cases is what the till slows down; below is one for each route.
        excluded_checks=[ignored_auth],
    )


@pytest.mark.parametrize("route", [r for r in ROUTES if r.caller > Caller.ANYONE], ids=lambda r: f"{r.method} {r.path}")
def test_no_route_opens_without_its_token(api: RealApi, route: Route) -> None:
    """Every route of the table that needs one, also those to come: nothing, and nothing of another till's, will do."""
    path = route.path.format(number="2990000000017", id="00000000-0001-7000-8000-000000000000")
    body = {} if route.body is not None else None
    recorded = api.journal
    for token in (None, "x" * len(api.token)):
        refused = api.ask(route.method, path, body, token)
        assert (refused.status, refused.json["code"]) in {(401, "unauthorized"), (429, "too_many_attempts")}
    assert api.journal == recorded
