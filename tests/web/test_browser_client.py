"""The browser's client and its example in a real Chromium, on an allowed origin, in front of a real till."""

import http.server
import shutil
import threading
from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.acceptance.line import Faults
from tests.acceptance.rig import tilld
from tests.clients.node import BROWSER, TSC, needs_node, node
from tests.clients.shop import DEADLINE_S, Shop, Withheld, open_shop
from tests.clients.test_python_example import Customer, effects

pytestmark = [pytest.mark.browser, needs_node]

CARD = "2990000000017"
ASK = """async ([url, token]) => {
  try { return (await fetch(url, { headers: { Authorization: `Bearer ${token}` } })).status; }
  catch { return "refused"; }
}"""


class Site(http.server.SimpleHTTPRequestHandler):
    """Static files, silently."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """Silence."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The compiled client and its example page, as its README says; the origin that serves them."""
    folder = tmp_path_factory.mktemp("site")
    node(TSC, "-p", BROWSER, "--outDir", folder / "dist")
    shutil.copytree(BROWSER / "example", folder / "example")
    handler = partial(Site, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def shop(site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("shop"), api=f'origins = ["{site}"]') as shop:
        yield shop


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context() as context:
        context.set_default_timeout(60_000)
        yield context


def next_customer(context: BrowserContext, site: str, shop: Shop, url: str) -> Page:
    """The example's page, opened and told to serve one."""
    page = context.new_page()
    page.goto(f"{site}/example/")
    page.get_by_label("Till").fill(url)
    page.get_by_label("Token").fill(shop.token_file.read_text().strip())
    page.get_by_role("button", name="Next customer").click()
    return page


def test_a_visit_from_card_to_reversal(context: BrowserContext, site: str, shop: Shop) -> None:
    """Listen, earn, redeem, reverse, from a web page; and the page reads events as they happen."""
    tilld("ledger", "register", CARD, "--points", "50", "--database", shop.ledger.database)
    page = next_customer(context, site, shop, f"http://127.0.0.1:{shop.till.port}")
    expect(page.locator("li")).to_have_text(["present a card"])
    with Customer(shop.till, CARD):
        expect(page.locator("li").nth(1)).to_have_text("card: •••• 0017")
    expect(page.locator("li").last).to_have_text("reversed: 24")
    heard = page.evaluate(
        """async ([url, token]) => {
          const { Till } = await import("/dist/src/index.js");
          for await (const event of new Till(url, token).events("first")) {
            if (event.kind === "card_read") return event.data.card.number;
          }
        }""",
        [f"http://127.0.0.1:{shop.till.port}", shop.token_file.read_text().strip()],
    )
    assert heard == CARD


def test_closed_between_yes_and_hearing_it(context: BrowserContext, site: str, shop: Shop) -> None:
    """The till has recorded the sale, the page is gone unknowing: opened again it asks, and there is one effect."""
    before = effects(shop.till)
    # Two preflights (one a route) and the card pass; what is withheld is the till's yes to the sale.
    shop.line.faults = faults = Withheld(3)
    page = next_customer(context, site, shop, shop.line.url)
    expect(page.locator("li")).to_have_text(["present a card"])
    with Customer(shop.till, CARD):
        expect(page.locator("li").nth(1)).to_have_text("card: •••• 0017")
    assert faults.reached.wait(DEADLINE_S)
    page.close()
    faults.forget()
    shop.line.faults = Faults()
    again = next_customer(context, site, shop, f"http://127.0.0.1:{shop.till.port}")
    expect(again.locator("li").first).to_contain_text("settled: S001-T01-")
    [(key, kind)] = effects(shop.till) - before
    assert (kind, again.locator("li").first.inner_text().split()[1]) == ("earn", key)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_page_of_another_origin_is_refused(context: BrowserContext, site: str, shop: Shop, host: str) -> None:
    """Even with the right token, and even on the same machine: another name or another port is another origin."""
    stranger, token = context.new_page(), shop.token_file.read_text().strip()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as other:
        thread = threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        port = site.rpartition(":")[2] if host == "localhost" else other.server_port
        stranger.goto(f"http://{host}:{port}/clients/browser/example/index.html")
        assert stranger.evaluate(ASK, [f"http://127.0.0.1:{shop.till.port}/v1/status", token]) == "refused"
        other.shutdown()
        thread.join()
    named = context.new_page()
    named.goto(f"{site}/example/")
    assert named.evaluate(ASK, [f"http://127.0.0.1:{shop.till.port}/v1/status", token]) == 200
    assert named.evaluate(ASK, [f"http://127.0.0.1:{shop.till.port}/v1/status", "wrong"]) == 401
