"""One day of a shop, in real processes and a real browser: what the acceptance test proves and the docs show.

Whoever follows the day is called at each moment that is worth a look, with its name and the page.
"""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from terminal.commands import client
from tests.acceptance.line import Line
from tests.acceptance.rig import LedgerProcess, Pos, TillProcess, tilld

CARD = "2990000000017"
TAPS = 3
ANSWERS = """
[terminal]
id = "S001-T01"
store = "S001"
[ledger]
url = "{ledger}"
[cards]
debounce_ms = 0
[[reader]]
name = "counter"
driver = "simulated"
[setup]
boot = false
sample = "2990000000017"
"""

Look = Callable[[str, Page], None]


class Shop:
    """The ledger, the line to it, and a till that `tilld setup` has set up."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.ledger = LedgerProcess(folder)
        stack.callback(self.ledger.stop)
        tilld("ledger", "register", CARD, "--points", "180", "--database", self.ledger.database)
        self.ledger.start("--enrolment", "open", "--unknown-cards", "register")
        self.line = Line(("127.0.0.1", self.ledger.port))
        stack.callback(self.line.close)
        self.till = TillProcess(folder / "till", self.line.url)
        self.set_up = self._set_up(folder / "answers.toml")
        self.till.start()
        stack.callback(self.till.stop)
        self.pos: Pos = self.till.pos()
        stack.callback(self.pos.close)

    def _set_up(self, answers: Path) -> Any:
        answers.write_text(ANSWERS.format(ledger=self.line.url))
        command = ("setup", "--answers", answers, "--yes", "--json", *self.place)
        return json.loads(tilld(*command).stdout)

    @property
    def place(self) -> tuple[str | Path, ...]:
        return ("--config", self.till.config, "--state", self.till.state)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.till.port}"

    def present(self, *what: str) -> None:
        """A card at the reader, or a fault of one."""
        assert tilld("tap", *what, *self.place).returncode == 0

    def first_read(self, *what: str) -> Any:
        """The day's first card, for a POS that listens for cards."""
        events = client.watch(self.till.state / "tilld.sock", "first")
        with ThreadPoolExecutor(1) as threads:
            heard = threads.submit(lambda: next(event.data for event in events if event.kind == "card_read"))
            self.present(*what)
            return heard.result()

    def sell(self, key: str, kind: str = "earn", **fields: Any) -> Any:
        """The POS's sale, and what the till says to it."""
        status, told = self.pos.transaction(key, kind, **fields)
        assert status == 201, told
        return told


def morning(shop: Shop, page: Page, look: Look) -> None:
    """The page opens, a customer's card is read, a sale is made."""
    page.goto(f"{shop.address}/")
    page.wait_for_selector('body[data-link="linked"]')
    expect(page.locator("#card-say")).to_have_text("Present a card")
    look("waiting", page)
    read = shop.first_read(CARD, "--technology", "ntag")
    expect(page.locator("#card-points")).to_contain_text("180")
    look("card-read", page)
    shop.sell("r-1", card={"read_id": read["read_id"]}, amount={"value": 2490, "currency": "EUR"})
    shop.till.drain()
    expect(page.locator("#recent .state").first).to_have_text("booked")
    expect(page.locator("#card-points")).to_contain_text("204")


def noon(shop: Shop, page: Page, look: Look) -> None:
    """The line is cut: sales go on, a card fails, a customer has none."""
    shop.line.cut()
    shop.sell("r-2", card={"number": CARD}, amount={"value": 1990, "currency": "EUR"})
    expect(page.locator("#ledger-state")).to_have_text("Out of reach")
    shop.present(CARD, "--technology", "ntag")
    expect(page.locator("#card-points")).to_contain_text("223")
    expect(page.locator("#card-note")).to_contain_text("not confirmed yet")
    look("offline", page)
    shop.present("--fault", "unreadable")
    expect(page.locator("#ladder button").first).to_be_visible()
    look("ladder", page)
    shop.sell("r-3", points=30)
    claim = page.locator("#card-claim")
    expect(claim).to_be_visible()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=claim.element_handle())
    look("claim", page)


def afternoon(shop: Shop, page: Page, look: Look) -> str:
    """The line is back, all is sent; two sales on one receipt wait for a person: the id of the second."""
    shop.line.mend()
    shop.till.drain()
    expect(page.locator("#ledger-state")).to_have_text("Reachable")
    expect(page.locator("#queue-count")).to_have_text("0")
    receipt = {"number": "4711", "issued_at": "2026-03-01T10:00:00Z"}
    ids = [shop.sell(f"r-4-{n}", card={"number": CARD}, points=n, receipt=receipt)["id"] for n in (10, 40)]
    shop.till.until(lambda status: status["queue"]["conflicts"] == 1)
    expect(page.locator("#conflicts li")).to_have_count(1)
    look("conflict", page)
    return str(ids[1])


def evening(shop: Shop, page: Page, look: Look, disputed: str) -> None:
    """A technician logs in and decides on the sale that waits."""
    page.goto(f"{shop.address}/technician")
    page.get_by_label("The content of technician.token").fill(
        (shop.till.state / "technician.token").read_text().strip()
    )
    page.keyboard.press("Enter")
    waiting = page.locator(f'#conflicts [data-id="{disputed}"]')
    expect(waiting).to_contain_text("This receipt")
    expect(page.locator("#doctor .list > *").first).to_be_visible()
    look("technician", page)
    waiting.get_by_label("It counts as asked").check()
    waiting.get_by_label("Reason").fill("two meals on one receipt")
    waiting.get_by_label("Who decides").fill("Anne")
    waiting.get_by_role("button", name="Decide").click()
    shop.till.until(lambda status: status["queue"]["conflicts"] == 0 and status["queue"]["queued"] == 0)
    expect(page.locator("#conflicts")).to_be_hidden()


def reader_tested(shop: Shop, page: Page, look: Look, folder: Path) -> Path:
    """The same technician taps a card until the sheet says that the reader is mended; the sheet, as it was saved."""
    page.goto(f"{shop.address}/technician/test-card")
    page.get_by_label("Taps").fill(str(TAPS))
    page.get_by_label("Technician").fill("Anne")
    page.get_by_role("button", name="Start the test").click()
    for number in range(TAPS):
        expect(page.locator("#count")).to_contain_text(f"{number} of {TAPS}")
        shop.present(CARD, "--technology", "ntag")
    expect(page.locator("#verdict")).to_have_attribute("data-mood", "passed")
    look("test-card", page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Sheet to print (HTML)").click()
    sheet = folder / "sheet.html"
    download.value.save_as(sheet)
    return sheet


def opened(context: BrowserContext) -> Page:
    """A page whose waits have a deadline."""
    page = context.new_page()
    page.set_default_timeout(60_000)
    return page
