"""Odoo's hardware proxy: what Odoo asks is answered, to the named Odoo alone, and nothing at all while it is off."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.base import ReaderState
from terminal.api import hw_proxy
from terminal.api.guests import Guests
from terminal.api.hw_proxy import scanner_status
from terminal.api.scans import FRESH_S, KEPT, Scans
from terminal.inbox import ReaderStatus
from terminal.notices import Notices
from tests.api.conftest import TOKENS, Api, Reply, serving
from tests.api.fake_till import NOW, FakeTill

ODOO, POS = "https://shop.odoo.com", "https://pos.example.com"
GUESTS = Guests.named(api=(POS,), hw_proxy=(ODOO,))
NUMBER = "2990000000017"
CALL = {"jsonrpc": "2.0", "method": "call", "params": {}, "id": 12}
PATHS = {"hello": "GET", "handshake": "POST", "status_json": "POST", "scanner": "POST"}


@dataclass
class Odoo:
    """The page of the shop's Odoo, as far as it asks its proxy: `rpc` is what its JSON-RPC service sends."""

    api: Api
    scans: Scans
    waits: threading.Event

    def rpc(self, name: str, **headers: str) -> Reply:
        sent = {"Origin": ODOO, "Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "cors", **headers}
        return self.api.ask("POST", f"/hw_proxy/{name}", CALL, token=None, **sent)


class Watched(Scans):
    """Tells when somebody waits for a card. No card grows old here, however slow the machine is."""

    def __init__(self, notices: Notices) -> None:
        super().__init__(notices, lambda: 0.0)
        self.waits = threading.Event()

    def waiting(self, wake: Any) -> Any:
        self.waits.set()
        return super().waiting(wake)


@pytest.fixture
def odoo(till: FakeTill, tmp_path: Path) -> Iterator[Odoo]:
    scans = Watched(till.notices)
    scans.start()
    with serving(till, tmp_path, guests=GUESTS, hw_proxy=True, scans=scans) as api:
        yield Odoo(api, scans, scans.waits)
    scans.stop()


def test_odoo_finds_its_proxy(odoo: Odoo) -> None:
    """hello, handshake, and every five seconds the status: in JSON-RPC, readable by its page."""
    hello = odoo.api.ask("GET", "/hw_proxy/hello", token=None, Origin=ODOO, Sec_Fetch_Site="cross-site")
    assert (hello.status, hello.body, hello.headers["access-control-allow-origin"]) == (200, b"ping", ODOO)
    assert odoo.rpc("handshake").json == {"jsonrpc": "2.0", "id": 12, "result": True}
    status = odoo.rpc("status_json").json
    assert status["result"] == {"scanner": {"status": "connected", "messages": []}}


def test_its_preflight_is_answered_without_a_word_of_tokens(odoo: Odoo) -> None:
    """JSON needs one; what it may send is what Odoo sends."""
    asked = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "content-type"}
    preflight = odoo.api.ask("OPTIONS", "/hw_proxy/scanner", token=None, Origin=ODOO, **asked)
    assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (204, ODOO)
    assert "authorization" not in preflight.headers["access-control-allow-headers"]


def test_a_card_becomes_a_bar_code_once(odoo: Odoo, till: FakeTill) -> None:
    """One that waits for it, one that came a moment before; nobody gets it twice."""
    customer = threading.Thread(target=lambda: odoo.waits.wait(60) and till.present(NUMBER))
    customer.start()
    assert odoo.rpc("scanner").json["result"] == NUMBER
    customer.join()
    till.present("2990000000024")
    till.notices.publish("sync", {"queue": 1})
    assert odoo.rpc("scanner").json["result"] == "2990000000024"
    assert odoo.scans.take() is None


def test_a_wait_ends_before_odoo_gives_up(odoo: Odoo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Odoo 16 waits 7.5 s; an empty text is no bar code."""
    assert hw_proxy.WAIT_S < 7.5
    monkeypatch.setattr(hw_proxy, "WAIT_S", 0.01)
    assert odoo.rpc("scanner").json["result"] == ""


def test_without_the_switch_for_numbers_none_is_given(
    till: FakeTill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy answers, and its scanner never scans."""
    monkeypatch.setattr(hw_proxy, "WAIT_S", 0.05)
    with serving(till, tmp_path, guests=GUESTS, hw_proxy=True) as api:
        till.present(NUMBER)
        asked = api.ask("POST", "/hw_proxy/scanner", CALL, token=None, Origin=ODOO)
    assert asked.json["result"] == ""
    assert NUMBER.encode() not in asked.body


@pytest.mark.parametrize(("name", "method"), PATHS.items())
def test_while_it_is_off_there_is_nothing(api: Api, name: str, method: str) -> None:
    """The default: not found, for programs, and refused, for pages."""
    body = CALL if method == "POST" else None
    assert api.ask(method, f"/hw_proxy/{name}", body).status == 404
    assert api.ask(method, f"/hw_proxy/{name}", body, token=None, Origin=ODOO).status == 403


@pytest.mark.parametrize(("name", "method"), PATHS.items())
@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "*",
        "",
        "https://evil.example",
        f"{ODOO}.evil.example",
        f"{ODOO}:8443",
        "http://shop.odoo.com",
        POS,
    ],
)
def test_nobody_else_asks(odoo: Odoo, till: FakeTill, name: str, method: str, origin: str | None) -> None:
    """No other page, not even a guest of the API, nobody without an origin; and the card is still there afterwards."""
    till.present(NUMBER)
    headers = {} if origin is None else {"Origin": origin}
    refused = odoo.api.ask(method, f"/hw_proxy/{name}", CALL if method == "POST" else None, **headers)
    assert (refused.status, refused.json["code"]) == (403, "cross_site")
    shares = [each for each in refused.headers if each.lower() == "access-control-allow-origin"]
    assert shares == []
    assert odoo.scans.take() == NUMBER


