"""DNS rebinding in a real Chromium against a real till: a name that an attacker owns suddenly leads to the till.

To the browser page and till are then one origin, so that neither Origin nor Sec-Fetch-Site gives the page away: what is
left is the name in Host.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.acceptance.rig import TillProcess, free_port

pytestmark = pytest.mark.browser

EVIL = "evil.example"
ASK = """async ([method, path, token, body]) => {
  const headers = body ? {"Content-Type": "application/json", "Idempotency-Key": "rebound"} : {};
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(path, {method, headers, body});
  return [answer.status, await answer.text()];
}"""
STREAM = """() => new Promise((done) => {
  const events = new EventSource("/v1/events");
  events.onopen = () => done("open");
  events.onerror = () => { events.close(); done("refused"); };
})"""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TillProcess]:
    till = TillProcess(tmp_path_factory.mktemp("rebound"), f"http://127.0.0.1:{free_port()}")
    till.start()
    yield till
    till.stop()


@pytest.fixture
def page(browser: Browser, real: TillProcess) -> Iterator[Page]:
    """A page of the attacker's origin, whose requests go to the till; the till's own page is open beside it.

    What it shows is the till's refusal, but its origin is the attacker's: scripts run in it as after the name moved.
    """
    with browser.new_context() as context:
        ours = context.new_page()
        ours.goto(f"http://127.0.0.1:{real.port}/")
        page = context.new_page()
        page.goto(f"http://{EVIL}:{real.port}/")
        assert page.evaluate("location.origin") == f"http://{EVIL}:{real.port}"
        yield page


def test_a_rebound_page_learns_nothing(page: Page) -> None:
    """Neither with the page's cookie, which its name does not have, nor where nothing is needed."""
    for path in ("/v1/status", "/v1/queue", "/v1/conflicts", "/metrics", "/healthz", "/openapi.json", "/web/page.js"):
        status, text = page.evaluate(ASK, ["GET", path, None, None])
        assert (status, "host_refused" in text) == (403, True), path
    assert page.evaluate(STREAM) == "refused"


def test_a_rebound_page_does_nothing(page: Page, real: TillProcess) -> None:
    """Not even with a stolen token."""
    pos = real.pos()
    sale = '{"kind":"earn","points":5,"card":{"number":"2990000000017"}}'
    for method, path, body in (("POST", "/v1/transactions", sale), ("DELETE", "/v1/reads/current", None)):
        status, text = page.evaluate(ASK, [method, path, pos.token, body])
        assert (status, "host_refused" in text) == (403, True)
    assert pos.ask("GET", "/v1/queue")[1]["entries"] == []
    pos.close()


def test_a_rebound_name_is_given_no_page_and_no_cookie(browser: Browser, real: TillProcess) -> None:
    """Who opens the attacker's name sees a refusal, and the browser keeps no cookie for that name."""
    with browser.new_context() as context:
        page = context.new_page()
        answer = page.goto(f"http://{EVIL}:{real.port}/")
        assert answer is not None
        assert answer.status == 403
        assert context.cookies() == []
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_tokens_are_in_no_part_of_the_page(real: TillProcess, browser: Browser) -> None:
    """The page at the counter knows no token: nothing that it holds can sell."""
    tokens = [(Path(real.state) / name).read_text().strip() for name in ("pos.token", "technician.token")]
    with browser.new_context() as context:
        page = context.new_page()
        loaded: list[str] = []
        page.on("requestfinished", lambda request: loaded.append(request.url))
        page.goto(f"http://127.0.0.1:{real.port}/")
        page.wait_for_selector('body[data-link="linked"]')
        kept = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
        assert page.evaluate("document.cookie") == ""
        for url in loaded:
            if not url.endswith("first"):
                kept += page.request.get(url).text()
    assert not [token for token in tokens if token in kept]
