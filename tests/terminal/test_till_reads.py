"""Cards as they are presented, and the POS that waits for one."""

from concurrent.futures import Future

import pytest

from drivers.base import CardRead, CardUnreadable, EntryMode, ReaderState, Technology
from offline_queue.wire_accounts import Account, Balance
from terminal.counter.reading import KEPT_MS, KEPT_READS
from terminal.inbox import (
    AccountHeard,
    Answered,
    CardFailed,
    CardPresented,
    ReadAbandoned,
    ReaderChanged,
    ReaderStatus,
    Stop,
    TransactionAsked,
)
from terminal.pos import CardNumber, ReadAnswer, TransactionRequest
from tests.terminal.rig import CARD, OTHER_CARD, TillRig, said


def test_a_card_goes_to_whoever_waits_and_to_all_who_watch(till: TillRig) -> None:
    """The number is whole for both; the events' own guard hides it from pages."""
    reply = till.wait_for_card()
    till.present(CARD)
    read = till.heard(reply)
    assert (read.card.masked, read.card.number, read.reader, read.technology) == ("•••• 0017", CARD, "counter", "qr")
    assert till.told("card_read")[0]["read_id"] == read.read_id
    assert till.inquiries.accounts == [CARD]


def test_a_read_stands_for_its_card_in_a_sale(till: TillRig) -> None:
    """With how it was read; for a quarter of an hour."""
    till.present(CARD)
    read_id = till.told("card_read")[0]["read_id"]
    answer = said(till.heard(sale_by_read(till, "sale-1", read_id)))
    found = till.journal.find_id(answer.id)
    assert found is not None
    assert found.entry.card is not None
    assert (found.entry.card.number, found.entry.card.technology, found.entry.card.entry_mode) == (
        CARD,
        "qr",
        "scanned",
    )
    till.timepiece.now_ms += KEPT_MS
    assert till.heard(sale_by_read(till, "sale-2", read_id)).code == "invalid"


def sale_by_read(till: TillRig, key: str, read_id: str) -> "Future[Answered]":
    reply: Future[Answered] = Future()
    till.till.handle(TransactionAsked(TransactionRequest("earn", CardNumber(read_id=read_id), points=1), key, reply))
    return reply


def test_only_so_many_reads_are_remembered(till: TillRig) -> None:
    """The oldest is forgotten first."""
    for n in range(KEPT_READS + 1):
        till.present(f"29900{n}")
    first, second = (till.told("card_read")[n]["read_id"] for n in (0, 1))
    assert till.heard(sale_by_read(till, "sale-1", first)).code == "invalid"
    assert said(till.heard(sale_by_read(till, "sale-2", second))).points == 1


def test_a_card_left_lying_is_one_presentation(till: TillRig) -> None:
    """Each sight of it renews the time; another card, or another reader, is new at once."""
    for _ in range(5):
        till.present(CARD)
        till.timepiece.now_ms += 900
    assert len(till.told("card_read")) == 1
    till.timepiece.now_ms += 100
    till.present(CARD)
    till.present(OTHER_CARD)
    till.present(CARD)
    till.present(CARD, reader="door")
    assert len(till.told("card_read")) == 5


def test_repeated_presentations_are_counted(till: TillRig) -> None:
    """As the reader's duplicates, in its status at once, although no event tells of them."""
    till.send(ReaderChanged(ReaderStatus("counter", "simulated", ReaderState.READY, "12:00", "all well")))
    for _ in range(3):
        till.present(CARD)
    (reader,) = till.question("status")["readers"]
    assert reader.counters.duplicate == 2
    till.present(CARD, reader="unheard of")


def test_one_pos_waits_at_a_time(till: TillRig) -> None:
    """The second is told busy, and the first still gets the card."""
    first, second = till.wait_for_card(), till.wait_for_card()
    assert till.heard(second).code == "busy"
    till.present(CARD)
    assert till.heard(first).card.number == CARD
    assert not till.wait_for_card().done()


def test_a_wait_can_be_ended(till: TillRig) -> None:
    """By its own time or by somebody's hand; what is over is not ended again."""
    first = till.wait_for_card()
    till.send(ReadAbandoned("no_card", first))
    assert till.heard(first).code == "no_card"
    second = till.wait_for_card()
    till.send(ReadAbandoned("aborted"))
    assert till.heard(second).code == "aborted"
    third = till.wait_for_card()
    till.present(CARD)
    till.send(ReadAbandoned("no_card", third))
    assert isinstance(till.heard(third), ReadAnswer)
    till.send(ReadAbandoned("aborted"))


