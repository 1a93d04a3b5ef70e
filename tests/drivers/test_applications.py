"""The card number in an application of a card: DESFire files and profiles of ISO/IEC 7816, on the real pcscd too."""

import contextlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.aes import diversified
from drivers.applications import DesfireFile, Form, Iso7816Profile, number_of, read_desfire, read_iso7816
from drivers.base import Chip, EntryMode, ReaderState, Technology
from drivers.desfire import NotAuthentic, NotHere
from drivers.key_file import Keys
from drivers.ndef import Damaged
from tests.virtual.card_reader import CardReader
from tests.virtual.cards import OK, ApplicationCard, payment_card, tlv
from tests.virtual.desfire import DesfireCard
from tests.virtual.pcscd import VirtualPcscd
from tests.virtual.watching import Watched

NUMBER = "2990000000017"
KEY = bytes(range(16))
FILE = DesfireFile("a1b2c3", "loyalty")
PROFILE = Iso7816Profile("f0010203040506", ("00b2010c00",), tag="5a", form="bcd")
SUFFIX = "3042f54e585020416275"


class RecordCard(ApplicationCard):
    """A contact card of the protocol T=0 with one record; the answer waits to be fetched."""

    record = tlv("70", tlv("5a", bytes.fromhex(NUMBER + "f")), tlv("5f20", b"A NAME"))

    def __init__(self, atr: str = "3b6500002063cb6800", uid: bytes | None = None) -> None:
        super().__init__({"f0010203040506": OK}, uid, bytes.fromhex(atr))

    def answer(self, apdu: bytes) -> bytes:
        if apdu.hex() == "00b2010c00":
            return b"\x61" + bytes([len(self.record)])
        if apdu[:2] == b"\x00\xc0":
            return self.record[: apdu[4]] + OK
        return super().answer(apdu)


@pytest.mark.parametrize("authentication", ["ev1", "ev2"])
def test_the_number_in_a_file_is_read_with_the_key_of_the_card(authentication: str) -> None:
    """One key for all cards, or one for each from its serial number."""
    file = msgspec.structs.replace(FILE, authentication=authentication, length=20)
    keys = Keys({"loyalty": KEY})
    assert read_desfire(file, keys, "04de5f1eacc040", DesfireCard(key=KEY).answer, bytes) == NUMBER
    own = diversified(KEY, bytes.fromhex("04de5f1eacc040" + SUFFIX))
    diverse = msgspec.structs.replace(file, diversification=SUFFIX)
    assert read_desfire(diverse, keys, "04de5f1eacc040", DesfireCard(key=own).answer, bytes) == NUMBER
    for uid in ("04de5f1eacc041", "08a1b2c3", None):
        with pytest.raises(NotAuthentic):
            read_desfire(diverse, keys, uid, DesfireCard(key=own).answer, bytes)


@pytest.mark.parametrize(
    ("profile", "number"),
    [
        (PROFILE, NUMBER),
        (Iso7816Profile("f0010203040506", ("00b2010c00",), offset=4, length=3, form="hex"), "299000"),
        (Iso7816Profile("f0010203040506", ("00b2010c00",), tag="5f20", offset=2), "NAME"),
    ],
)
def test_a_profile_says_where_the_number_is(profile: Iso7816Profile, number: str) -> None:
    """By tag, by place, or both; as text, digits or bytes."""
    assert read_iso7816(profile, RecordCard().answer) == number


def test_a_card_without_the_application_is_another_card() -> None:
    """One that has it and not the number is damaged."""
    with pytest.raises(NotHere):
        read_iso7816(Iso7816Profile("f0010203040507"), RecordCard().answer)
    for profile in (
        Iso7816Profile("f0010203040506", ("00b2020c00",)),
        Iso7816Profile("f0010203040506", ("00b2010c00",), tag="57"),
        Iso7816Profile("f0010203040506", ("00b2010c00",), offset=200),
        Iso7816Profile("f0010203040506"),
    ):
        with pytest.raises(Damaged):
            read_iso7816(profile, RecordCard().answer)


@pytest.mark.parametrize(
    ("data", "form", "number"),
    [
        (b"2990000000017\0\0\0", "ascii", NUMBER),
        (b"  A-1\xff\xff", "ascii", "A-1"),
        (bytes.fromhex("2990000000017f"), "bcd", NUMBER),
        (bytes.fromhex("04a1"), "hex", "04A1"),
        (b"12 34", "ascii", None),
        (b"\0\0", "ascii", None),
        (bytes.fromhex("29a0"), "bcd", None),
        (bytes.fromhex("ffff"), "bcd", None),
    ],
)
def test_a_number_is_written_in_one_of_three_ways(data: bytes, form: Form, number: str | None) -> None:
    """What is none in its form is damage, never another number."""
    if number is None:
        with pytest.raises(Damaged):
            number_of(data, form)
    else:
        assert number_of(data, form) == number


@given(st.binary(max_size=40), st.sampled_from(["ascii", "bcd", "hex"]))
def test_any_bytes_are_a_number_or_damage(data: bytes, form: Form) -> None:
    """Nothing but printable characters comes out."""
    with contextlib.suppress(Damaged):
        assert number_of(data, form).isprintable()


