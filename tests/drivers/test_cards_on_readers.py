"""What every driver of chip cards reads of each kind of card: through a real pcscd, and from a PN532 over the air."""

from pathlib import Path

import pytest

from drivers.base import Chip, EntryMode, ReaderState, Technology
from terminal.cards.sdm import SdmRule, Tapped, opened
from tests.virtual.card_reader import CardReader
from tests.virtual.cards import Card, NtagCard, Type4Card, UidCard, text_record, uri_record
from tests.virtual.chips import ChipCard, DirectReader
from tests.virtual.dynamic import DynamicTag

NUMBER = "2990000000017"
META, FILE = bytes(range(16)), bytes(range(16, 32))
LINK = "https://l.example/t"

CARDS: dict[str, tuple[Card, Technology, str | None, str]] = {
    "ntag": (NtagCard.with_text(NUMBER), Technology.NTAG, NUMBER, "04a1b2c3d4e5f6"),
    "ntag-blank": (NtagCard(message=None), Technology.NTAG, None, "04a1b2c3d4e5f6"),
    "unformatted": (NtagCard(capability=bytes(4)), Technology.ULTRALIGHT, None, "04a1b2c3d4e5f6"),
    "type4-uri": (
        Type4Card(uri_record(4, "l.example/c/" + NUMBER)),
        Technology.TYPE_4,
        "https://l.example/c/" + NUMBER,
        "01020304",
    ),
    "type4-long": (Type4Card(text_record("x" * 200)), Technology.TYPE_4, "x" * 200, "01020304"),
    "type4-chained": (
        Type4Card(text_record("x" * 240), max_read=0xFF),
        Technology.TYPE_4,
        "x" * 240,
        "01020304",
    ),
    "uid-only": (UidCard(bytes.fromhex("deadbeef")), Technology.MIFARE_CLASSIC, None, "deadbeef"),
}


def test_what_a_card_carries_is_read(card_reader: CardReader, tmp_path: Path) -> None:
    """Text or address, serial number and technology, each at the first attempt, one card after the other."""
    with card_reader.watched(tmp_path) as reader:
        reader.state(ReaderState.READY)
        for name, (card, technology, data, uid) in CARDS.items():
            card_reader.insert(card)
            read = reader.card()
            assert (read.technology, read.data, read.uid, read.effort) == (technology, data, uid, 1), name
            assert (read.entry_mode, read.slot) == (EntryMode.CONTACTLESS, card_reader.slot)
            assert read.duration_ms > 0


@pytest.mark.parametrize("chip", [False, True])
def test_each_tap_of_a_dynamic_tag_has_a_message_of_its_own(
    card_reader: CardReader, tmp_path: Path, chip: bool
) -> None:
    """An NTAG 424 DNA: from its memory to the counter, whole at the first attempt; asked for its model or not."""
    tag, rule = DynamicTag(LINK, META, FILE), SdmRule(LINK, META, FILE)
    with card_reader.watched(tmp_path, chip=chip) as reader:
        reader.state(ReaderState.READY)
        for taps in (1, 2):
            card_reader.insert(tag.tapped())
            read = reader.card()
            assert (read.technology, read.entry_mode, read.effort) == (Technology.TYPE_4, EntryMode.CONTACTLESS, 1)
            assert read.chip is None or isinstance(read.chip, Chip)
            assert opened(rule, read.data or "") == Tapped((read.uid or "").upper(), taps)


def test_a_chip_is_asked_what_it_is_where_the_shop_wants_that(card_reader: CardReader, tmp_path: Path) -> None:
    """Model, signature and counter, after the text: over the air, or past a PC/SC reader with a PN532 inside."""
    chip = ChipCard(message=text_record(NUMBER))
    with card_reader.watched(tmp_path, chip=True) as reader:
        reader.state(ReaderState.READY)
        card_reader.insert(DirectReader(chip) if card_reader.driver == "pcsc" else chip)
        read = reader.card()
    assert (read.data, read.effort) == (NUMBER, 1)
    assert read.chip == Chip(model="NTAG213", original=True, taps=7)
