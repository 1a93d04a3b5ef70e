"""Selection of type A cards: the standards' examples, and any bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.atr import kind_of
from drivers.base import EntryMode, Technology
from drivers.iso14443 import answer_to_select, card_atr, is_random, storage_atr
from tests.virtual.cards import CLASSIC_1K, ULTRALIGHT
from tests.virtual.cards import storage_atr as readers_atr

FWT_8_S = 0.0773
"""Frame waiting time of a DESFire: 4096 / 13.56 MHz * 2**8."""


def test_a_desfires_answer_to_select() -> None:
    """06 75 77 81 02 80 (NXP AN10833): 64 bytes, 77 ms, one historical byte."""
    answer = answer_to_select(bytes.fromhex("067577810280"))
    assert (answer.frame_size, answer.historical) == (64, b"\x80")
    assert answer.wait_s == pytest.approx(FWT_8_S, rel=1e-3)
    kind = kind_of(card_atr(answer.historical))
    assert (kind.technology, kind.storage, kind.entry_mode) == (Technology.DESFIRE, False, EntryMode.CONTACTLESS)


@pytest.mark.parametrize(
    ("answer", "frame_size", "wait", "historical"),
    [
        ("01", 32, 4, ""),  # nothing but its length
        ("0205", 64, 4, ""),
        ("032870", 256, 7, ""),  # only the waiting time
        ("031880", 256, 4, ""),  # only the bit rates: no waiting time, whatever that byte holds
        ("0648" + "02" + "616263", 256, 4, "616263"),
        ("0578807002ffff", 256, 7, ""),  # more than it says
        ("0278", 256, 4, ""),  # cut off
    ],
)
def test_an_answer_says_only_what_its_form_says(answer: str, frame_size: int, wait: int, historical: str) -> None:
    """ISO/IEC 14443-4 section 5.2: each of the three interface bytes may be missing."""
    found = answer_to_select(bytes.fromhex(answer))
    assert (found.frame_size, found.historical.hex()) == (frame_size, historical)
    assert found.wait_s == pytest.approx(4096 / 13.56e6 * 2**wait)


@given(st.binary(max_size=40))
def test_any_answer_gives_usable_values(answer: bytes) -> None:
    """A card may say anything: the wait stays bounded and the frames are of a size that exists."""
    found = answer_to_select(answer)
    assert found.frame_size in {16, 24, 32, 40, 48, 64, 96, 128, 256}
    assert 0 < found.wait_s < 1
    assert kind_of(card_atr(found.historical)).entry_mode is EntryMode.CONTACTLESS


@pytest.mark.parametrize(
    ("sak", "technology"),
    [
        (0x00, Technology.ULTRALIGHT),
        (0x08, Technology.MIFARE_CLASSIC),
        (0x18, Technology.MIFARE_CLASSIC),
        (0x09, Technology.MIFARE_CLASSIC),
        (0x88, Technology.MIFARE_CLASSIC),
        (0x01, Technology.UNKNOWN),
    ],
)
def test_storage_cards_are_named_as_a_reader_names_them(sak: int, technology: Technology) -> None:
    """The rest of the till then needs no second list of cards."""
    kind = kind_of(storage_atr(sak))
    assert (kind.technology, kind.storage) == (technology, True)


def test_a_storage_cards_atr_is_the_one_of_pcsc_readers() -> None:
    """Byte for byte, check byte included."""
    assert storage_atr(0x00) == readers_atr(ULTRALIGHT)
    assert storage_atr(0x08) == readers_atr(CLASSIC_1K)


def test_a_number_that_is_drawn_anew_is_known_by_its_first_byte() -> None:
    """Only those of four bytes: 08 begins real numbers of seven."""
    assert is_random(bytes.fromhex("08a1b2c3"))
    assert not is_random(bytes.fromhex("04a1b2c3"))
    assert not is_random(bytes.fromhex("08a1b2c3d4e5f6"))
