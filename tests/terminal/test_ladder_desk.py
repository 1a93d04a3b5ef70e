"""The reading ladder at one counter: what its readers take, whose words are said first, and what is forgotten when."""

from typing import Any

import pytest

from drivers.base import CardUnreadable, ReaderState, Technology
from offline_queue.words import Words
from terminal.config import ReaderConfig
from terminal.counter.ladder import FORGET_MS, ORDER, Step, Way
from terminal.counter.ladder_desk import MOST_STRUGGLES, LadderDesk, ways_of
from terminal.counter.refusals import WORDS
from terminal.inbox import ReaderStatus
from tests.ledger.fake_till import FakeTimepiece

OWN = (Words("what is special about it", "ce qui est particulier"),)
SPEAK_FOR_THEMSELVES = {
    *("card_blocked", "payment_card", "check_digit", "too_short", "too_long", "format"),
    *("replayed", "stale_code", "foreign_link", "not_authentic"),
}


@pytest.fixture
def timepiece() -> FakeTimepiece:
    return FakeTimepiece()


@pytest.fixture
def desk(timepiece: FakeTimepiece) -> LadderDesk:
    """A counter with a reader for chips and one for codes."""
    readers = (ReaderConfig("chips", "contactless"), ReaderConfig("codes", "serial_line"))
    states = {one.name: ReaderStatus(one.name, one.driver, ReaderState.READY, "12:00", "") for one in readers}
    return LadderDesk(ORDER, readers, states, timepiece, claims=False)


@pytest.mark.parametrize(
    ("driver", "options", "ways"),
    [
        ("pcsc", {}, {Way.CHIP}),
        ("contactless", {}, {Way.CHIP}),
        ("serial_line", {}, {Way.QR, Way.BAR}),
        ("keyboard_wedge", {}, {Way.QR, Way.BAR}),
        ("simulated", {}, set(Way)),
        ("magstripe", {}, set()),
        ("camera", {}, {Way.QR, Way.BAR}),
        *(("camera", {"symbologies": [matrix]}, {Way.QR}) for matrix in ("qr", "aztec", "pdf417", "datamatrix")),
        ("camera", {"symbologies": ["ean13", "code128"]}, {Way.BAR}),
        ("camera", {"symbologies": ["ean13", "qr"]}, {Way.QR, Way.BAR}),
        ("camera", {"symbologies": []}, set()),
    ],
)
def test_what_a_reader_takes_follows_from_its_config(driver: str, options: dict[str, Any], ways: set[Way]) -> None:
    """A rung that needs more than that is not advised."""
    assert ways_of(driver, options) == ways


@pytest.mark.parametrize("reason", sorted(WORDS))
def test_a_reasons_own_words_are_said_first_where_they_say_more(desk: LadderDesk, reason: str) -> None:
    """Once: whoever fails again hears the next rung."""
    first = desk.failed(reason, Technology.UNKNOWN, OWN)
    assert (first.next == OWN) == (reason in SPEAK_FOR_THEMSELVES)
    for _ in range(2):
        again = desk.failed(reason, Technology.UNKNOWN, OWN)
    assert (again.next == OWN) == (reason in {"card_blocked", "payment_card"})


def test_failures_of_another_customer_are_forgotten(desk: LadderDesk, timepiece: FakeTimepiece) -> None:
    """By the time between them, to the millisecond."""
    mute = CardUnreadable("mute", "words", technology=Technology.NTAG)
    assert desk.card_failed(mute).step is Step.TAP_AGAIN
    timepiece.now += FORGET_MS
    assert desk.card_failed(mute).step is Step.TURN
    assert desk.struggles() == {Technology.NTAG: ["mute", "mute"]}
    timepiece.now += FORGET_MS + 1
    assert desk.card_failed(mute).step is Step.TAP_AGAIN
    assert desk.struggles() == {Technology.NTAG: ["mute"]}


def test_a_reader_that_fails_for_ever_fills_no_memory(desk: LadderDesk) -> None:
    """What is remembered of a card is bounded, for each technology."""
    for technology in (Technology.NTAG, Technology.QR):
        for number in range(MOST_STRUGGLES + 5):
            desk.card_failed(CardUnreadable(f"mute-{number}", "words", technology=technology))
    assert {len(reasons) for reasons in desk.struggles().values()} == {MOST_STRUGGLES}
    assert desk.struggles()[Technology.NTAG][0] == "mute-0"
    desk.reset()
    assert desk.struggles() == {}
