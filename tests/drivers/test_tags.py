"""Reading tags through an exchange of APDUs, without any reader: card models and hostile answers."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.atr import CardKind, kind_of
from drivers.base import EntryMode, Technology
from drivers.ndef import Damaged
from drivers.tags import read_content, read_uid
from tests.virtual.cards import NtagCard, Type4Card, UidCard, storage_atr, text_record

STORAGE = CardKind(Technology.ULTRALIGHT, EntryMode.CONTACTLESS, storage=True)
APPLICATION = CardKind(Technology.ISO7816, EntryMode.CONTACTLESS, storage=False)


@pytest.mark.parametrize(
    ("atr", "technology", "entry_mode", "storage"),
    [
        ("3b8f8001804f0ca000000306030001000000006a", Technology.MIFARE_CLASSIC, EntryMode.CONTACTLESS, True),
        ("3b8f8001804f0ca0000003060300020000000069", Technology.MIFARE_CLASSIC, EntryMode.CONTACTLESS, True),
        ("3b8f8001804f0ca0000003060300030000000068", Technology.ULTRALIGHT, EntryMode.CONTACTLESS, True),
        ("3b8f8001804f0ca000000306030004000000006f", Technology.UNKNOWN, EntryMode.CONTACTLESS, True),
        ("3b8f8001804f0ca00000030611003b0000000042", Technology.FELICA, EntryMode.CONTACTLESS, True),
        ("3b8180018080", Technology.DESFIRE, EntryMode.CONTACTLESS, False),
        ("3b80800101", Technology.ISO7816, EntryMode.CONTACTLESS, False),
        ("3b6500002063cb6800", Technology.ISO7816, EntryMode.ICC, False),
        ("", Technology.ISO7816, EntryMode.ICC, False),
    ],
)
def test_the_atr_tells_the_technology(atr: str, technology: Technology, entry_mode: EntryMode, storage: bool) -> None:
    """ATRs of readers' manuals (Gemalto Prox-DU for Classic and Ultralight) and of common cards."""
    assert kind_of(bytes.fromhex(atr)) == CardKind(technology, entry_mode, storage)


def test_the_card_models_have_the_atr_of_the_manual() -> None:
    """The check byte too, so that the models prove something."""
    assert storage_atr(0x0003).hex() == "3b8f8001804f0ca0000003060300030000000068"


@given(st.binary(max_size=40))
def test_any_atr_is_some_kind_of_card(atr: bytes) -> None:
    """A reader with a firmware of its own ideas never stops the driver."""
    assert kind_of(atr).technology in Technology


@given(st.text(st.characters(codec="ascii"), min_size=1, max_size=120))
def test_every_text_that_fits_comes_back(text: str) -> None:
    """From a Type 2 tag page by page, from a Type 4 tag in the steps that the card allows."""
    assert read_content(STORAGE, NtagCard(message=text_record(text)).answer).text == text
    for step in (0x0F, 0x3B, 0xFF, 0xFFFF):
        assert read_content(APPLICATION, Type4Card(text_record(text), max_read=step).answer).text == text


def test_only_as_much_is_read_as_the_text_is_long() -> None:
    """Each exchange costs milliseconds over the air: a card number takes two reads, not the whole memory."""
    card, asked = NtagCard.with_text("2990000000017"), []

    def exchange(apdu: bytes) -> bytes:
        asked.append(apdu)
        return card.answer(apdu)

    read_content(STORAGE, exchange)
    assert [apdu.hex() for apdu in asked] == ["ffb0000310", "ffb0000710"]


@pytest.mark.parametrize(
    ("capability", "technology"),
    [("e1101200", "ntag"), ("e1103e00", "ntag"), ("e1106d00", "ntag"), ("e1100600", "ultralight")],
)
def test_ntag_and_ultralight_are_told_apart_by_their_size(capability: str, technology: str) -> None:
    """Their ATR is the same."""
    card = NtagCard(message=b"", capability=bytes.fromhex(capability))
    assert read_content(STORAGE, card.answer).technology == technology


def test_a_text_that_breaks_off_is_damage_and_not_a_card_without_text() -> None:
    """Else a worn card would be taken by its serial number, as another card."""
    card = NtagCard.with_text("2990000000017")

    def worn(apdu: bytes) -> bytes:
        return b"\x63\x00" if apdu[:4] == b"\xff\xb0\x00\x07" else card.answer(apdu)

    with pytest.raises(Damaged):
        read_content(STORAGE, worn)


@pytest.mark.parametrize("answer", [b"\x90\x00", b"\x6a\x81", b"\x00" * 11 + b"\x90\x00", b"\x01"])
def test_what_is_no_serial_number_is_none(answer: bytes) -> None:
    """An empty, refused, overlong or broken answer tells nothing."""
    assert read_uid(lambda apdu: answer) is None


def test_a_serial_number_is_lower_case_hex() -> None:
    assert read_uid(UidCard(bytes.fromhex("DEADBEEF")).answer) == "deadbeef"


@given(st.lists(st.binary(min_size=2, max_size=40), min_size=1, max_size=12), st.booleans())
def test_no_answers_of_a_card_break_or_hold_the_reading(answers: list[bytes], storage: bool) -> None:
    """A hostile card is read, refused or damaged within a bounded number of exchanges."""
    asked = 0

    def exchange(apdu: bytes) -> bytes:
        nonlocal asked
        asked += 1
        assert asked < 600
        return answers[asked % len(answers)]

    with contextlib.suppress(Damaged):
        read_content(STORAGE if storage else APPLICATION, exchange)


def test_the_largest_tag_that_says_yes_to_everything_ends() -> None:
    """2040 bytes of null blocks are walked once and hold no message."""

    def exchange(apdu: bytes) -> bytes:
        return (bytes.fromhex("e110ff00") + bytes(12) if apdu[3] == 3 else bytes(16)) + b"\x90\x00"

    with pytest.raises(Damaged):
        read_content(STORAGE, exchange)
