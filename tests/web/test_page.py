"""The page at the counter, in a real browser: what happens at the till is on the screen, live."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from drivers.base import ReaderState
from offline_queue.conflicts import sentence
from offline_queue.entry import State
from terminal.inbox import ReaderStatus
from tests.acceptance.rig import free_port
from tests.api.conftest import TOKENS, Api, serving
from tests.api.fake_till import NOW, SYNC_WORD, FakeTill
from tests.offline_queue.claimed import code_of, sold
from tests.web.conftest import Said

pytestmark = pytest.mark.browser


def test_a_tap_is_shown_at_once(page: Page, till: FakeTill) -> None:
    """The card masked, its points large, and announced to a screen reader."""
    expect(page.locator("#card-say")).to_have_text("Present a card")
    till.present()
    expect(page.locator("#card-number")).to_have_text("•••• 0017")
    expect(page.locator("#card-points")).to_have_text("100 points")
    expect(page.get_by_role("status").filter(has_text="card ending in 0017, 100 points")).to_have_count(1)
    assert "2990000000017" not in page.content()


def test_a_card_that_cannot_be_read_tells_what_to_do(page: Page, till: FakeTill) -> None:
    """The reason and the next step, until a card is read."""
    told = {
        "reader": "counter",
        "reason": "moved",
        "title": "The card could not be read",
        "detail": "It moved.",
        "next": ["Hold it still."],
    }
    till.notices.publish("card_unreadable", told)
    expect(page.locator("#card-say")).to_have_text("The card could not be read")
    expect(page.locator("#card-hints")).to_have_text("Hold it still.")
    till.present()
    expect(page.locator("#card-hints")).to_be_empty()


def test_words_of_the_pos_are_shown_and_old_ones_are_not(page: Page, till: FakeTill) -> None:
    """As text whatever they hold, announced, and gone when their minute is over."""
    words, now = page.locator("#pos-words"), datetime.now(UTC)
    told = {"sale": "TILL-04", "kind": "Display", "text": "Ask for <b>the card</b>", "at": now.isoformat()}
    till.notices.publish("display", told)
    expect(words).to_have_text("Ask for <b>the card</b>")
    expect(words).to_have_role("status")
    till.notices.publish("display", {**told, "text": "Late", "at": (now - timedelta(minutes=2)).isoformat()})
    expect(words).to_be_hidden()


def test_points_found_on_a_card_are_told_with_it(page: Page, till: FakeTill) -> None:
    """Beside the card that carried them, as text; what only a technician wants to know is not shown."""
    till.present()
    expect(page.locator("#card-number")).to_have_text("•••• 0017")
    card = {"masked": "•••• 0017", "number": "2990000000017"}
    told = {"reader": "counter", "what": "found", "card": card, "points": 30, "detail": "Found: <b>30</b> points."}
    till.notices.publish("card_note", {"reader": "counter", "what": "written", "sales": 1})
    till.notices.publish("card_note", told)
    expect(page.locator("#card-hints")).to_have_text("Found: <b>30</b> points.")


FAILED = {
    "reader": "counter",
    "reason": "mute",
    "title": "The card could not be read",
    "detail": "The card does not answer.",
    "next": ["Hold the card flat."],
    "step": "tap_again",
    "ladder": [
        {"step": "tap_again", "say": "Hold the card flat."},
        {"step": "scan_qr", "say": "Scan the QR code."},
        {"step": "no_card", "say": "Sell without a card."},
    ],
}


def test_the_reading_ladder_is_shown_with_the_present_step(page: Page, till: FakeTill) -> None:
    """Only the steps that can be done; it goes when a card is read or a sale is made."""
    expect(page.get_by_role("navigation", name="What can be tried")).to_be_hidden()
    till.notices.publish("card_unreadable", FAILED)
    expect(page.locator("#ladder button")).to_have_text(["Tap again", "QR code", "No card"])
    expect(page.locator("#ladder [aria-current=step]")).to_have_text("Tap again")
    expect(page.locator("#card-hints")).to_have_text("Hold the card flat.")
    further = {**FAILED, "step": "scan_qr", "next": ["Scan the QR code."], "ladder": FAILED["ladder"][1:]}  # type: ignore[index]
    till.notices.publish("card_unreadable", further)
    expect(page.locator("#ladder [aria-current=step]")).to_have_text("QR code")
    expect(page.locator("#ladder button")).to_have_count(2)
    till.present()
    expect(page.locator("#ladder")).to_be_hidden()


def test_the_ladder_is_climbed_by_keyboard(page: Page, till: FakeTill) -> None:
    """A cashier whose customer has no phone goes on by Tab and Enter; news of the till do not take the focus away."""
    till.notices.publish("card_unreadable", FAILED)
    expect(page.locator("#ladder button")).to_have_count(3)
    page.keyboard.press("F4")
    expect(page.get_by_role("button", name="Tap again")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#card-hints")).to_have_text("Sell without a card.")
    expect(page.locator("#ladder [aria-current=step]")).to_have_text("No card")
    till.notices.publish("card_unreadable", FAILED)
    expect(page.locator("#ladder [aria-current=step]")).to_have_text("Tap again")
    expect(page.get_by_role("button", name="No card")).to_be_focused()


def test_a_sale_ends_the_ladder(page: Page, till: FakeTill, api: Api) -> None:
    """Whatever was tried: that customer is served."""
    till.notices.publish("card_unreadable", FAILED)
    expect(page.locator("#ladder")).to_be_visible()
    api.sale("k-1")
    expect(page.locator("#ladder")).to_be_hidden()
    expect(page.locator("#card-say")).to_have_text("Points earned")


def test_a_failure_is_forgotten_in_time(browser: Browser, till: FakeTill, api: Api) -> None:
    """The next customer does not meet the last one's trouble."""
    with browser.new_context(locale="fr-FR") as context:
        page = context.new_page()
        page.clock.install()
        page.goto(f"http://{api.address}/")
        page.wait_for_selector('body[data-link="linked"]')
        till.notices.publish("card_unreadable", FAILED)
        expect(page.locator("#ladder button").first).to_have_text("Reposer")
        page.clock.fast_forward(91_000)
        expect(page.locator("#ladder")).to_be_hidden()
        expect(page.locator("#card-say")).to_have_text("Présentez une carte")


