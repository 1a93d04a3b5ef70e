"""Finding a customer's cards by phone number, from the till's side."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.ledger_answers import LedgerError, LedgerProtocolError, LedgerRefused, TransientLedgerError
from offline_queue.timepiece import SystemTimepiece
from offline_queue.wire import Problem
from offline_queue.wire_accounts import PhoneFound, PhoneLookup
from terminal.cards.phone_lookup import PhoneDesk, international
from terminal.pos import Refusal

CARD = "2990000000017"


class Linked:
    """A ledger that knows one phone number, or is in trouble."""

    def __init__(self, trouble: LedgerError | None = None) -> None:
        self.trouble = trouble
        self.asked: list[str] = []

    def phone(self, lookup: PhoneLookup) -> PhoneFound:
        self.asked.append(lookup.phone)
        if self.trouble is not None:
            raise self.trouble
        return PhoneFound(lookup.request, "g", [CARD] if lookup.phone == "+33612345678" else [])


def desk(ledger: Linked) -> PhoneDesk:
    return PhoneDesk(ledger, SystemTimepiece(), "FR")


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("06.12.34.56.78", "FR", "+33612345678"),
        ("0033 6 12 34 56 78", "FR", "+33612345678"),
        ("+49 (0)151 12345678", "FR", "+4915112345678"),
        ("02 1234 5678", "IT", "+390212345678"),
        ("(201) 555-0123", "US", "+12015550123"),
    ],
)
def test_numbers_are_read_as_a_country_writes_them(text: str, region: str, number: str) -> None:
    """With the shop's country where none is said; Italy keeps its leading zero."""
    assert international(text, region) == number


@pytest.mark.parametrize("text", ["", "hello", "12", "+", "+999 123", "9" * 32, "\x00", "١٢٣"])
def test_what_is_no_number_is_none(text: str) -> None:
    """So nobody waits for the ledger to say so."""
    assert international(text, "FR") is None


@given(st.text(max_size=32))
def test_whatever_is_typed_gives_a_number_or_none(text: str) -> None:
    """Never an error, and always in the form that the wire has."""
    number = international(text, "FR")
    assert number is None or (number[0] == "+" and number[1:].isascii() and number[1:].isdigit())


def test_cards_are_found() -> None:
    """Masked for people, whole for the POS."""
    (card,) = desk(Linked()).find("06 12 34 56 78").cards
    assert (card.number, card.masked) == (CARD, "•••• 0017")


def test_number_without_cards_is_not_found() -> None:
    """The cashier hears what to do instead."""
    with pytest.raises(Refusal, match="sell without a card") as refusal:
        desk(Linked()).find("06 12 34 56 79")
    assert refusal.value.code == "not_found"


def test_what_is_no_number_is_not_asked() -> None:
    """It is the cashier's typing, not the ledger's matter."""
    ledger = Linked()
    with pytest.raises(Refusal) as refusal:
        desk(ledger).find("06 12")
    assert (refusal.value.code, ledger.asked) == ("invalid", [])
    assert "Aucun point" in refusal.value.detail.fr


@pytest.mark.parametrize(
    "trouble",
    [
        TransientLedgerError("no line", reached=False),
        LedgerProtocolError("a portal answered"),
        LedgerRefused(Problem("There is nothing under this address", 404, "not_found")),
    ],
)
def test_silent_ledger_finds_nobody(trouble: LedgerError, caplog: pytest.LogCaptureFixture) -> None:
    """The cashier hears what to do instead, and no phone number is in the log."""
    with pytest.raises(Refusal, match="Sell without a card") as refusal:
        desk(Linked(trouble)).find("06 12 34 56 78")
    assert refusal.value.code == "ledger_unreachable"
    assert "612345678" not in caplog.text
