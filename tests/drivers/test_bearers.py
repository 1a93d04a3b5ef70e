"""Payment cards and phones are told apart from cards by SELECTs alone, and a payment card is asked nothing else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.atr import kind_of
from drivers.base import EntryMode, ReaderState, Technology
from drivers.bearers import Bearer, bearer_of
from tests.virtual.cards import (
    OK,
    PAYMENT_ENVIRONMENT,
    ApplicationCard,
    Card,
    NtagCard,
    Type4Card,
    contact_payment_card,
    payment_card,
    phone,
    text_record,
)
from tests.virtual.pcscd import VirtualPcscd
from tests.virtual.watching import Watched

NUMBER = "2990000000017"
SELECT_WALLETS = "00a404000a4f53452e5641532e303100"
SELECT_PAYMENT = "00a404000e325041592e5359532e444446303100"
SELECT_CONTACT_PAYMENT = "00a404000e315041592e5359532e444446303100"


def to_the_card(asked: list[bytes]) -> list[str]:
    """What reaches the card: commands of class FF are the reader's own, a real one answers them itself."""
    return [apdu.hex() for apdu in asked if apdu[0] != 0xFF]


@pytest.mark.parametrize(
    ("card", "bearer"),
    [
        (payment_card(), Bearer.PAYMENT_CARD),
        (contact_payment_card(), Bearer.PAYMENT_CARD),
        (phone("ApplePay"), Bearer.PHONE),
        (phone("AndroidPay"), Bearer.PHONE),
        (Type4Card(text_record(NUMBER)), Bearer.CARD),
        (NtagCard.with_text(NUMBER), Bearer.CARD),
        (ApplicationCard({PAYMENT_ENVIRONMENT: bytes.fromhex("6f00") + OK}), Bearer.CARD),
        (ApplicationCard({PAYMENT_ENVIRONMENT: bytes.fromhex("6fff61") + OK}), Bearer.PAYMENT_CARD),
    ],
    ids=["payment", "contact", "apple", "android", "type4", "ntag", "empty-directory", "broken-directory"],
)
def test_who_is_there_is_told_by_selects(card: Card, bearer: Bearer) -> None:
    """A directory without an entry pays nothing; one that cannot be understood is taken for payment."""
    assert bearer_of(kind_of(card.atr), card.answer) is bearer


@given(st.binary(max_size=80), st.sampled_from(["3b8180018080", "3b6500002063cb6800"]))
def test_any_answer_is_somebody(answer: bytes, atr: str) -> None:
    """No answer of a card breaks the reading."""
    assert bearer_of(kind_of(bytes.fromhex(atr)), lambda _: answer) in Bearer


@pytest.mark.pcscd
def test_a_bank_card_sees_two_selects_and_is_switched_off(pcscd: VirtualPcscd, tmp_path: Path) -> None:
    """Nothing of it is read, so nothing can be kept: not even its serial number is in the report."""
    with Watched(tmp_path, "pcsc", options={"match": pcscd.names[0]}) as reader:
        reader.state(ReaderState.READY)
        card = pcscd.insert(payment_card("0badcafe"))
        failure = reader.failure()
        assert card.off.wait(60)
        pcscd.remove()
    assert (failure.reason, failure.technology) == ("payment_card", Technology.PAYMENT)
    assert "payment card" in failure.detail
    assert to_the_card(card.asked) == [SELECT_WALLETS, SELECT_PAYMENT]
    assert "0badcafe" not in repr(failure)


@pytest.mark.pcscd
def test_a_bank_card_in_a_slot_sees_one_select(pcscd: VirtualPcscd, tmp_path: Path) -> None:
    """Contact cards have no wallet to look for."""
    with Watched(tmp_path, "pcsc", options={"match": pcscd.names[0]}) as reader:
        reader.state(ReaderState.READY)
        card = pcscd.insert(contact_payment_card())
        assert reader.failure().reason == "payment_card"
        pcscd.remove()
    assert to_the_card(card.asked) == [SELECT_CONTACT_PAYMENT]


@pytest.mark.pcscd
def test_a_phone_is_read_as_a_phone(pcscd: VirtualPcscd, tmp_path: Path) -> None:
    """It is never asked for its payment cards; what it emulates as a tag is read."""
    with Watched(tmp_path, "pcsc", options={"match": pcscd.names[0]}) as reader:
        reader.state(ReaderState.READY)
        bare = pcscd.insert(phone())
        read = reader.card()
        pcscd.insert(TagPhone(text_record(NUMBER)))
        loyal = reader.card()
    assert (read.technology, read.entry_mode, read.data) == (Technology.PHONE, EntryMode.CONTACTLESS, None)
    assert SELECT_PAYMENT not in to_the_card(bare.asked)
    assert (loyal.technology, loyal.data) == (Technology.PHONE, NUMBER)


class TagPhone(Type4Card):
    """A phone whose loyalty application emulates a tag."""

    def answer(self, apdu: bytes) -> bytes:
        wallets = phone().answer(apdu) if apdu[:2] == b"\x00\xa4" and apdu[5:15] == b"OSE.VAS.01" else None
        return wallets or super().answer(apdu)
