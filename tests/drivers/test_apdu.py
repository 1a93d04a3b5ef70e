"""Command APDUs and the answers that need a second question, and BER-TLV as cards speak it."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.apdu import MAX_FOLLOWING, ask, select
from drivers.ndef import Damaged
from drivers.tlv import MAX_DEPTH, MAX_ITEMS, find, items
from tests.virtual.cards import PAYMENT_DIRECTORY, tlv


def test_a_select_names_the_application() -> None:
    """The example of the NFC Forum's Type 4 Tag specification."""
    assert select(bytes.fromhex("d2760000850101")).hex() == "00a4040007d276000085010100"


@pytest.mark.parametrize(
    ("answers", "asked", "whole"),
    [
        ({"00b0000004": "01029000"}, ["00b0000004"], "01029000"),
        ({"00b0000004": "6102", "00c0000002": "01029000"}, ["00b0000004", "00c0000002"], "01029000"),
        ({"00b0000000": "6c02", "00b0000002": "01029000"}, ["00b0000000", "00b0000002"], "01029000"),
        ({"00a40400017000": "6c02", "00a40400017002": "01029000"}, ["00a40400017000", "00a40400017002"], "01029000"),
        ({"00b0000004": "016101", "00c0000001": "029000"}, ["00b0000004", "00c0000001"], "01029000"),
        ({"00b00000": "6c02", "00b0000002": "01029000"}, ["00b00000", "00b0000002"], "01029000"),
        ({"00b0000000": "aabb6c02", "00b0000002": "01029000"}, ["00b0000000", "00b0000002"], "01029000"),
        ({"00b0000004": "6a82"}, ["00b0000004"], "6a82"),
    ],
)
def test_an_answer_is_fetched_whole(answers: dict[str, str], asked: list[str], whole: str) -> None:
    """A contact card of the protocol T=0 gives its answer in a second exchange (ISO/IEC 7816-3 section 12.2)."""
    seen = []

    def exchange(apdu: bytes) -> bytes:
        seen.append(apdu.hex())
        return bytes.fromhex(answers[apdu.hex()])

    assert ask(exchange, bytes.fromhex(asked[0])).hex() == whole
    assert seen == asked


@given(st.lists(st.binary(max_size=20), min_size=1), st.binary(min_size=4, max_size=20))
def test_no_card_asks_for_ever(answers: list[bytes], command: bytes) -> None:
    """A card that always has more to say is heard so often and no more."""
    asked = 0

    def exchange(_: bytes) -> bytes:
        nonlocal asked
        asked += 1
        return answers[asked % len(answers)]

    ask(exchange, command)
    assert asked <= MAX_FOLLOWING + 1


def test_an_item_is_found_however_deep() -> None:
    """In the order of the bytes; a tag of two bytes is one number."""
    assert find(PAYMENT_DIRECTORY, 0x4F) == bytes.fromhex("a0000000041010")
    assert find(PAYMENT_DIRECTORY, 0xBF0C) is not None
    assert find(PAYMENT_DIRECTORY, 0x9F26) is None
    assert find(tlv("61", tlv("5a", b"7")) + tlv("4f", b"8"), 0x4F) == b"8"
    for within in ("a5", "bf0c", "bf8101", "61"):
        assert find(tlv("80", b"6") + tlv(within, tlv("4f", b"8")), 0x4F) == b"8"
    for alone in ("9f6e", "9f8121", "5f20", "80"):  # no constructed tags: their values hold no items
        assert find(tlv(alone, tlv("4f", b"8")), 0x4F) is None
    assert [tag for tag, _ in items(bytes.fromhex("00ff5f2d02656e5a8103010203"))] == [0x5F2D, 0x5A]
    assert list(items(bytes.fromhex("9f810101aa5f7f005a82000107"))) == [
        (0x9F8101, b"\xaa"),
        (0x5F7F, b""),
        (0x5A, b"\x07"),
    ]


def test_a_length_has_one_two_or_three_bytes() -> None:
    """The longer forms are for values of more than 127 bytes; some cards use them for all."""
    for length, value in (("02", "0102"), ("8102", "0102"), ("820002", "0102"), ("820100", "07" * 256), ("8100", "")):
        assert list(items(bytes.fromhex(f"5a{length}{value}"))) == [(0x5A, bytes.fromhex(value))]


@pytest.mark.parametrize(
    "broken", ["61", "6105", "6181", "618405", "5f", "5fffffff01", "5f81810100", "5f81", "5f8101", "5a8000", "0061"]
)
def test_what_breaks_off_is_damage(broken: str) -> None:
    """Never a shorter value."""
    with pytest.raises(Damaged):
        list(items(bytes.fromhex(broken)))


def test_items_have_a_bound() -> None:
    """A card cannot make the reader count for ever; padding is no item."""
    most = bytes.fromhex("5a00") * MAX_ITEMS
    assert len(list(items(b"\x00" + most + b"\xff"))) == MAX_ITEMS
    with pytest.raises(Damaged, match="items"):
        list(items(most + bytes.fromhex("5a00")))


def test_nesting_has_an_end() -> None:
    """A card cannot make the reader go deeper and deeper."""
    nested = tlv("5a", b"7")
    for _ in range(MAX_DEPTH + 1):
        nested = tlv("61", nested)
    assert find(nested, 0x5A) is None
    assert find(nested[2:], 0x5A) == b"7"


@given(st.binary(max_size=400), st.sampled_from([0x61, 0x4F, 0xBF0C]))
def test_any_bytes_are_items_or_damage(data: bytes, tag: int) -> None:
    """No crash, and no more than what was given."""
    with contextlib.suppress(Damaged):
        found = find(data, tag)
        assert found is None or len(found) <= len(data)