@pytest.mark.parametrize(
    ("kind", "table", "word"),
    [
        (Iso7816Profile, {"application": "a0000000041010"}, "payment scheme"),
        (Iso7816Profile, {"application": "A0000000031010"}, "payment scheme"),
        (Iso7816Profile, {"application": "f001"}, "5 to 16"),
        (Iso7816Profile, {"application": "f0010203040506", "commands": ["00"]}, "APDU"),
        (Iso7816Profile, {"application": "xyz"}, "matching"),
        (DesfireFile, {"application": "a1b2", "key": "k"}, "3 bytes"),
        (DesfireFile, {"application": "a1b2c3", "key": "k", "diversification": "00"}, "9 to 24"),
        (DesfireFile, {"application": "a1b2c3", "key": "k", "length": 33}, "32"),
        (DesfireFile, {"application": "a1b2c3", "key": "k", "fiel": 1}, "fiel"),
    ],
)
def test_a_wrong_application_is_told_before_any_card_sees_it(kind: type, table: dict[str, Any], word: str) -> None:
    """And payment applications cannot be configured at all."""
    with pytest.raises(msgspec.ValidationError, match=word):
        msgspec.convert(table, kind)


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    """What a shop writes into its config."""
    path = tmp_path / "card.keys"
    path.touch(mode=0o600)
    path.write_text(f'loyalty = "{KEY.hex()}"\n')
    desfire = {"application": "a1b2c3", "key": "loyalty", "length": 20}
    profile = {"application": "f0010203040506", "commands": ["00b2010c00"], "tag": "5a", "form": "bcd"}
    return {"keys": str(path), "chip": True, "desfire": [desfire], "iso7816": [profile]}


@pytest.mark.parametrize("ev1", [False, True], ids=["ev2", "ev1"])
@pytest.mark.parametrize("diversified_by", ["", SUFFIX], ids=["one-key", "own-key"])
def test_a_desfire_file_is_read(
    card_reader: CardReader, tmp_path: Path, options: dict[str, Any], ev1: bool, diversified_by: str
) -> None:
    """After both authentications, with the key of all cards or its own, at the first attempt."""
    more = {"authentication": "ev1"} if ev1 else {}
    options["desfire"] = [options["desfire"][0] | more | {"diversification": diversified_by}]
    own = diversified(KEY, bytes.fromhex("04de5f1eacc040" + SUFFIX)) if diversified_by else KEY
    with card_reader.watched(tmp_path, **options) as reader:
        reader.state(ReaderState.READY)
        card_reader.insert(DesfireCard(key=own))
        read = reader.card()
    assert (read.data, read.technology, read.entry_mode) == (NUMBER, Technology.DESFIRE, EntryMode.CONTACTLESS)
    assert (read.effort, read.chip) == (1, Chip("DESFire EV3"))


def test_a_profile_is_read_of_a_contactless_card(
    card_reader: CardReader, tmp_path: Path, options: dict[str, Any]
) -> None:
    """The record waits behind one more command."""
    with card_reader.watched(tmp_path, **options) as reader:
        reader.state(ReaderState.READY)
        card_reader.insert(RecordCard("3b80800101", b"\1\2\3\4"))
        read = reader.card()
    assert (read.data, read.technology, read.entry_mode) == (NUMBER, Technology.ISO7816, EntryMode.CONTACTLESS)


@pytest.mark.pcscd
def test_a_profile_is_read_of_a_contact_card(pcscd: VirtualPcscd, tmp_path: Path, options: dict[str, Any]) -> None:
    """In a slot of a reader; it has no serial number."""
    with Watched(tmp_path, "pcsc", options=options | {"match": pcscd.names[0]}) as reader:
        reader.state(ReaderState.READY)
        pcscd.insert(RecordCard())
        read = reader.card()
    assert (read.data, read.technology, read.entry_mode, read.chip) == (NUMBER, Technology.ISO7816, EntryMode.ICC, None)


def test_cards_that_prove_nothing_are_refused(card_reader: CardReader, tmp_path: Path, options: dict[str, Any]) -> None:
    """A card with another key, one that lies, and a bank card, which no configured application is looked for on."""
    with card_reader.watched(tmp_path, **options) as reader:
        reader.state(ReaderState.READY)
        for card in (DesfireCard(key=bytes(16)), DesfireCard(lies=True)):
            card_reader.insert(card)
            assert reader.failure().reason == "not_authentic"
        bank = card_reader.insert(payment_card())
        assert reader.failure().reason == "payment_card"
        card_reader.remove()
    assert len([apdu for apdu in bank.asked if apdu[:2] == b"\x00\xa4"]) == 2


def test_a_reader_without_its_keys_says_so(card_reader: CardReader, tmp_path: Path, options: dict[str, Any]) -> None:
    """It does not read cards by halves; the key itself is in no word of it."""
    (tmp_path / "card.keys").chmod(0o644)
    with card_reader.watched(tmp_path, **options) as reader:
        status = reader.state(ReaderState.FAILING)
    assert "chmod 600" in status.detail
    assert KEY.hex() not in repr(status)
