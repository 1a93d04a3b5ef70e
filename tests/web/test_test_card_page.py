"""Testing a reader in a real browser, at the real till with the simulated reader."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from drivers.base import Technology
from drivers.simulated import Fault, Tap, tap
from terminal.commands import client
from terminal.trial.forms import check
from tests.acceptance.rig import TillProcess
from tests.web.axe import faults
from tests.web.conftest import Said

pytestmark = pytest.mark.browser

NO_LEDGER = "http://127.0.0.1:1"
READERS = "".join(f'[[reader]]\nname = "{name}"\ndriver = "simulated"\n' for name in ("counter", "kiosk"))
CHIP = Tap(card="2990000000017", technology=Technology.NTAG, effort=1, duration_ms=80)
PHONE = Tap(uid="08a1b2c3", technology=Technology.PHONE, effort=1, duration_ms=90)
BROKEN = Tap(technology=Technology.NTAG, fault=Fault.UNREADABLE)
LOG_IN = """async (token) => (await fetch("/technician/session", {
  method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({token}),
})).status"""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TillProcess]:
    extra = "[cards]\ndebounce_ms = 1\n"
    till = TillProcess(tmp_path_factory.mktemp("page"), NO_LEDGER, extra=extra, readers=READERS)
    till.start()
    yield till
    till.kill()


@pytest.fixture
def strict(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(locale="en-GB", accept_downloads=True) as context:
        yield context


@pytest.fixture
def lenient(browser: Browser) -> Iterator[BrowserContext]:
    """For axe alone: what it puts into the page the page's own policy would refuse."""
    with browser.new_context(locale="en-GB", bypass_csp=True) as context:
        yield context


def opened(context: BrowserContext, till: TillProcess) -> Page:
    """The page of a technician who has logged in."""
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"http://127.0.0.1:{till.port}/technician/test-card")
    expect(page.get_by_text("Log in at the technician's page")).to_be_visible()
    assert page.evaluate(LOG_IN, (till.state / "technician.token").read_text().strip()) == 201
    page.reload()
    expect(page.get_by_role("button", name="Start the test")).to_be_visible()
    return page


def begin(page: Page, taps: int) -> None:
    page.get_by_label("Reader").select_option("counter")
    page.get_by_label("Taps", exact=True).fill(str(taps))
    page.get_by_role("button", name="Start the test").click()
    expect(page.locator("#headline")).to_have_text("Present a card to counter")


def present(page: Page, till: TillProcess, *cards: Tap) -> None:
    """Each when the page shows the one before."""
    for card in cards:
        shown = page.locator("#taps-seen tr").count()
        tap(till.state / "readers" / "counter.sock", card)
        expect(page.locator("#taps-seen tr")).to_have_count(shown + 1)


def test_a_mended_reader_from_the_login_to_its_sheet(strict: BrowserContext, real: TillProcess, tmp_path: Path) -> None:
    """Begun by keyboard, tap by tap on the screen, PASS in a word and a colour, and a sheet that proves itself."""
    page = opened(strict, real)
    said = Said(page)
    page.get_by_label("Reader").focus()
    page.keyboard.type("counter")
    page.keyboard.press("Tab")
    page.keyboard.type("2")
    page.keyboard.press("Tab")
    page.keyboard.type("Anne <b>")
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text("0 of 2 taps. Lift the card, and again.")
    present(page, real, CHIP)
    expect(page.locator("#last")).to_have_text("Tap 1: identified, ntag, •••• 0017, 80 ms")
    assert page.locator("#last").get_attribute("role") == "status"
    present(page, real, PHONE)
    expect(page.locator("#headline")).to_contain_text("PASS: this reader works.")
    expect(page.locator("#count")).to_have_text("Not everything that was presented can be used here.")
    assert page.locator("#verdict").get_attribute("data-mood") == "passed"
    expect(page.get_by_text("This phone shows a random number: use its QR code.")).to_be_visible()
    expect(page.locator("#about")).to_contain_text("by Anne <b>")
    expect(page.get_by_role("button", name="Test again")).to_be_focused()
    for name, suffix in (("Sheet to print", "html"), ("Sheet as text", "txt"), ("Sheet as JSON", "json")):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        assert download.value.suggested_filename.endswith(f".{suffix}")
        download.value.save_as(tmp_path / suffix)
        checked = check((tmp_path / suffix).read_bytes())
        assert (checked.genuine, checked.shown, checked.sheet.sheet.trial.operator) == (True, True, "Anne <b>")
    assert "2990000000017" not in page.content()
    assert said.complaints == []


