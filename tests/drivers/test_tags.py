"""Reading tags through an exchange of APDUs, without any reader: card models and hostile answers."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.atr import CardKind, kind_of
from drivers.base import EntryMode, Technology
from drivers.ndef import Damaged
from drivers.tags import Content, read_content, read_pages, read_uid
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
        ("3b8f8001804f0ca000000306030026000000004d", Technology.MIFARE_CLASSIC, EntryMode.CONTACTLESS, True),
        ("3b8b8001804f0ca0000003060300" + "3a", Technology.ULTRALIGHT, EntryMode.CONTACTLESS, True),
        ("3b8f8001804f0ca000000306ff" + "f01100000000", Technology.FELICA, EntryMode.CONTACTLESS, True),
        ("3b8f8001804f0ca000000306ff" + "f01200000000", Technology.FELICA, EntryMode.CONTACTLESS, True),
        ("3b8f8001804f0ca000000306ff" + "001100000000", Technology.UNKNOWN, EntryMode.CONTACTLESS, True),
        ("3b8a8001804f0ca0000003060300", Technology.ISO7816, EntryMode.CONTACTLESS, False),  # no name of a card
        ("3b8f800180000ca0000003060300010000000000", Technology.ISO7816, EntryMode.CONTACTLESS, False),
        ("3b808001", Technology.ISO7816, EntryMode.CONTACTLESS, False),
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


@pytest.mark.parametrize("refused", ["6a81", "00" * 16 + "6a81", "e1101200" + "00" * 11 + "9000", "00" * 16 + "9000"])
def test_memory_that_is_not_for_ndef_holds_no_text(refused: str) -> None:
    """The capability container is not read, not whole, or another maker's: no damage, and a card without text."""
    card = NtagCard.with_text("2990000000017")

    def exchange(apdu: bytes) -> bytes:
        return bytes.fromhex(refused) if apdu[3] == 3 else card.answer(apdu)

    assert read_content(STORAGE, exchange).text is None


def test_a_message_ends_with_the_area_that_the_card_tells() -> None:
    """48 bytes hold one of 46; what lies behind them is configuration. A tag that is read-only is read all the same."""
    for access in ("00", "0f"):
        fits = NtagCard(message=text_record("x" * 39), capability=bytes.fromhex(f"e11006{access}"))
        assert read_content(STORAGE, fits.answer).text == "x" * 39
        beyond = NtagCard(message=text_record("x" * 40), capability=bytes.fromhex(f"e11006{access}"))
        with pytest.raises(Damaged):
            read_content(STORAGE, beyond.answer)


def test_a_stretch_is_read_in_as_few_questions_as_it_takes() -> None:
    """Four pages each; the last is cut to length."""
    asked: list[str] = []

    def exchange(apdu: bytes) -> bytes:
        asked.append(apdu.hex())
        return bytes([apdu[3]] * 16) + b"\x90\x00"

    assert read_pages(exchange, 4, 32) == b"\x04" * 16 + b"\x08" * 16
    assert read_pages(exchange, 4, 5) == b"\x04" * 5
    assert asked == ["ffb0000410", "ffb0000810", "ffb0000410"]


TYPE_4 = {
    "00a4040007d276000085010100": "6f058403d276009000",
    "00a4000c02e103": "9000",
    "00b000000f": "000f20000f00340406e10500320000" + "9000",
    "00a4000c02e105": "9000",
    "00b0000002": "00149000",
    "00b000020f": "d101105402656e3239393030303030" + "9000",
    "00b0001105": "30303031379000",
}
"""What a Type 4 tag hears and says (Type 4 Tag Operation 2.0 appendix C), in steps of 15 bytes."""


def played(script: dict[str, str]) -> Content:
    return read_content(APPLICATION, lambda apdu: bytes.fromhex(script[apdu.hex()]))


def test_a_type_4_tag_is_read_as_the_specification_says() -> None:
    """Its file by the name that the container tells, in the steps that it allows; what SELECT says is passed over."""
    assert played(TYPE_4) == Content(Technology.TYPE_4, "2990000000017")


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("00b000000f", "000f20000f00340506e10500320000" + "9000"),  # another file than NDEF's
        ("00b000000f", "000f20000e00340406e10500320000" + "9000"),  # steps smaller than may be
        ("00b000000f", "000f209000"),
        ("00a4000c02e105", "6a82"),
        ("00b0000002", "10019000"),  # longer than any message for a till
        ("00b0001105", "6982"),
    ],
)
def test_a_type_4_tag_that_breaks_its_word_is_damaged(asked: str, answer: str) -> None:
    """It has an NDEF application and cannot be read: never a card without text."""
    with pytest.raises(Damaged):
        played({**TYPE_4, asked: answer})


@pytest.mark.parametrize(
    "changed", [{"00a4040007d276000085010100": "6a82"}, {"00a4000c02e103": "6a82"}, {"00b0000002": "00009000"}]
)
def test_a_card_with_applications_may_carry_no_text(changed: dict[str, str]) -> None:
    """It is then what its ATR says."""
    assert played({**TYPE_4, **changed}) == Content(Technology.ISO7816, None)


def test_a_serial_number_has_up_to_ten_bytes() -> None:
    """ISO/IEC 14443-3; FeliCa and 14443-B have fewer."""
    for length in (1, 4, 10):
        assert read_uid(UidCard(bytes(range(length))).answer) == bytes(range(length)).hex()


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