def test_an_end_that_comes_late_does_not_touch_the_next_wait(till: TillRig) -> None:
    """The first POS's time is up when the second waits already."""
    first = till.wait_for_card()
    till.present(CARD)
    second = till.wait_for_card()
    till.send(ReadAbandoned("no_card", first))
    assert not second.done()


def test_a_wait_for_other_entry_modes_goes_on(till: TillRig) -> None:
    """Watchers see the card, the wait does not end by it."""
    reply = till.wait_for_card("contactless")
    till.present(CARD)
    assert not reply.done()
    read = CardRead(Technology.NTAG, EntryMode.CONTACTLESS, OTHER_CARD)
    till.send(CardPresented("counter", read))
    assert till.heard(reply).card.number == OTHER_CARD


def test_a_payment_card_is_refused_without_a_trace(till: TillRig) -> None:
    """The POS that waits is told why, the cashier what to do, and no digit is kept."""
    number = "4111111111111111"
    reply = till.wait_for_card()
    till.present(number)
    refusal = till.heard(reply)
    assert (refusal.code, refusal.reason) == ("card_refused", "payment_card")
    (told,) = till.told("card_unreadable")
    assert (told["reason"], bool(told["next"])) == ("payment_card", True)
    assert number not in f"{refusal.detail.en}{refusal.detail.fr}{till.published}"
    assert till.inquiries.accounts == []


def test_a_payment_card_that_its_reader_has_recognised_ends_the_wait(till: TillRig) -> None:
    """In the till's language, with what to do next: presenting it again would not help."""
    reply = till.wait_for_card()
    till.send(CardFailed("counter", CardUnreadable("payment_card", "words of the driver")))
    assert till.heard(reply).reason == "payment_card"
    (told,) = till.told("card_unreadable")
    assert told["next"]
    assert "words of the driver" not in told["detail"]


def test_a_phone_without_a_pass_is_told_what_helps(till: TillRig) -> None:
    """Its serial number is random, so it identifies nobody, whatever the programme allows."""
    till.send(ReaderChanged(ReaderStatus("simulated", "simulated", ReaderState.READY, "12:00", "all well")))
    read = CardRead(Technology.PHONE, EntryMode.CONTACTLESS, uid="08a1b2c3")
    till.send(CardPresented("counter", read))
    (told,) = till.told("card_unreadable")
    assert told["reason"] == "phone"
    assert "open in the phone" in " ".join(told["next"])


def test_a_card_that_could_not_be_read_leaves_the_wait_open(till: TillRig) -> None:
    """The customer presents it again; the cashier is told how."""
    reply = till.wait_for_card()
    till.send(CardFailed("counter", CardUnreadable("moved", "The card left too soon.")))
    assert not reply.done()
    (told,) = till.told("card_unreadable")
    assert (told["reader"], told["reason"]) == ("counter", "moved")
    assert told["next"]


def test_a_card_that_is_not_active_comes_with_a_hint(till: TillRig) -> None:
    """In the till's language, as soon as the ledger has said so."""
    inactive = Balance(CARD, 10, 0, "2026-03-01T10:00:00Z", "inactive")
    till.send(AccountHeard(CARD, Account("r", "g", inactive, [])))
    till.present(CARD)
    (hint,) = till.told("card_read")[0]["hints"]
    assert "not active yet" in hint


def test_a_stop_ends_the_wait(till: TillRig) -> None:
    """Whoever waits is told."""
    reply = till.wait_for_card()
    till.send(Stop())
    assert till.heard(reply).code == "aborted"


@pytest.mark.parametrize("state", [ReaderState.READY, ReaderState.ABSENT])
def test_a_reader_s_state_is_told_and_kept(till: TillRig, state: ReaderState) -> None:
    """For watchers at once, for the status when it is asked for."""
    till.send(ReaderChanged(ReaderStatus("counter", "pcsc", state, "2026-03-01T10:00:00Z", "words")))
    assert till.told("reader_status")[0]["status"] == state.value
    assert till.question("status")["readers"][0].status is state
