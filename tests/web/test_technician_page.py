"""The technician's page in a real browser: the way in, what it shows, and what can be done there."""

import re
from collections.abc import Iterator

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from drivers.base import ReaderState
from offline_queue.entry import State
from terminal.inbox import ReaderStatus
from tests.api.conftest import TOKENS, Api
from tests.api.fake_till import NOW, SYNC_WORD, FakeTill
from tests.web.axe import faults
from tests.web.conftest import Said

pytestmark = pytest.mark.browser


def log_in(page: Page, address: str, token: str = TOKENS.technician) -> None:
    page.set_default_timeout(60_000)
    page.goto(f"http://{address}/technician")
    page.get_by_label("The content of technician.token").fill(token)
    page.keyboard.press("Enter")


@pytest.fixture
def desk(browser: Browser, api: Api) -> Iterator[Page]:
    """The page, logged in."""
    with browser.new_context(locale="en-GB", viewport={"width": 1024, "height": 768}) as context:
        page = context.new_page()
        log_in(page, api.address)
        expect(page.locator("#terminal")).to_have_text("S001-T01")
        yield page


def test_nothing_is_shown_before_the_token(browser: Browser, api: Api, till: FakeTill) -> None:
    """A wrong one is said, the right one opens; after logging out the door is closed, also to the cookie."""
    with browser.new_context(locale="en-GB") as context:
        page = context.new_page()
        log_in(page, api.address, "not-the-token")
        expect(page.get_by_role("alert")).to_contain_text("technician.token")
        expect(page.locator("#till")).to_be_hidden()
        log_in(page, api.address)
        expect(page.locator("#till")).to_be_visible()
        assert page.evaluate("document.cookie") == ""
        page.reload()
        expect(page.locator("#till")).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page.locator("#login")).to_be_visible()
        page.reload()
        expect(page.locator("#login")).to_be_visible()


def test_a_reader_with_what_mends_it(desk: Page, till: FakeTill) -> None:
    """State, reason, counters, and the remedy as a command to take along."""
    mend = "sudo usermod -aG plugdev tilld"
    till.readers.append(ReaderStatus("nfc", "pcsc", ReaderState.FORBIDDEN, NOW, "polkit says <b>no</b>", mend))
    till.notices.publish("reader_status", till.readers[1])
    row = desk.locator("#readers tbody tr").nth(1)
    expect(row).to_contain_text("polkit says <b>no</b>")
    expect(desk.locator("#verdict")).to_contain_text("reader nfc is forbidden")
    desk.context.grant_permissions(["clipboard-read", "clipboard-write"])
    row.get_by_role("button", name=f"Copy: {mend}").click()
    expect(row.get_by_role("button")).to_have_text("Copied")
    assert desk.evaluate("navigator.clipboard.readText()") == mend


def test_all_is_well_at_one_glance(desk: Page, till: FakeTill) -> None:
    """And what is not comes first, in words."""
    expect(desk.locator("#verdict-title")).to_have_text("All is well")
    till.reachable = False
    till.notices.publish("sync", SYNC_WORD)
    expect(desk.locator("#verdict-title")).to_have_text("Attention")
    expect(desk.locator("#books")).to_contain_text("out of reach")


def test_a_long_sync_is_seen_from_its_start_to_its_end(desk: Page, till: FakeTill) -> None:
    """Its bar, rate and time left; its start and end, or its failure, among the messages."""
    progress = {"sent": 0, "left": 100, "per_s": None, "remaining_s": None}
    till.notices.publish("sync", {**SYNC_WORD, "phase": "started", "progress": progress})
    expect(desk.locator("#messages li")).to_have_text([re.compile("Sync has started")])
    over, till.pass_ = (
        till.pass_,
        {"phase": "running", "progress": {"sent": 40, "left": 60, "per_s": 20.0, "remaining_s": 3.0}},
    )
    till.notices.publish("sync", {**SYNC_WORD, **till.pass_})
    expect(desk.locator("#sync-state")).to_have_text("40 sent, 60 to go, 20 a second, about 3.0 s left")
    expect(desk.get_by_role("progressbar", name="Sync")).to_have_attribute("value", "40")
    till.pass_ = over
    till.notices.publish("sync", SYNC_WORD)
    expect(desk.locator("#messages li").first).to_contain_text("Sync has ended")
    expect(desk.get_by_role("progressbar", name="Sync")).to_be_hidden()
    till.notices.publish("sync", {**SYNC_WORD, "phase": "failed", "detail": "No answer."})
    expect(desk.locator("#messages li").first).to_contain_text("Sync has failed: No answer.")


