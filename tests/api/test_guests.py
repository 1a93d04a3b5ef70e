"""Pages of other origins that the config names: they may ask with the token, and nobody else learns of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.api.guests import Guests
from tests.api.conftest import Api, serving
from tests.api.fake_till import FakeTill

POS = "https://pos.example.com"
GUESTS = Guests.named(api=(POS,))
PREFLIGHT = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "authorization,idempotency-key"}
SALE = {"kind": "earn", "points": 5, "card": {"number": "2990000000017"}}


@pytest.fixture
def api(till: FakeTill, tmp_path: Path) -> Iterator[Api]:
    with serving(till, tmp_path, guests=GUESTS) as api:
        yield api


def shared(headers: object) -> list[str]:
    return [name for name in headers if str(name).lower().startswith("access-control")]  # type: ignore[attr-defined]


def test_a_named_page_may_ask_with_the_token(api: Api, till: FakeTill) -> None:
    """The browser asks first, then sends, and lets the page read the answer and what it needs to retry rightly."""
    asked = api.ask("OPTIONS", "/v1/transactions", token=None, Origin=POS, Sec_Fetch_Site="cross-site", **PREFLIGHT)
    assert asked.status == 204
    assert asked.headers["access-control-allow-origin"] == POS
    assert {"authorization", "content-type", "idempotency-key", "last-event-id"} == set(
        asked.headers["access-control-allow-headers"].split(", ")
    )
    sold = api.ask(
        "POST", "/v1/transactions", SALE, Origin=POS, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="cors",
        Idempotency_Key="k-1",
    )  # fmt: skip
    assert (sold.status, sold.headers["access-control-allow-origin"], sold.headers["vary"]) == (201, POS, "Origin")
    assert sold.headers["access-control-expose-headers"] == "idempotency-replayed, retry-after"
    assert len(till.outcomes) == 1


def test_it_still_needs_the_token_and_may_read_that_it_does(api: Api, till: FakeTill) -> None:
    """Being named opens no door; the refusal is readable, so that the POS can say what is wrong."""
    refused = api.ask("POST", "/v1/transactions", SALE, token=None, Origin=POS, Idempotency_Key="k-1")
    assert (refused.status, refused.json["code"]) == (401, "unauthorized")
    assert refused.headers["access-control-allow-origin"] == POS
    assert till.outcomes == []


def test_no_cookie_opens_an_answer_to_its_script(api: Api) -> None:
    """Credentials are never allowed, so a browser hides what the page's own cookie would show."""
    cookie = api.ask("GET", "/", token=None).headers["set-cookie"].partition(";")[0]
    for answer in (
        api.ask("GET", "/v1/status", token=None, Origin=POS, Cookie=cookie),
        api.ask("OPTIONS", "/v1/status", token=None, Origin=POS, **PREFLIGHT),
    ):
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        *("null", "*", "", "https://pos.example.com.", "https://pos.example.com:8443", "http://pos.example.com"),
        *("https://evil.example", "https://pos.example.com.evil.example", "https://POS.example.com", f"{POS} {POS}"),
    ],
)
def test_no_other_page_is_a_guest(api: Api, till: FakeTill, origin: str) -> None:
    """The list is exact: no case folding, no suffix, no other port or scheme, and nothing is told to a stranger."""
    preflight = api.ask("OPTIONS", "/v1/transactions", token=None, Origin=origin, **PREFLIGHT)
    sale = api.ask("POST", "/v1/transactions", SALE, Origin=origin, Idempotency_Key="k-1")
    assert (preflight.status, sale.status) == (403, 403)
    assert shared(preflight.headers) == shared(sale.headers) == []
    assert till.outcomes == []


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/openapi.json", "/web/page.js", "/v1", "/V1/status"])
def test_a_guest_asks_the_api_alone(api: Api, path: str) -> None:
    """The pages and everything around them stay the till's own."""
    refused = api.ask("GET", path, token=None, Origin=POS)
    assert (refused.status, shared(refused.headers)) == (403, [])


def test_a_guest_reaches_the_till_by_its_own_name_only(api: Api) -> None:
    """A name that an attacker's DNS points here is refused before anybody asks who the page is."""
    refused = api.ask("OPTIONS", "/v1/status", token=None, Origin=POS, Host="evil.example", **PREFLIGHT)
    assert (refused.status, refused.json["code"]) == (403, "host_refused")


def test_a_request_without_an_origin_is_no_guests(api: Api) -> None:
    """A picture or a script of any page is fetched without Origin, and refused by where it comes from."""
    assert api.ask("GET", "/v1/status", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors").status == 403


@given(st.lists(st.one_of(st.just(POS.encode()), st.binary(max_size=30)), max_size=3), st.text("/v1.hw_%", max_size=8))
@settings(max_examples=100)
def test_only_one_exact_origin_is_a_guest(origins: list[bytes], tail: str) -> None:
    """Whatever is sent: once, byte for byte, under /v1/."""
    guest = origins == [POS.encode()]
    headers = {b"origin": origins}
    assert GUESTS.origin(f"/v1/{tail}", headers) == (POS.encode() if guest else None)
    assert GUESTS.origin(f"/{tail}", {b"origin": [b"null"]}) is None
