"""The page across a counter: what a cashier sees, hears and does without a mouse, and what a screen reader says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from drivers.base import ReaderState
from offline_queue.entry import State
from offline_queue.words import LANGUAGES, Language
from terminal.counter.headings import heading
from terminal.counter.refusals import WORDS
from terminal.inbox import ReaderStatus
from tests.api.conftest import Api, serving
from tests.api.fake_till import NOW, FakeTill
from tests.web.axe import faults
from tests.web.test_page import FAILED

pytestmark = pytest.mark.browser

EXPIRING = {"points": 60, "last_day": "2026-12-31", "text": "60 points expire on 31 December."}
BALANCE = {"points": 148, "as_of": "2026-03-01T10:00:00Z", "pending": 24, "estimate": True, "expiring": [EXPIRING]}
SALE: dict[str, Any] = {
    "id": "s-1",
    "kind": "earn",
    "state": "queued",
    "points": 24,
    "effect": 24,
    "card": {"masked": "•••• 0017"},
    "balance": BALANCE,
}
# Tells the tones that the page starts, in the page itself: nobody listens to a headless browser.
LISTEN = """() => {
  const tones = [];
  const make = AudioContext.prototype.createOscillator;
  AudioContext.prototype.createOscillator = function () {
    const tone = make.call(this);
    const start = tone.start;
    tone.start = function (...when) {
      tones.push(Math.round(tone.frequency.value));
      document.body.dataset.tones = tones.join(" ");
      start.apply(tone, when);
    };
    return tone;
  };
}"""
HEAR = """() => {
  const heard = [];
  for (const id of ["said", "said-now"]) new MutationObserver(() => {
    const text = document.getElementById(id).textContent;
    if (text) heard.push(text);
    document.body.dataset.heard = JSON.stringify(heard);
  }).observe(document.getElementById(id), {childList: true, characterData: true, subtree: true});
}"""


@pytest.fixture
def listened(browser: Browser, api: Api) -> Iterator[Page]:
    """The page some seconds after it was opened, its tones noted."""
    with browser.new_context(locale="en-GB") as context:
        page = context.new_page()
        page.clock.install()
        opened(page, api)
        yield page


def opened(page: Page, api: Api) -> None:
    page.goto(f"http://{api.address}/")
    page.wait_for_selector('body[data-link="linked"]')
    page.evaluate(LISTEN)
    page.clock.fast_forward(2000)


def test_a_sale_shows_what_was_earned_and_what_there_is_now(page: Page, till: FakeTill) -> None:
    """The change, the sum, that it is an estimate, since when it is certain, and what ends next."""
    till.notices.publish("transaction", SALE)
    expect(page.locator("#card-say")).to_have_text("Points earned")
    expect(page.locator("#card-change")).to_have_text("+24 points")
    expect(page.locator("#card-points")).to_have_text("148 points")
    expect(page.locator("#card-estimate")).to_have_text("estimate")
    expect(page.locator("#card-note")).to_contain_text("certain as of")
    expect(page.locator("#card-expiry")).to_have_text("60 points expire on 31 December.")


def test_what_becomes_of_an_old_sale_is_no_news(page: Page, till: FakeTill) -> None:
    """The ledger posts it while the next customer's card is on the screen: that one stays there."""
    till.notices.publish("transaction", SALE)
    till.present("2990000000024")
    till.notices.publish("transaction", {**SALE, "state": "posted"})
    expect(page.locator("#recent .state")).to_have_text("booked")
    expect(page.locator("#card-number")).to_have_text("•••• 0024")
    expect(page.locator("#card-say")).to_have_text("Last card")


def test_a_sale_that_must_be_looked_at_promises_nothing(page: Page, till: FakeTill) -> None:
    """The ledger parks it: no tick, no plus, but why, and that the total leaves it out; decided, the total speaks."""
    left = {**BALANCE, "points": 124, "pending": 0, "estimate": False}
    till.notices.publish("transaction", SALE)
    till.notices.publish("transaction", {**SALE, "state": "parked", "balance": left})
    till.notices.publish("conflict", {"id": "s-1", "state": "parked", "sentence": "This receipt earned before."})
    expect(page.locator("#card-say")).to_have_text("Under review")
    expect(page.locator("#card")).to_have_attribute("data-mood", "review")
    expect(page.locator("#card-change")).to_have_text("Points earned · 24 points")
    expect(page.locator("#card-points")).to_have_text("124 points")
    expect(page.locator("#card-note")).to_have_text(
        "This receipt earned before. These points are not in the total yet."
    )
    expect(page.locator("#said")).to_contain_text("Under review Points earned · 24 points, card ending in 0017")
    till.notices.publish("transaction", {**SALE, "state": "resolved", "balance": left})
    expect(page.locator("#card-say")).to_have_text("Last card")
    expect(page.locator("#card-change")).to_be_empty()