def test_a_broken_reader_is_seen_from_afar(strict: BrowserContext, real: TillProcess) -> None:
    """FAIL, why and what to do; then the next test, where the sheet of this one can still be had."""
    page = opened(strict, real)
    begin(page, 2)
    present(page, real, CHIP, BROKEN)
    expect(page.locator("#headline")).to_have_text("FAIL: this reader is not proven to work.")
    assert page.locator("#verdict").get_attribute("data-mood") == "failed"
    expect(page.locator("#remarks")).to_contain_text("read 1 of 2 presentations")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Start the test")).to_be_focused()
    page.get_by_role("button", name="Show counter").first.click()
    expect(page.locator("#headline")).to_contain_text("FAIL")
    expect(page.get_by_role("link", name="Sheet as text")).to_be_visible()


def test_it_can_be_stopped_and_found_again(strict: BrowserContext, real: TillProcess) -> None:
    """A page that is loaded anew goes on with the test that runs; Stop frees the reader at once."""
    page = opened(strict, real)
    begin(page, 3)
    present(page, real, CHIP)
    page.reload()
    page.get_by_role("button", name="Watch counter").click()
    expect(page.locator("#taps-seen tr")).to_have_count(1)
    page.get_by_role("button", name="Stop the test").click()
    expect(page.locator("#count")).to_contain_text("Stopped by the technician.")
    assert client.ask(real.state / "tilld.sock", "GET", "/v1/status").body["tested"] == []


def test_two_technicians_at_one_reader(strict: BrowserContext, real: TillProcess) -> None:
    """The second is told that it is being tested, and what to do."""
    first, second = opened(strict, real), opened_again(strict, real)
    begin(first, 1)
    second.get_by_label("Reader").select_option("counter")
    second.get_by_role("button", name="Start the test").click()
    expect(second.get_by_role("alert")).to_contain_text("is being tested already")
    present(first, real, CHIP)
    expect(first.locator("#headline")).to_contain_text("PASS")


def opened_again(context: BrowserContext, till: TillProcess) -> Page:
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{till.port}/technician/test-card")
    expect(page.get_by_role("button", name="Start the test")).to_be_visible()
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(lenient: BrowserContext, real: TillProcess, tmp_path: Path, scheme: str) -> None:
    """No serious fault by axe: before the login, choosing, testing, passed and failed; nor on the printed sheet."""
    page = lenient.new_page()
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"http://127.0.0.1:{real.port}/technician/test-card")
    expect(page.get_by_text("Log in at the technician's page")).to_be_visible()
    assert faults(page) == []
    page.close()
    page = opened(lenient, real)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    assert faults(page) == []
    begin(page, 2)
    present(page, real, CHIP)
    assert faults(page) == []
    present(page, real, BROKEN)
    expect(page.locator("#headline")).to_contain_text("FAIL")
    assert faults(page) == []
    trial = client.ask(real.state / "tilld.sock", "GET", "/v1/trials").body["trials"][0]["id"]
    answer = page.request.get(f"http://127.0.0.1:{real.port}/v1/trials/{trial}/sheet.html")
    (tmp_path / "sheet.html").write_bytes(answer.body())
    page.goto(f"file://{tmp_path / 'sheet.html'}")
    page.emulate_media(media="print", color_scheme=scheme)  # type: ignore[arg-type]
    assert faults(page) == []
