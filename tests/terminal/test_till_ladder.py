"""A card that will not be read, at the till: what the cashier and the POS are told, step by step, and what is kept."""

from concurrent.futures import Future

import pytest

from drivers.base import CardRead, CardUnreadable, EntryMode, ReaderState, Technology
from offline_queue.entry import Card
from offline_queue.words import Language
from terminal.cards.number_formats import NumberFormat
from terminal.cards.wear import WORST
from terminal.config import Config, ReaderConfig, Terminal
from terminal.config_cards import Cards
from terminal.counter.ladder import Step, Way
from terminal.counter.ladder_desk import MOST_STRUGGLES, ways_of
from terminal.inbox import (
    Answered,
    CardFailed,
    CardPresented,
    ReadAbandoned,
    ReaderChanged,
    ReaderStatus,
    TransactionAsked,
)
from terminal.pos import CardNumber, ReadAnswer, Refusal, TransactionRequest
from tests.terminal.rig import Shop, TillRig, said

CARD, SLIP = "2990000000071", "2990000000017"
READERS = (
    ReaderConfig("counter", "contactless"),
    ReaderConfig("camera", "camera", {"symbologies": ["qr"]}),
    ReaderConfig("gun", "serial_line"),
)


@pytest.fixture
def till(shop: Shop) -> TillRig:
    shop.config = Config(
        terminal=Terminal(language="en"),
        readers=READERS,
        cards=Cards(formats=(NumberFormat(prefix="299", length=13, check="ean"),)),
    )
    rig = shop.start()
    for reader in READERS:
        is_there(rig, reader.name)
    return rig


def is_there(till: TillRig, reader: str, state: ReaderState = ReaderState.READY) -> None:
    driver = next(one.driver for one in READERS if one.name == reader)
    till.send(ReaderChanged(ReaderStatus(reader, driver, state, "12:00", "words")))


def fail(till: TillRig, reason: str = "mute", technology: Technology = Technology.NTAG, reader: str = "counter") -> str:
    """A presentation that fails; the step that is advised."""
    till.send(CardFailed(reader, CardUnreadable(reason, "words", technology=technology)))
    told = till.told("card_unreadable")[-1]
    assert told["ladder"][0] == {"step": told["step"], "say": told["next"][0]}
    step: str = told["step"]
    return step


def steps(till: TillRig) -> list[str]:
    return [rung["step"] for rung in till.told("card_unreadable")[-1]["ladder"]]


def tap(till: TillRig, effort: int | None = 1) -> ReadAnswer:
    """A card that is read."""
    reply = till.wait_for_card()
    till.timepiece.now_ms += 5000
    read = CardRead(Technology.NTAG, EntryMode.CONTACTLESS, CARD, uid="04a1b2c3d4e5f6", effort=effort)
    till.send(CardPresented("counter", read))
    answer: ReadAnswer = till.heard(reply)
    return answer


def keyed(till: TillRig, key: str, card: CardNumber) -> "Answered | Refusal":
    reply: Future[Answered] = Future()
    till.till.handle(TransactionAsked(TransactionRequest("earn", card, points=1), key, reply))
    answer: Answered | Refusal = till.heard(reply)
    return answer


def test_the_ladder_is_climbed_and_left(till: TillRig) -> None:
    """Failure by failure; a card that is read leads back to the ground."""
    assert [fail(till) for _ in range(3)] == ["tap_again", "turn", "scan_qr"]
    assert steps(till) == ["scan_qr", "scan_bar", "key_number", "no_card"]
    tap(till)
    assert fail(till) == "tap_again"


def test_a_reader_that_is_not_there_is_not_advised(till: TillRig) -> None:
    """Unplugged a moment ago, or never there: its rungs are left out."""
    is_there(till, "camera", ReaderState.ABSENT)
    is_there(till, "gun", ReaderState.HELD)
    assert fail(till, "random_uid") == "key_number"
    assert steps(till) == ["key_number", "no_card"]
    is_there(till, "camera")
    assert steps(till) == ["key_number", "no_card"]


