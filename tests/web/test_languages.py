"""One real till, two real browsers: each reads the till's sentences in its own language, at the same time."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from drivers.base import CardUnreadable
from offline_queue.conflicts import sentence
from offline_queue.words import Language, Words
from terminal.counter.failure_words import told
from terminal.counter.headings import heading
from terminal.counter.ladder import Step
from terminal.counter.ladder_words import say
from terminal.counter.refusals import WORDS
from tests.acceptance.rig import TillProcess, till_with_ledger, tilld
from tests.acceptance.test_resolutions import sold_twice, wait_for_conflict
from tests.web.conftest import Said

pytestmark = pytest.mark.browser
LOCALES: dict[Language, str] = {"fr": "fr-FR", "en": "en-GB"}
DUPLICATE = sentence("receipt_duplicate")
CANNOT_BE_READ = told(CardUnreadable("unreadable", ""))


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TillProcess]:
    with till_with_ledger(tmp_path_factory.mktemp("languages")) as till:
        yield till


@pytest.fixture
def pages(browser: Browser, till: TillProcess) -> Iterator[dict[Language, Page]]:
    """The counter's page in a French and in an English browser; their consoles stay empty."""
    with ExitStack() as open_:
        pages: dict[Language, Page] = {}
        for language, locale in LOCALES.items():
            pages[language] = open_.enter_context(browser.new_context(locale=locale)).new_page()
            pages[language].set_default_timeout(60_000)
        heard = [Said(page) for page in pages.values()]
        for page in pages.values():
            page.goto(f"http://127.0.0.1:{till.port}/")
            page.wait_for_selector('body[data-link="linked"]')
        yield pages
        assert [said.complaints for said in heard] == [[], []]


def each_reads(pages: dict[Language, Page], place: str, words: Words) -> None:
    for language, page in pages.items():
        expect(page.locator(place).first).to_contain_text(words.said(language))
        expect(page.locator("html")).to_have_attribute("lang", language)


def test_a_card_that_is_not_read(till: TillProcess, pages: dict[Language, Page]) -> None:
    """What was wrong, what to try next, and what a screen reader says of it; then a number that is none of ours."""
    tilld("tap", "--fault", "unreadable", "--technology", "ntag", "--state", till.state)
    each_reads(pages, "#card-note", CANNOT_BE_READ)
    each_reads(pages, "#card-hints", say(Step.TAP_AGAIN, claims=True))
    each_reads(pages, "#said-now", say(Step.TAP_AGAIN, claims=True))
    tilld("tap", "12", "--state", till.state)
    each_reads(pages, "#card-say", heading("too_short"))
    detail, *steps = WORDS["too_short"]
    each_reads(pages, "#card-note", detail)
    each_reads(pages, "#card-hints", steps[0])


def test_a_conflict(till: TillProcess, pages: dict[Language, Page], browser: Browser) -> None:
    """In the panel while the sale is on the screen, and in the list below; the technician's page stays English."""
    pos = till.pos()
    second = sold_twice(pos, "R-languages")
    pos.close()
    wait_for_conflict(till, second, "parked")
    each_reads(pages, "#conflicts li", DUPLICATE)
    each_reads(pages, "#card-note", DUPLICATE)
    with browser.new_context(locale="fr-FR") as context:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{till.port}/technician")
        page.get_by_label("The content of technician.token").fill((till.state / "technician.token").read_text().strip())
        page.keyboard.press("Enter")
        expect(page.locator("#conflicts article")).to_contain_text(DUPLICATE.en)


def test_the_page_has_every_word_in_both_languages(pages: dict[Language, Page]) -> None:
    """The same names at every depth, lists of the same length, and functions of as many values."""
    script = """async () => {
      const { wordsFor } = await import("/web/words.js");
      const shape = (value) => {
        if (typeof value === "function" || Array.isArray(value)) return value.length;
        if (typeof value !== "object") return typeof value;
        return Object.entries(value).sort().map(([name, inner]) => [name, shape(inner)]);
      };
      return ["fr", "en"].map((language) => JSON.stringify(shape(wordsFor([language]).words)));
    }"""
    french, english = pages["fr"].evaluate(script)
    assert french == english
    assert len(french) > 500


def test_a_page_opened_later_reads_what_was_said_before(till: TillProcess, browser: Browser) -> None:
    """What the till still remembers it tells anew, in the language of whoever comes."""
    tilld("tap", "12", "--state", till.state)
    with browser.new_context(locale="fr-FR") as context:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{till.port}/")
        expect(page.locator("#card-note")).to_contain_text(WORDS["too_short"][0].fr)