def test_a_sale_and_the_queue_are_shown(page: Page, till: FakeTill, api: Api) -> None:
    """Each sale appears, the queue grows, and the line that is cut is no drama."""
    till.reachable = False
    api.sale("k-1")
    api.sale("k-2", kind="redeem", points=30)
    expect(page.locator("#recent li")).to_have_count(2)
    expect(page.locator("#recent li").first).to_contain_text("Points redeemed")
    expect(page.locator("#recent li").first).to_contain_text("−30")
    expect(page.locator("#queue-count")).to_have_text("2")
    expect(page.locator("#queue-note")).to_have_text("the oldest waits 12 s")
    expect(page.locator("#ledger-state")).to_have_text("Out of reach")


def test_a_sale_that_the_ledger_posts_changes_on_the_screen(page: Page, till: FakeTill, api: Api) -> None:
    """One line for each transaction, whatever becomes of it."""
    sale = api.sale("k-1").json
    expect(page.locator("#recent .state")).to_have_text("kept here")
    told = {**{name: sale[name] for name in ("id", "kind", "points", "card", "balance")}, "state": "posted"}
    till.notices.publish("transaction", told)
    expect(page.locator("#recent .state")).to_have_text("booked")


def test_a_sale_without_a_card_shows_its_code(page: Page, till: FakeTill, api: Api) -> None:
    """Large, for the customer's phone to photograph; a sale with a card needs none, and the code can be had again."""
    api.sale("k-1")
    told = {"id": "without-card", "kind": "earn", "state": "queued", "points": 30, "claimable": True}
    sold_so = {"id": "without-card", "card": None, "claim": code_of(sold()).text}
    till.outcomes.append(msgspec.structs.replace(till.outcomes[0], **sold_so))
    till.notices.publish("transaction", told)
    code = page.get_by_alt_text("Code for a customer without a card")
    expect(code).to_be_visible()
    expect(page.locator("#card-change")).to_have_text("+30 points")
    width = page.evaluate("async () => { const i = document.images[0]; await i.decode(); return i.naturalWidth; }")
    assert width > 0
    api.sale("k-2")
    expect(page.locator("#recent li")).to_have_count(3)
    expect(code).to_be_hidden()
    page.get_by_role("button", name="Show the code").click()
    expect(code).to_be_visible()


def test_a_long_sync_shows_how_far_it_is(page: Page, till: FakeTill, api: Api) -> None:
    """In the tile of the queue, small; gone when the pass has ended."""
    progress = {"sent": 1200, "left": 8800, "per_s": 400.0, "remaining_s": 22.0}
    over, till.pass_ = till.pass_, {"phase": "running", "progress": progress}
    till.notices.publish("sync", {**SYNC_WORD, **till.pass_})
    expect(page.locator("#queue-note")).to_have_text("sending: 8,800 to go, about 22 s left")
    till.pass_ = over
    till.notices.publish("sync", SYNC_WORD)
    expect(page.locator("#queue-note")).to_have_text("Everything has been sent.")