@pytest.mark.parametrize(
    ("effect", "locale", "word", "change"),
    [
        (-24, "en-GB", "Points taken back", "−24 points"),
        (24, "en-GB", "Points given back", "+24 points"),
        (-24, "fr-FR", "Points repris", "−24 points"),
        (24, "fr-FR", "Points rendus", "+24 points"),
    ],
)
def test_a_reversal_says_which_way_the_points_went(
    browser: Browser, api: Api, till: FakeTill, effect: int, locale: str, word: str, change: str
) -> None:
    """A sale taken back and a redemption given back look unlike each other: on the panel, in the list, when heard."""
    with browser.new_context(locale=locale) as context:
        page = context.new_page()
        page.goto(f"http://{api.address}/")
        page.wait_for_selector('body[data-link="linked"]')
        till.notices.publish("transaction", {**SALE, "kind": "reverse", "effect": effect})
        expect(page.locator("#card-say")).to_have_text(word)
        expect(page.locator("#card-change")).to_have_text(change)
        expect(page.locator("#recent li .name")).to_have_text(word)
        expect(page.locator("#recent li .points")).to_have_text(change.split()[0])
        expect(page.locator("#said")).to_contain_text(f"{word} {change}")


def test_only_what_happens_at_the_counter_is_listed(page: Page, till: FakeTill) -> None:
    """A right that goes back, a changed card and a decision are nothing that a cashier has sold."""
    for number, kind in enumerate(("release", "card_event", "correction", "claim")):
        told = {**SALE, "id": f"o-{number}", "kind": kind, "points": 12 if kind == "claim" else 0, "effect": 0}
        till.notices.publish("transaction", told)
    expect(page.locator("#recent li")).to_have_count(1)
    expect(page.locator("#recent li .name")).to_have_text("Code credited")
    expect(page.locator("#recent li .points")).to_have_text("+12")


def test_no_line_begins_with_a_french_mark(browser: Browser, api: Api, till: FakeTill) -> None:
    """The space before it is one that does not break, in the till's sentences and in the page's own."""
    detail = WORDS["payment_card"][0].fr.replace(",", " ;")
    told = {"reader": "counter", "reason": "payment_card", "title": "Oui ?", "detail": detail, "next": ["Un : deux"]}
    with browser.new_context(locale="fr-FR") as context:
        page = context.new_page()
        page.goto(f"http://{api.address}/")
        page.wait_for_selector('body[data-link="linked"]')
        till.notices.publish("card_unreadable", told)
        expect(page.locator("#card-hints")).to_have_text("Un : deux")
        text = page.evaluate("document.querySelector('main').textContent")
        assert "\u00a0;" in text
        assert not any(f" {mark}" in text for mark in ";:?!»")


