"""What NTAG and Ultralight chips say of themselves, through every kind of reader."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.base import Chip, ReaderState, Technology
from drivers.chips import model_of, read_chip, technology_of
from drivers.originality import is_original
from drivers.raw_frames import NoPassage, frames
from tests.virtual.cards import Card, text_record
from tests.virtual.chips import NTAG_SIGNATURE, NTAG_UID, ChipCard, DirectReader, SessionReader
from tests.virtual.pcscd import VirtualPcscd
from tests.virtual.watching import Watched

NUMBER = "2990000000017"
SIGNED = [
    # Serial number and signature of real chips (proxmark3, tools/recover_pk.py).
    ("04E10CDA993C80", "8B76052EE42F5567BEB53238B3E3F9950707C0DCC956B5C5EFCFDB709B2D82B3"),
    ("04DB0BDA993C80", "6048EFD9417CD10F6B7F1818D471A7FE5B46868D2EABDC6307A1E0AAE139D8D0"),
    ("04C1285A373080", "CEA2EB0B3C95D0844A95B824A7553703B3702378033BF0987899DB70151A19E7"),
    ("04C2285A373080", "A561506723D422D29ED9F93E60D20B9ED1E05CC1BF81DA19FE500CA0B81CC0ED"),
]
Behind = Callable[[ChipCard], Card]


@pytest.mark.parametrize(("uid", "signature"), SIGNED)
def test_signatures_of_real_chips_are_right(uid: str, signature: str) -> None:
    """NTAG21x and Ultralight EV1, each under its own key."""
    assert is_original(bytes.fromhex(uid), bytes.fromhex(signature))


@given(st.integers(0, 255), st.sampled_from(SIGNED), st.booleans())
@settings(max_examples=30)
def test_a_signature_fits_one_serial_number(bit: int, signed: tuple[str, str], of_uid: bool) -> None:
    """One bit changed in either, and it is right no longer."""
    uid, signature = bytearray.fromhex(signed[0]), bytearray.fromhex(signed[1])
    changed = uid if of_uid else signature
    changed[bit // 8 % len(changed)] ^= 1 << bit % 8
    assert not is_original(bytes(uid), bytes(signature))


@given(st.binary(max_size=40))
@settings(max_examples=30)
def test_any_bytes_are_no_signature(signature: bytes) -> None:
    """Zero, too short, too long, greater than the curve's order: false, never a crash."""
    assert not is_original(NTAG_UID, signature)


@pytest.mark.parametrize("behind", [DirectReader, SessionReader])
def test_a_chip_says_what_it_is(behind: Behind) -> None:
    """Through a reader with a PN532 and through a transparent session alike; the session is ended."""
    card = ChipCard()
    reader = behind(card)
    assert read_chip(NTAG_UID.hex(), reader.answer) == Chip("NTAG213", original=True, taps=7)
    assert not getattr(reader, "in_session", False)
    assert card.heard == [b"\x60", b"\x3c\x00", b"\x39\x02"]


@pytest.mark.parametrize("behind", [DirectReader, SessionReader])
@pytest.mark.parametrize(
    ("card", "expected"),
    [
        (ChipCard(version=None), Chip(original=False)),
        (ChipCard(signature=None), Chip("NTAG213", original=False)),
        (ChipCard(signature=bytes(32)), Chip("NTAG213", original=False, taps=7)),
        (ChipCard(uid=bytes.fromhex("04e10cda993c81")), Chip("NTAG213", original=False, taps=7)),
        (ChipCard(taps=None), Chip("NTAG213", original=True)),
        (ChipCard(version=bytes.fromhex("0004030101000e03")), Chip("Ultralight EV1 MF0UL21", original=True)),
        (ChipCard(version=bytes.fromhex("00530400000f0301")), Chip(original=False)),
    ],
    ids=["mute", "unsigned", "zeros", "copied", "no-counter", "ultralight", "other-maker"],
)
def test_an_imitation_is_not_original(behind: Behind, card: ChipCard, expected: Chip) -> None:
    """A chip that cannot show its maker's signature over its own serial number is none of NXP's."""
    fresh = ChipCard(uid=card.uid, version=card.version, signature=card.signature, taps=card.taps)
    assert read_chip(card.uid.hex(), behind(fresh).answer) == expected


def test_a_reader_that_lets_nothing_through_says_nothing_of_the_chip() -> None:
    """Not original would be a lie: nobody has asked the chip."""
    card = ChipCard()
    assert read_chip(NTAG_UID.hex(), card.answer) is None
    assert card.heard == []
    with pytest.raises(NoPassage), frames(lambda _: b"\x6e\x00"):
        pass


def test_the_chips_own_word_tells_ntag_from_ultralight() -> None:
    """Better than the size in the capability container, which a writer may set."""
    assert technology_of(Chip("NTAG213"), Technology.ULTRALIGHT) is Technology.NTAG
    assert technology_of(Chip(original=False), Technology.ULTRALIGHT) is Technology.ULTRALIGHT
    assert technology_of(None, Technology.NTAG) is Technology.NTAG


@given(st.binary(max_size=12))
def test_any_version_is_a_model_or_none(version: bytes) -> None:
    """Chips to come are no failure."""
    assert model_of(version) is None or version[1] == 4


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=6))
def test_any_answers_of_a_reader_are_survived(answers: list[bytes]) -> None:
    """A reader with ideas of its own costs the facts, never the tap."""
    asked = 0

    def exchange(_: bytes) -> bytes:
        nonlocal asked
        asked += 1
        return answers[asked % len(answers)]

    chip = read_chip(NTAG_UID.hex(), exchange)
    assert chip is None or not chip.original
    assert asked < 10


@pytest.mark.pcscd
@pytest.mark.parametrize("wanted", [True, False])
def test_the_tap_tells_the_chip_where_it_is_wanted(pcscd: VirtualPcscd, tmp_path: Path, wanted: bool) -> None:
    """After the text and inside the same presentation, at the first attempt."""
    with Watched(tmp_path, "pcsc", options={"match": pcscd.names[0], "chip": wanted}) as reader:
        reader.state(ReaderState.READY)
        pcscd.insert(DirectReader(ChipCard(message=text_record(NUMBER), capability=bytes.fromhex("e1100600"))))
        read = reader.card()
    assert (read.data, read.effort) == (NUMBER, 1)
    assert read.chip == (Chip("NTAG213", original=True, taps=7) if wanted else None)
    assert read.technology is (Technology.NTAG if wanted else Technology.ULTRALIGHT)


@pytest.mark.pcscd
def test_a_chip_that_falls_silent_does_not_cost_the_read(pcscd: VirtualPcscd, tmp_path: Path) -> None:
    """An old Ultralight knows none of these commands: its text has been read before."""
    with Watched(tmp_path, "pcsc", options={"match": pcscd.names[0], "chip": True}) as reader:
        reader.state(ReaderState.READY)
        pcscd.insert(SessionReader(ChipCard(message=text_record(NUMBER), version=None)))
        read = reader.card()
    assert (read.data, read.chip) == (NUMBER, Chip(original=False))
    assert NTAG_SIGNATURE.hex() not in repr(read)