def test_sync_now(desk: Page, till: FakeTill, api: Api) -> None:
    """One button, and how much is due."""
    api.sale("k-1")
    desk.get_by_role("button", name="Sync now").click()
    expect(desk.locator("#sync-state")).to_have_text("Asked for; 1 to send.")


def test_what_is_beyond_the_list_of_conflicts_is_counted(desk: Page, till: FakeTill, api: Api) -> None:
    """Sixty wait, fifty are shown, and nobody believes that these are all."""
    for n in range(60):
        api.sale(f"k-{n}")
    disputed = {"state": State.CONFLICT, "verdict": "overdrawn"}
    till.outcomes[:] = [msgspec.structs.replace(each, **disputed) for each in till.outcomes]
    till.notices.publish("sync", SYNC_WORD)
    expect(desk.locator("#conflicts article")).to_have_count(50)
    expect(desk.locator("#conflicts-more")).to_have_text("10 more come up as these are decided.")


def test_a_conflict_is_decided_by_keyboard_alone(desk: Page, till: FakeTill, api: Api) -> None:
    """What happened, in words, and the form; what is typed survives the news of the till."""
    api.sale("k-1")
    till.outcomes[0] = msgspec.structs.replace(till.outcomes[0], state=State.CONFLICT, verdict="overdrawn")
    till.notices.publish("conflict", {"id": "x", "code": "overdrawn", "state": "conflict", "sentence": "Overdrawn."})
    form = desk.locator("#conflicts article")
    expect(form).to_contain_text("•••• 0017")
    expect(desk.locator("#messages")).to_contain_text("A conflict: Overdrawn.")
    expect(desk.locator("#tile-queue .chip")).to_have_attribute("data-mood", "calm")
    expect(desk.locator("#books")).to_contain_text("To be decided1")
    desk.get_by_label("It does not count").focus()
    desk.keyboard.press("Space")
    desk.keyboard.press("Tab")
    desk.keyboard.type("Wrong card")
    till.notices.publish("sync", SYNC_WORD)
    desk.keyboard.press("Tab")
    desk.keyboard.type("A. Martin")
    desk.keyboard.press("Enter")
    expect(form.get_by_role("status")).to_have_text("It is on its way.")
    assert any(key.startswith("resolution:") for key in till.first)
    till.outcomes[0] = msgspec.structs.replace(till.outcomes[0], state=State.RESOLVED)
    till.notices.publish("conflict", {"id": "x", "code": "", "state": "resolved", "sentence": ""})
    expect(desk.locator("#conflicts")).to_be_hidden()


def test_a_keyboard_reaches_the_readers_at_once(desk: Page, till: FakeTill, api: Api) -> None:
    """However many disputes stand before them: the first stop skips there, the next one is in the readers' table."""
    for number in range(5):
        api.sale(f"k-{number}")
        till.outcomes[-1] = msgspec.structs.replace(till.outcomes[-1], state=State.CONFLICT, verdict="overdrawn")
    till.notices.publish("conflict", {"id": "x", "state": "conflict", "sentence": "It is overdrawn."})
    expect(desk.locator("#conflicts article")).to_have_count(5)
    skip = desk.get_by_role("link", name="Skip to the readers")
    assert skip.bounding_box()["width"] == 1  # type: ignore[index]
    desk.keyboard.press("Tab")
    expect(skip).to_be_focused()
    assert skip.bounding_box()["width"] > 50  # type: ignore[index]
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("region", name="Readers").first).to_be_focused()
    expect(desk.locator("#readers-title")).to_be_in_viewport()
    desk.keyboard.press("Tab")
    expect(desk.locator("#readers .scroll")).to_be_focused()
    desk.goto(f"http://{api.address}/technician")
    expect(desk.locator("#readers .scroll")).to_be_visible()
    desk.keyboard.press("Tab")
    expect(skip).to_be_focused()


def test_the_browsers_own_notices_need_its_leave(desk: Page, api: Api) -> None:
    """Asked for by the box, and only then; a browser that says no leaves the box empty."""
    box = desk.get_by_label("Notify me")
    box.click()
    expect(box).not_to_be_checked()
    desk.context.grant_permissions(["notifications"], origin=f"http://{api.address}")
    box.click()
    expect(box).to_be_checked()