@pytest.mark.parametrize("reason", ["payment_card", "card_blocked"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_card_that_was_read_is_not_called_unreadable(
    browser: Browser, api: Api, till: FakeTill, reason: str, language: Language
) -> None:
    """A payment card and a blocked card say what they are, as the till's sentence does below."""
    detail, *steps = (words.said(language) for words in WORDS[reason])
    told = {"reader": "counter", "reason": reason, "title": heading(reason), "detail": detail, "next": steps}
    with browser.new_context(locale=language) as context:
        page = context.new_page()
        page.goto(f"http://{api.address}/")
        page.wait_for_selector('body[data-link="linked"]')
        till.notices.publish("card_unreadable", told)
        expect(page.locator("#card-say")).to_have_text(heading(reason).said(language))
        expect(page.locator("#card-note")).to_have_text(detail)
        expect(page.locator("#said-now")).to_contain_text(heading(reason).said(language))


@pytest.mark.parametrize(("set_to", "browsers", "words"), [("fr", "en-GB", "Présentez"), ("", "fr-FR", "Présentez")])
def test_the_shops_language_goes_before_the_browsers(
    till: FakeTill, browser: Browser, tmp_path: Path, set_to: str, browsers: str, words: str
) -> None:
    """A French shop with an English Chromium has a French page; who sets nothing leaves it to the browser."""
    with serving(till, tmp_path, page_language=set_to) as api, browser.new_context(locale=browsers) as context:
        page = context.new_page()
        page.goto(f"http://{api.address}/")
        expect(page.locator("#card-say")).to_contain_text(words)
        expect(page.locator("html")).to_have_attribute("lang", "fr")


def test_tunes_tell_a_card_a_sale_and_trouble_apart(listened: Page, till: FakeTill) -> None:
    """Two tones up, three up, two down; and none before the first key or click, as browsers want it."""
    body = listened.locator("body")
    till.present()
    expect(listened.locator("#card-number")).to_have_text("•••• 0017")
    assert body.get_attribute("data-tones") is None
    listened.keyboard.press("Tab")
    till.present("2990000000024")
    expect(body).to_have_attribute("data-tones", "880 1175")
    till.notices.publish("transaction", SALE)
    expect(body).to_have_attribute("data-tones", "880 1175 784 988 1319")
    till.notices.publish("card_unreadable", FAILED)
    expect(body).to_have_attribute("data-tones", "880 1175 784 988 1319 330 262")


def test_what_was_before_the_page_was_opened_stays_silent(listened: Page, till: FakeTill, api: Api) -> None:
    """A reload in the middle of the day plays nothing of the morning."""
    till.present()
    expect(listened.locator("#card-number")).to_have_text("•••• 0017")
    opened(listened, api)
    listened.keyboard.press("Tab")
    expect(listened.locator("#card-number")).to_have_text("•••• 0017")
    assert listened.locator("body").get_attribute("data-tones") is None


def test_sound_can_be_switched_off_and_stays_off(listened: Page, till: FakeTill, api: Api) -> None:
    """By F2 or the button; this browser remembers it."""
    switch = listened.get_by_role("button", name="Sound")
    expect(switch).to_have_attribute("aria-pressed", "true")
    listened.keyboard.press("F2")
    expect(switch).to_have_text("Sound off")
    opened(listened, api)
    expect(switch).to_have_attribute("aria-pressed", "false")
    listened.keyboard.press("Tab")
    till.present()
    expect(listened.locator("#card-number")).to_have_text("•••• 0017")
    assert listened.locator("body").get_attribute("data-tones") is None
    switch.click()
    expect(switch).to_have_text("Sound on")
    expect(listened.locator("body")).to_have_attribute("data-tones", "880 1175")


def test_everything_is_done_by_keys(page: Page, till: FakeTill, api: Api) -> None:
    """F1 lists them; F4 goes to the ladder, F8 clears for the next customer; what a scanner types does nothing."""
    page.keyboard.press("F1")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    expect(page.locator("#keys dt")).to_have_text(["F1", "F2", "F4", "F8", "F9", "Tab, Enter"])
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    till.notices.publish("card_unreadable", FAILED)
    expect(page.locator("#ladder button")).to_have_count(3)
    page.keyboard.type("2990000000017S?")
    expect(page.locator("#ladder [aria-current=step]")).to_have_text("Tap again")
    page.keyboard.press("F4")
    expect(page.get_by_role("button", name="Tap again")).to_be_focused()
    page.keyboard.press("F8")
    expect(page.locator("#card-say")).to_have_text("Present a card")
    expect(page.locator("#ladder")).to_be_hidden()


def test_a_screen_reader_hears_one_sentence_for_each_thing(page: Page, till: FakeTill) -> None:
    """No chatter: of ten sales in a row the last one is said; a failure interrupts; silence when nothing is new."""
    page.evaluate(HEAR)
    for n in range(10):
        till.notices.publish("transaction", {**SALE, "id": f"s-{n}", "points": n + 1})
    sum_now = "card ending in 0017, 148 points estimate, 60 points expire on 31 December."
    said = [f"Points earned +10 points, {sum_now}"]
    expect(page.locator("body")).to_have_attribute("data-heard", json.dumps(said, separators=(",", ":")))
    till.notices.publish("card_unreadable", FAILED)
    said.append("The card could not be read. The card does not answer. Hold the card flat.")
    expect(page.locator("body")).to_have_attribute("data-heard", json.dumps(said, separators=(",", ":")))
    live = page.locator("[aria-live], [role=status], [role=alert]")
    assert set(live.evaluate_all("all => all.map((one) => one.id)")) == {
        "link",
        "lost",
        "pos-words",
        "said",
        "said-now",
    }


def test_the_line_that_is_cut_is_said_at_the_top(page: Page, till: FakeTill) -> None:
    """Without drama: sales go on."""
    till.reachable = False
    till.notices.publish("sync", {})
    expect(page.locator("#link")).to_have_text("Connected; the ledger is out of reach")
    expect(page.locator("#ledger-note")).to_contain_text("sales go on")


def test_news_bring_the_card_back_to_the_screen(browser: Browser, till: FakeTill, api: Api) -> None:
    """A cashier has gone down to what is to be cleared up: the next card is seen, and a till that is lost is, too."""
    with browser.new_context(locale="fr-FR", viewport={"width": 800, "height": 480}) as context:
        page = context.new_page()
        page.clock.install()
        opened(page, api)
        for n in range(12):
            till.notices.publish("transaction", {**SALE, "id": f"s-{n}"})
        expect(page.locator("#recent li")).to_have_count(12)
        bottom = "window.scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })"
        page.evaluate(bottom)
        till.present()
        expect(page.locator("#card-number")).to_be_in_viewport()
        page.evaluate(bottom)
        page.evaluate(
            "const lost = document.getElementById('lost');"
            "new MutationObserver(() => lost.removeAttribute('hidden')).observe(lost, { attributes: true });"
            "lost.removeAttribute('hidden');"
        )
        expect(page.locator("#lost")).to_be_in_viewport()


def test_times_are_written_as_the_browsers_region_does(page: Page, till: FakeTill) -> None:
    """An English browser of Britain has no AM and PM."""
    till.notices.publish("transaction", SALE)
    expect(page.locator("#card-note")).to_contain_text("1 Mar")


def test_long_lists_say_that_they_go_on_and_long_words_break(browser: Browser, till: FakeTill, api: Api) -> None:
    """Forty entries in dispute, names without a space: the first are shown, the rest is counted, nothing sticks out."""
    for n in range(40):
        api.sale(f"k-{n}")
    conflict = {"state": State.CONFLICT, "verdict": "overdrawn"}
    till.outcomes[:] = [msgspec.structs.replace(each, **conflict) for each in till.outcomes]
    till.readers = [ReaderStatus("n" * 120, "pcsc", ReaderState.FORBIDDEN, NOW, "p" * 200, None)]
    with browser.new_context(locale="fr-FR", viewport={"width": 800, "height": 480}) as context:
        page = context.new_page()
        page.goto(f"http://{api.address}/")
        expect(page.locator("#conflicts li")).to_have_count(20)
        expect(page.locator("#conflicts-more")).to_have_text("et 20 autres")
        told = {"reader": "x" * 200, "reason": "moved", "title": "t" * 60, "detail": "d" * 300, "next": ["w" * 300]}
        till.notices.publish("card_unreadable", told)
        expect(page.locator("#card-note")).to_have_text("d" * 300)
        assert page.evaluate("document.documentElement.scrollWidth") <= 800


@pytest.mark.parametrize(("width", "height"), [(800, 480), (640, 450), (1280, 900)])
def test_the_first_screen_holds_what_matters(
    browser: Browser, till: FakeTill, api: Api, width: int, height: int
) -> None:
    """A small till's screen, a page at 200 % and a large one: points, ladder and state, without scrolling."""
    with browser.new_context(locale="fr-FR", viewport={"width": width, "height": height}) as context:
        page = context.new_page()
        page.goto(f"http://{api.address}/")
        page.wait_for_selector('body[data-link="linked"]')
        till.notices.publish("transaction", SALE)
        expect(page.locator("#card-points")).to_be_in_viewport(ratio=1)
        expect(page.locator("#card-expiry")).to_be_in_viewport(ratio=1)
        expect(page.locator("#ledger-state")).to_be_in_viewport(ratio=1)
        till.notices.publish("card_unreadable", FAILED)
        expect(page.locator("#ladder button").last).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_those_who_want_no_motion_have_none(browser: Browser, api: Api) -> None:
    """prefers-reduced-motion: nothing fades."""
    with browser.new_context(reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto(f"http://{api.address}/")
        moving = (
            "[...document.querySelectorAll('*')].filter((e) => parseFloat(getComputedStyle(e).transitionDuration) > 0)"
        )
        assert page.evaluate(f"{moving}.length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_in_any_state(browser: Browser, till: FakeTill, api: Api, scheme: Any) -> None:
    """Waiting, read, sold, failed, offline, in conflict, a code shown, the keys listed, the till lost."""
    with browser.new_context(locale="en-GB", color_scheme=scheme, bypass_csp=True, reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto(f"http://{api.address}/")
        page.wait_for_selector('body[data-link="linked"]')
        say = page.locator("#card-say")
        expect(say).to_have_text("Present a card")
        assert faults(page) == []
        till.present()
        expect(say).to_have_text("Last card")
        assert faults(page) == []
        till.reachable = False
        api.sale("k-1")
        expect(page.locator("#link")).to_contain_text("out of reach")
        till.notices.publish("transaction", SALE)
        expect(page.locator("#card-estimate")).to_be_visible()
        assert faults(page) == []
        till.notices.publish("card_unreadable", FAILED)
        expect(page.locator("#ladder")).to_be_visible()
        assert faults(page) == []
        till.notices.publish("transaction", {**SALE, "id": "s-2", "card": None, "balance": None, "claimable": True})
        expect(page.locator("#card-claim")).to_be_visible()
        assert faults(page) == []
        till.notices.publish("transaction", {**SALE, "id": "s-3"})
        till.notices.publish("conflict", {"id": "s-3", "state": "conflict", "sentence": "Too many points."})
        expect(say).to_have_text("Under review")
        assert faults(page) == []
        page.keyboard.press("F1")
        expect(page.get_by_role("dialog")).to_be_visible()
        assert faults(page) == []
        page.keyboard.press("Escape")
        page.evaluate("document.body.dataset.link = 'lost'; document.getElementById('lost').hidden = false")
        assert faults(page) == []