def test_the_words_never_name_an_absent_reader(till: TillRig) -> None:
    """Also where the reason has words of its own."""
    for reader in ("camera", "gun"):
        is_there(till, reader, ReaderState.ABSENT)
    till.send(CardPresented("counter", CardRead(Technology.NTAG, EntryMode.CONTACTLESS, uid="08a1b2c3")))
    (told,) = till.told("card_unreadable")
    assert told["next"] == ("Key the number printed on the card.",)


def test_a_wait_in_vain_is_answered_with_a_step(till: TillRig) -> None:
    """408: a chip that no reader notices is dead as like as not, so each wait leads on; none is counted twice."""
    heard = []
    for _ in range(3):
        reply = till.wait_for_card()
        till.send(ReadAbandoned("no_card", reply))
        heard.append(till.heard(reply))
    assert [refusal.step for refusal in heard] == [Step.TAP_AGAIN, Step.TURN, Step.SCAN_QR]
    assert tuple(step.en for step in heard[0].steps) == ("Hold the card flat and still on the reader.",)
    reply = till.wait_for_card()
    assert fail(till, reader="camera", technology=Technology.QR) == "scan_bar"
    till.send(ReadAbandoned("no_card", reply))
    assert till.heard(reply).step is Step.SCAN_BAR
    till.send(ReadAbandoned("no_card", reply))
    assert fail(till) == "key_number"


def test_an_aborted_wait_is_no_failure(till: TillRig) -> None:
    """Somebody has changed their mind."""
    reply = till.wait_for_card()
    till.send(ReadAbandoned("aborted", reply))
    assert till.heard(reply).step is None
    assert fail(till) == "tap_again"


def test_a_keyed_slip_is_pointed_at_and_tried_once_more(till: TillRig) -> None:
    """422: the exchanged places first; after the second slip the next rung."""
    first, second, third = (keyed(till, f"sale-{n}", CardNumber(SLIP, entry_mode="keyed")) for n in range(3))
    assert isinstance(first, Refusal)
    assert isinstance(second, Refusal)
    assert isinstance(third, Refusal)
    assert (first.reason, first.step) == ("check_digit", Step.KEY_NUMBER)
    assert "characters 12 and 13" in first.steps[0].en
    assert (second.step, third.step) == (Step.KEY_NUMBER, Step.NO_CARD)
    assert "code on the receipt" in third.steps[-1].en


def test_a_sale_ends_the_climb(till: TillRig) -> None:
    """With another card or without any: the next failure is another customer's."""
    for number in (CARD, None):
        assert [fail(till), fail(till)] == ["tap_again", "turn"]
        till.sell(f"sale-{number}", number=number)
    assert fail(till) == "tap_again"


@pytest.mark.parametrize("mode", ["keyed", "scanned", "phone"])
def test_how_the_pos_came_by_a_number_is_recorded(till: TillRig, mode: str) -> None:
    """Beside what the readers say themselves; a sale without a card has no mode."""
    answered = keyed(till, "sale", CardNumber(CARD, entry_mode=mode))  # type: ignore[arg-type]
    found = till.journal.find_id(said(answered).id)  # type: ignore[arg-type]
    assert found is not None
    assert found.entry.card == Card(CARD, entry_mode=mode)


def test_a_read_has_its_own_entry_mode(till: TillRig) -> None:
    """The POS cannot say otherwise."""
    refusal = keyed(till, "sale", CardNumber(read_id=tap(till).read_id, entry_mode="keyed"))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "invalid"


def test_a_number_that_the_pos_has_scanned_has_no_transposed_digits(till: TillRig) -> None:
    """A scanner makes no such slip."""
    refusal = keyed(till, "sale", CardNumber(SLIP, entry_mode="scanned"))
    assert isinstance(refusal, Refusal)
    assert "characters" not in refusal.steps[0].en