def test_a_reader_that_is_being_tested_says_so(desk: Page, till: FakeTill) -> None:
    """Beside its state: it serves no customer meanwhile."""
    till.held.add("counter")
    till.notices.publish("reader_status", till.readers[0])
    expect(desk.locator("#readers tbody tr")).to_contain_text("being tested")


def test_the_charts_are_tables_too(desk: Page) -> None:
    """Who does not see a line reads the numbers; another span is asked for by the radio buttons."""
    expect(desk.locator(".chart")).to_have_count(3)
    expect(desk.locator(".chart svg[aria-hidden=true]")).to_have_count(3)
    queue = desk.locator(".chart").nth(1)
    queue.get_by_text("As a table").click()
    expect(queue.get_by_role("columnheader", name="waiting")).to_be_visible()
    with desk.expect_response("**/v1/history?hours=168&step=60"):
        desk.get_by_label("7 days").check()


def test_a_till_without_a_doctor_says_so(desk: Page) -> None:
    """One part that fails hides no other."""
    expect(desk.locator("#doctor-state")).to_contain_text("nobody to examine it")
    expect(desk.locator("#books section")).to_have_count(4)


def test_a_session_that_has_ended_leads_back_to_the_door(desk: Page, api: Api) -> None:
    """Whatever is asked next."""
    desk.context.clear_cookies()
    desk.get_by_role("button", name="Sync now").click()
    expect(desk.locator("#login")).to_be_visible()
    expect(desk.get_by_label("The content of technician.token")).to_be_focused()


@pytest.mark.parametrize(("width", "height"), [(1024, 768), (390, 844)])
def test_it_fits_a_small_screen(desk: Page, till: FakeTill, width: int, height: int) -> None:
    """No sideways scrolling on an old counter screen or on a phone."""
    till.readers.append(ReaderStatus("nfc", "pcsc", ReaderState.ABSENT, NOW, "x" * 80, "ls -l " + "y" * 90))
    till.notices.publish("reader_status", till.readers[1])
    desk.set_viewport_size({"width": width, "height": height})
    expect(desk.locator("#readers tbody tr")).to_have_count(2)
    assert desk.evaluate("document.documentElement.scrollWidth") <= width


def test_evil_words_are_words(desk: Page, till: FakeTill) -> None:
    """A driver's or a ledger's text becomes no markup, and the policy stops what would."""
    evil = "<img src=x onerror=\"document.title='owned'\">"
    till.readers = [ReaderStatus(evil, evil, ReaderState.ABSENT, NOW, evil, evil)]
    till.detail, till.reachable = evil, False
    till.notices.publish("reader_status", till.readers[0])
    expect(desk.locator("#readers tbody")).to_contain_text(evil)
    assert desk.locator("main img").count() == 0
    assert "owned" not in desk.title()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, api: Api, till: FakeTill, scheme: str) -> None:
    """At the door and inside, by light and by dark, with everything on the page that can be on it."""
    api.sale("k-1")
    till.outcomes[0] = msgspec.structs.replace(till.outcomes[0], state=State.CONFLICT, verdict="overdrawn")
    till.readers.append(
        ReaderStatus("nfc", "pcsc", ReaderState.FORBIDDEN, NOW, "polkit says no", "usermod -aG x tilld")
    )
    with browser.new_context(locale="en-GB", color_scheme=scheme, bypass_csp=True) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"http://{api.address}/technician")
        expect(page.locator("#login")).to_be_visible()
        assert faults(page) == []
        log_in(page, api.address)
        expect(page.locator("#conflicts form")).to_be_visible()
        expect(page.locator(".chart")).to_have_count(3)
        till.notices.publish("sync", {**SYNC_WORD, "phase": "failed", "detail": "No answer."})
        expect(page.locator("#messages li")).to_have_count(1)
        assert faults(page) == []


def test_the_policy_is_as_strict_as_the_other_pages(browser: Browser, api: Api) -> None:
    """Nothing from elsewhere, no inline code, no markup from strings; the console says nothing."""
    asked: set[str] = set()
    with browser.new_context(locale="en-GB") as context:
        page = context.new_page()
        said = Said(page)
        page.on("request", lambda request: asked.add(request.url.split("/")[2]))
        answer = page.goto(f"http://{api.address}/technician")
        assert answer is not None
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        expect(page.locator("#login")).to_be_visible()
        assert page.evaluate("try { document.body.innerHTML = 'x'; '' } catch (error) { error.name }") == "TypeError"
    assert asked == {api.address}
    assert [each for each in said.complaints if "Trusted" not in each] == []