def test_odoos_page_is_no_pos(odoo: Odoo, till: FakeTill) -> None:
    """Its origin opens these four routes; the API stays shut, even with a token that it should not have."""
    for method, path in (("GET", "/v1/status"), ("GET", "/v1/events"), ("POST", "/v1/transactions"), ("GET", "/")):
        body = {"kind": "earn", "points": 1} if method == "POST" else None
        for token in (None, TOKENS.pos):
            assert odoo.api.ask(method, path, body, token=token, Origin=ODOO, Idempotency_Key="k").status == 403
    assert till.outcomes == []


@pytest.mark.parametrize(
    "path", ["/hw_proxy/../v1/status", "/hw_proxy/%2e%2e/v1/status", "/hw_proxy//scanner", "/hw_proxy/x"]
)
def test_no_path_leads_elsewhere(odoo: Odoo, path: str) -> None:
    """Dots and slashes are no way from Odoo's four routes to the others."""
    assert odoo.api.ask("GET", path, token=None, Origin=ODOO).status in {400, 403, 404}


def test_a_form_cannot_take_a_card(odoo: Odoo, till: FakeTill) -> None:
    """What needs no preflight is refused: JSON alone is taken, and only by POST."""
    till.present(NUMBER)
    assert odoo.rpc("scanner", Content_Type="text/plain").status == 415
    assert odoo.api.ask("GET", "/hw_proxy/scanner", token=None, Origin=ODOO).status == 405
    assert odoo.api.ask("POST", "/hw_proxy/scanner", b"{", token=None, Origin=ODOO).status == 400
    assert odoo.api.ask("POST", "/hw_proxy/scanner", CALL, token=None, Origin=ODOO, Host="evil.example").status == 403
    assert odoo.scans.take() == NUMBER


def test_old_cards_are_dropped() -> None:
    """The customer before is not taken for this one."""
    now, notices = 0.0, Notices("f00d")
    scans = Scans(notices, lambda: now)
    scans.start()
    notices.publish("card_read", {"card": {"masked": "x", "number": "1"}})
    now = FRESH_S + 0.001
    notices.publish("card_read", {"card": {"masked": "x", "number": "2"}})
    notices.publish("card_read", {"card": {"masked": "x"}})
    assert (scans.take(), scans.take()) == ("2", None)
    scans.stop()
    notices.publish("card_read", {"card": {"masked": "x", "number": "3"}})
    assert scans.take() is None


@given(st.lists(st.one_of(st.floats(0, 4), st.just("take")), max_size=60))
@settings(max_examples=60)
def test_every_fresh_card_is_taken_once_in_its_order(steps: list[float | str]) -> None:
    """Whatever comes when: nothing stale, nothing twice, nothing out of order, and never more than are kept."""
    now, notices, given_out = 0.0, Notices("f00d"), 0
    scans = Scans(notices, lambda: now)
    scans.start()
    expected: list[tuple[float, str]] = []
    for step in steps:
        if isinstance(step, float):
            now += step
            given_out += 1
            notices.publish("card_read", {"card": {"masked": "x", "number": str(given_out)}})
            expected = [*expected, (now, str(given_out))][-KEPT:]
        else:
            expected = [each for each in expected if each[0] >= now - FRESH_S]
            assert scans.take() == (expected.pop(0)[1] if expected else None)
    scans.stop()


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ([], "disconnected"),
        ([ReaderState.ABSENT, ReaderState.READY, ReaderState.FAILING], "connected"),
        ([ReaderState.RECONNECTING, ReaderState.FAILING], "connecting"),
        ([ReaderState.FORBIDDEN, ReaderState.ABSENT], "error"),
        ([ReaderState.HELD, ReaderState.ABSENT], "error"),
        ([ReaderState.FAILING, ReaderState.ABSENT], "error"),
        ([ReaderState.ABSENT, ReaderState.STOPPED], "disconnected"),
    ],
)
def test_all_readers_are_one_scanner(states: list[ReaderState], told: str) -> None:
    """The best of them counts; what is wrong with the others is said."""
    readers = [ReaderStatus(f"r{n}", "pcsc", state, NOW, "why") for n, state in enumerate(states)]
    shown = scanner_status(readers)
    assert shown.status == told
    assert len(shown.messages) == sum(state is not ReaderState.READY for state in states)
