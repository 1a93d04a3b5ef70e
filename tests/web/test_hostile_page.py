"""A web page of somebody else, in the shop's own browser, against the till: it learns nothing and does nothing."""

import http.server
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.api.conftest import TOKENS, Api
from tests.api.fake_till import FakeTill

pytestmark = pytest.mark.browser

READ = """async (address) => {
  try { const answer = await fetch(address, {credentials: "include"}); return await answer.text(); }
  catch (error) { return "refused"; }
}"""
POST = """async ([address, type, token, mode]) => {
  const headers = {"Content-Type": type};
  if (token) headers.Authorization = `Bearer ${token}`;
  const body = JSON.stringify({kind: "earn", points: 5, card: {number: "2990000000017"}});
  try { await fetch(address, {method: "POST", mode, credentials: "include", headers, body}); return "sent"; }
  catch (error) { return "refused"; }
}"""
FORM = """(address) => new Promise((done) => {
  const frame = document.createElement("iframe");
  frame.name = "sink";
  frame.onload = () => done("loaded");
  document.body.append(frame);
  const form = document.createElement("form");
  Object.assign(form, {method: "POST", action: address, target: "sink", enctype: "text/plain"});
  const field = document.createElement("input");
  Object.assign(field, {name: '{"kind":"earn","points":5,"x":"', value: '"}'});
  form.append(field);
  document.body.append(form);
  form.submit();
})"""
STREAM = """(address) => new Promise((done) => {
  const events = new EventSource(address, {withCredentials: true});
  events.onopen = () => done("open");
  events.onerror = () => { events.close(); done("refused"); };
})"""
FRAME = """(address) => new Promise((done) => {
  const frame = document.createElement("iframe");
  frame.onload = () => { try { done(frame.contentDocument ? "readable" : "sealed"); } catch { done("sealed"); } };
  frame.src = address;
  document.body.append(frame);
})"""

SOCKET = """(address) => new Promise((done) => {
  const socket = new WebSocket(address);
  socket.onopen = () => done("open");
  socket.onerror = () => done("refused");
})"""
INCLUDE = """([kind, address]) => new Promise((done) => {
  const part = document.createElement(kind);
  if (kind === "link") part.rel = "stylesheet";
  part.onload = () => done("loaded");
  part.onerror = () => done("refused");
  part[{link: "href", object: "data"}[kind] ?? "src"] = address;
  document.body.append(part);
})"""
PARTS = ("/v1/status", "/v1/queue", "/openapi.json", "/metrics", "/web/page.js", "/web/page.css", "/web/icon.svg")
OPEN = """(address) => {
  const opened = window.open(address);
  try { return opened?.document?.title || "sealed"; } catch { return "sealed"; }
}"""
BEACON = (
    """(address) => navigator.sendBeacon(address, new Blob(['{"kind":"earn","points":5}'], {type: "text/plain"}))"""
)