def test_readers_and_what_mends_them(page: Page, till: FakeTill) -> None:
    """A reader that cannot read shows its remedy."""
    expect(page.locator("#readers li")).to_have_text("counterready")
    till.readers = [
        ReaderStatus("counter", "pcsc", ReaderState.FORBIDDEN, NOW, "pcscd says no", "usermod -aG pcscd tilld")
    ]
    till.notices.publish("reader_status", till.readers[0])
    expect(page.locator("#readers li")).to_have_text("counternot permittedusermod -aG pcscd tilld")


def test_a_reader_under_test_is_no_reader_for_customers(page: Page, till: FakeTill, api: Api) -> None:
    """The cashier sees at once that a technician has it, and that it is back."""
    begun = api.ask("POST", "/v1/trials", {"reader": "counter"}, token=TOKENS.technician).json
    expect(page.locator("#readers li .state")).to_have_text("being tested")
    expect(page.locator("#readers li")).to_contain_text("use another reader")
    api.ask("POST", f"/v1/trials/{begun['id']}/end", token=TOKENS.technician)
    expect(page.locator("#readers li .state")).to_have_text("ready")


def test_conflicts_appear_only_when_there_are_some(page: Page, till: FakeTill, api: Api) -> None:
    """Quiet until somebody must act."""
    expect(page.locator("#conflicts")).to_be_hidden()
    api.sale("k-1")
    till.outcomes[0] = msgspec.structs.replace(till.outcomes[0], state=State.CONFLICT, verdict="overdrawn")
    till.notices.publish("conflict", {"id": till.outcomes[0].id, "code": "overdrawn", "detail": ""})
    expect(page.locator("#conflicts")).to_be_visible()
    expect(page.locator("#conflicts li")).to_contain_text(sentence("overdrawn").en)


def test_what_happened_before_the_page_was_opened_is_there(page: Page, till: FakeTill, api: Api) -> None:
    """A reload loses nothing of this start."""
    till.present()
    api.sale("k-1")
    page.reload()
    expect(page.locator("#card-number")).to_have_text("•••• 0017")
    expect(page.locator("#recent li")).to_have_count(1)


def test_the_page_speaks_the_browsers_language(browser: Browser, api: Api) -> None:
    """French for a French browser, English for any other that is not known."""
    for locale, words in {"fr-FR": "Présentez une carte", "de-DE": "Present a card"}.items():
        with browser.new_context(locale=locale) as context:
            page = context.new_page()
            page.goto(f"http://{api.address}/")
            expect(page.locator("#card-say")).to_have_text(words)


def test_a_lost_till_is_said_and_found_again(browser: Browser, tmp_path: Path) -> None:
    """The till stops: the page says that it may be old. It comes back, with a new cookie: the page goes on."""
    first, second = FakeTill(), FakeTill()
    address = f"127.0.0.1:{free_port()}"
    first.start()
    with browser.new_context(locale="en-GB") as context:
        page = context.new_page()
        with serving(first, tmp_path, listen=address) as api:
            page.goto(f"http://{api.address}/")
            page.wait_for_selector('body[data-link="linked"]')
        first.stop()
        expect(page.locator("#lost")).to_contain_text("lost the till")
        second.start()
        with serving(second, tmp_path, listen=address):
            expect(page.locator("#lost")).to_be_hidden()
            second.present("2990000000024")
            expect(page.locator("#card-number")).to_have_text("•••• 0024")
        second.stop()


def test_the_page_loads_nothing_from_elsewhere_and_complains_of_nothing(
    browser: Browser, api: Api, till: FakeTill
) -> None:
    """Everything comes from the till itself, the content policy holds, the console is silent."""
    asked: set[str] = set()
    with browser.new_context(locale="en-GB") as context:
        page = context.new_page()
        said = Said(page)
        page.on("request", lambda request: asked.add(request.url.split("/")[2]))
        page.goto(f"http://{api.address}/")
        page.wait_for_selector('body[data-link="linked"]')
        till.present()
        api.sale("k-1")
        expect(page.locator("#queue-count")).to_have_text("1")
    assert asked == {api.address}
    assert said.complaints == []


def test_injected_script_does_not_run(browser: Browser, api: Api, till: FakeTill) -> None:
    """Text from cards and ledgers is text; and what markup would get in, the content policy stops."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"http://{api.address}/")
        page.wait_for_selector('body[data-link="linked"]')
        evil = "<img src=x onerror=\"document.title='owned'\">"
        told = {"reader": evil, "reason": evil, "title": evil, "detail": evil, "next": [evil]}
        till.notices.publish("card_unreadable", told)
        expect(page.locator("#card-note")).to_have_text(evil)
        refused = page.evaluate("try { document.body.innerHTML = '<b>x</b>'; 'done' } catch (error) { error.name }")
        assert refused == "TypeError"
        assert page.locator("img:not([hidden])").count() == 0
        assert page.title() != "owned"
