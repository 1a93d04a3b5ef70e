"""A page that asks as Odoo's point of sale does, in a real Chromium, before a real till; and one that pretends to."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page

from tests.acceptance.rig import TillProcess
from tests.clients.test_python_example import Customer

pytestmark = pytest.mark.browser

CARD = "2990000000017"
# What hardware_proxy_service.js and barcode_reader_service.js of Odoo 17 send, without Odoo around it.
ODOO = """async (url) => {
  const rpc = async (name) => {
    const body = JSON.stringify({ jsonrpc: "2.0", method: "call", params: {}, id: Math.floor(Math.random() * 1e9) });
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(`${url}/hw_proxy/${name}`, { method: "POST", headers, body });
    return (await answer.json()).result;
  };
  try {
    const hello = await (await fetch(`${url}/hw_proxy/hello`)).text();
    const shaken = await rpc("handshake");
    const { scanner } = await rpc("status_json");
    document.title = "listens";
    for (let tries = 0; tries < 4; tries += 1) {
      const barcode = await rpc("scanner");
      if (barcode) return [hello, shaken, scanner.status, barcode];
    }
    return [hello, shaken, scanner.status, "none"];
  } catch (error) { return String(error); }
}"""


class Empty(http.server.BaseHTTPRequestHandler):
    """A page with nothing on it."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>page</title>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """Silence."""


@pytest.fixture(scope="module")
def site() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Empty) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def till(site: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TillProcess]:
    """Its Odoo is the site by the name `127.0.0.1`; by any other name it is somebody else."""
    odoo = f'[hw_proxy]\nenabled = true\ncard_numbers = true\norigins = ["http://127.0.0.1:{site}"]'
    till = TillProcess(tmp_path_factory.mktemp("till"), "http://127.0.0.1:9", extra=odoo)
    till.start()
    yield till
    till.stop()


@contextmanager
def opened(browser: Browser, address: str) -> Iterator[Page]:
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(address)
        yield page


def test_odoos_page_hears_of_a_card(browser: Browser, site: int, till: TillProcess) -> None:
    """From hello to the bar code, by Odoo's own calls; another page of the same machine learns nothing."""
    with opened(browser, f"http://127.0.0.1:{site}/") as odoo, Customer(till, CARD):
        assert odoo.evaluate(ODOO, f"http://127.0.0.1:{till.port}") == ["ping", True, "connected", CARD]
    with opened(browser, f"http://localhost:{site}/") as stranger:
        assert "TypeError" in stranger.evaluate(ODOO, f"http://127.0.0.1:{till.port}")