class Empty(http.server.BaseHTTPRequestHandler):
    """The hostile site: one empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>hostile</title>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """Silence."""


@pytest.fixture(params=["127.0.0.1", "localhost"])
def hostile(request: pytest.FixtureRequest, browser: Browser, api: Api) -> Iterator[Page]:
    """On another port, once of the same host (same site, the cookie goes along), once of another.

    The browser has the till's page open, so it holds a good cookie.
    """
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Empty) as site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        with browser.new_context() as context:
            ours = context.new_page()
            ours.goto(f"http://{api.address}/")
            ours.wait_for_selector('body[data-link="linked"]')
            page = context.new_page()
            page.goto(f"http://{request.param}:{site.server_port}/")
            yield page
        site.shutdown()
        thread.join()


def test_it_cannot_read(hostile: Page, api: Api) -> None:
    """No status, no journal, no events, no frame to look into."""
    for path in ("/v1/status", "/v1/queue", "/healthz", "/metrics", "/"):
        assert hostile.evaluate(READ, f"http://{api.address}{path}") == "refused"
    assert hostile.evaluate(STREAM, f"http://{api.address}/v1/events") == "refused"
    assert hostile.evaluate(FRAME, f"http://{api.address}/") == "sealed"


@pytest.mark.parametrize("token", [None, TOKENS.pos])
@pytest.mark.parametrize("media_type", ["application/json", "text/plain"])
@pytest.mark.parametrize("mode", ["cors", "no-cors"])
def test_it_cannot_sell(hostile: Page, api: Api, till: FakeTill, media_type: str, token: str | None, mode: str) -> None:
    """No sale gets in, not even with a stolen token."""
    hostile.evaluate(POST, [f"http://{api.address}/v1/transactions", media_type, token, mode])
    assert api.ask("GET", "/healthz").status == 200
    assert till.outcomes == []


ACT = """async (address) => {
  const sent = {method: "POST", credentials: "include", headers: {"Content-Type": "application/json"}};
  try { return (await fetch(address, {...sent, body: "{}"})).status; } catch (error) { return "refused"; }
}"""


def test_it_cannot_use_a_technicians_session(hostile: Page, api: Api) -> None:
    """Logged in beside it in the same browser: its requests may carry the cookie, and nothing is done or told."""
    page = hostile.context.new_page()
    page.goto(f"http://{api.address}/technician")
    page.get_by_label("The content of technician.token").fill(TOKENS.technician)
    page.keyboard.press("Enter")
    page.wait_for_selector("#books section")
    assert hostile.evaluate(ACT, f"http://{api.address}/v1/sync") == "refused"
    assert hostile.evaluate(ACT, f"http://{api.address}/technician/session") == "refused"
    assert hostile.evaluate(READ, f"http://{api.address}/v1/history") == "refused"


def test_its_forms_are_refused(hostile: Page, api: Api, till: FakeTill) -> None:
    """A form needs no permission to be sent; it is refused where it arrives."""
    assert hostile.evaluate(FORM, f"http://{api.address}/v1/transactions") == "loaded"
    assert till.outcomes == []


@pytest.mark.parametrize("kind", ["script", "img", "link", "object"])
def test_it_cannot_include_what_the_till_answers(hostile: Page, api: Api, kind: str) -> None:
    """No answer becomes a script, a picture or a style of another page, not even what holds no secret."""
    for path in PARTS:
        assert hostile.evaluate(INCLUDE, [kind, f"http://{api.address}{path}"]) == "refused"


def test_it_opens_no_websocket(hostile: Page, api: Api) -> None:
    """The till has none, and a handshake is held against Origin like everything else."""
    for path in ("/", "/v1/events", "/v1/status"):
        assert hostile.evaluate(SOCKET, f"ws://{api.address}{path}") == "refused"


def test_a_beacon_records_nothing(hostile: Page, api: Api, till: FakeTill) -> None:
    """What a page sends as it is left needs no answer; it is refused where it arrives."""
    hostile.evaluate(BEACON, f"http://{api.address}/v1/transactions")
    hostile.evaluate(BEACON, f"http://{api.address}/v1/sync")
    assert hostile.evaluate(READ, f"http://{api.address}/v1/status") == "refused"
    assert till.outcomes == []


def test_a_window_that_it_opens_is_sealed(hostile: Page, api: Api) -> None:
    """A link may lead to the till's page, which the page that led there cannot look into; to its data it leads not."""
    with hostile.context.expect_page() as opened:
        assert hostile.evaluate(OPEN, f"http://{api.address}/") == "sealed"
    opened.value.wait_for_selector('body[data-link="linked"]')
    assert opened.value.evaluate("window.opener") is None
    with hostile.context.expect_page() as opened:
        assert hostile.evaluate(OPEN, f"http://{api.address}/v1/status") == "sealed"
    opened.value.wait_for_load_state()
    assert "cross_site" in opened.value.content()