def test_a_card_that_lies_there_is_refused_once(till: TillRig) -> None:
    """Its reader sees it again and again; the cashier hears of it once."""
    foreign = CardRead(Technology.QR, EntryMode.SCANNED, "4111111111111111")
    for _ in range(3):
        till.send(CardPresented("gun", foreign))
    (told,) = till.told("card_unreadable")
    assert told["reason"] == "payment_card"


def test_a_blocked_card_has_no_ladder(till: TillRig) -> None:
    """No other way of reading it helps, and its own words stay."""
    fail(till)
    till.present("4111111111111111", reader="gun")
    told = till.told("card_unreadable")[-1]
    assert "step" not in told
    assert told["next"]
    assert fail(till) == "tap_again"


def test_wear_goes_with_the_entry_and_is_told_in_time(till: TillRig) -> None:
    """A chip that needs four attempts each time is to be replaced from the third time on."""
    read = tap(till, effort=1)
    assert (read.wear, read.hints) == (0, [])
    for _ in range(6):
        read = tap(till, effort=4)
    assert read.wear is not None
    assert read.wear > 80
    assert [hint.en for hint in read.hints] == [
        "This card is wearing out: replace it soon, before it can no longer be read."
    ]
    assert till.told("card_read")[-1]["wear"] == read.wear
    answered = keyed(till, "sale", CardNumber(read_id=read.read_id))
    found = till.journal.find_id(said(answered).id)  # type: ignore[arg-type]
    assert found is not None
    assert found.entry.card is not None
    assert found.entry.card.wear == read.wear


def test_a_dead_chip_is_the_cards_wear_although_its_code_is_read(till: TillRig) -> None:
    """The customer goes on with the code, and hears that the card should be replaced."""
    for _ in range(3):
        fail(till)
        fail(till)
        till.timepiece.now_ms += 5000
        till.present(CARD, reader="camera", effort=1)
    read = till.told("card_read")[-1]
    assert (read["technology"], read["wear"]) == ("qr", 80)
    assert len(read["hints"]) == 1


def test_where_nothing_tells_there_is_no_wear(till: TillRig) -> None:
    """A scanner's read is not a clean read."""
    till.present(CARD, reader="gun")
    assert till.told("card_read")[-1]["wear"] is None


@pytest.mark.parametrize(
    ("driver", "options", "ways"),
    [
        ("pcsc", {}, {Way.CHIP}),
        ("camera", {}, {Way.QR, Way.BAR}),
        ("camera", {"symbologies": ["ean13"]}, {Way.BAR}),
        ("camera", {"symbologies": []}, set()),
        ("simulated", {}, set(Way)),
        ("a driver to come", {}, set()),
    ],
)
def test_what_a_reader_takes_follows_from_its_config(
    driver: str, options: dict[str, list[str]], ways: set[Way]
) -> None:
    """A camera that looks for bar codes alone is no help with a QR code."""
    assert ways_of(driver, options) == ways


def test_a_reader_that_fails_for_ever_costs_no_memory(till: TillRig) -> None:
    """Nor does it keep the cashier from selling."""
    for _ in range(3 * MOST_STRUGGLES):
        assert fail(till) in set(Step)
        till.timepiece.now_ms += 1000
    assert steps(till) == ["no_card"]
    assert tap(till).wear == WORST
    till.sell("sale", number=CARD)


@pytest.mark.parametrize(
    ("language", "reason", "detail"),
    [
        ("fr", "card_gone", "La carte a été retirée trop tôt."),
        ("en", "card_gone", "The card left too soon."),
        ("fr", "a reason to come", "words of the driver"),
    ],
)
def test_the_cashier_hears_what_was_wrong(shop: Shop, language: Language, reason: str, detail: str) -> None:
    """A reason that nobody has translated is told in the driver's words."""
    till = shop.start()
    till.send(CardFailed("simulated", CardUnreadable(reason, "words of the driver")))
    (told,) = till.told("card_unreadable", language)
    assert told["detail"] == detail
    assert told["next"]
