"""NDEF parsers: the published examples, and whatever bytes a stranger may have written on a card."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.ndef import (
    MAX_MESSAGE,
    URI_BEGINNINGS,
    Damaged,
    Incomplete,
    closed_by,
    message_in,
    records_in,
    text_in,
)
from tests.virtual.cards import short_record, text_record, uri_record


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("d101085402656e48656c6c6f", "Hello"),
        ("d101045501612e62", "http://www.a.b"),
        ("d1010f5500687474703a2f2f612e622f632f31", "http://a.b/c/1"),
        ("c1010000000854" + "02656e48656c6c6f", "Hello"),  # a long record: its length has four bytes
        ("d9010801" + "5478" + "02656e48656c6c6f", "Hello"),  # with an id of one byte
        ("d10140543f" + "61" * 63, ""),  # the longest code of a language
        ("d00000", None),  # an empty record
        ("d00000" + "d101085402656e48656c6c6f", None),  # what follows the last record is none
        ("d40108540265" + "6e48656c6c6f", None),  # the kind T of somebody else
        ("d401045501612e62", None),
        ("d102045370d10000" + "00", None),  # another kind of the NFC Forum's
    ],
)
def test_records_as_they_are_written_by_hand(message: str, text: str | None) -> None:
    """Bytes counted by hand against the record layout (NDEF 1.0 section 3.2)."""
    assert text_in(bytes.fromhex(message)) == text


@pytest.mark.parametrize(
    "message",
    [
        "d1",
        "d101",
        "d101095402656e48656c6c6f",  # one byte less than it says
        "c101ffffffff54",
        "c4010100000054",  # sixteen megabytes that are not there
        "f101085402656e48656c6c6f",  # chunked
        "d1010154" + "3f",  # a language of 63 bytes that are not there
        "d1010054",
        "d1010055",
        "d101045402656eff",  # no UTF-8
        "d101055482656ed800",  # half a surrogate pair in UTF-16
    ],
)
def test_a_record_that_does_not_fit_is_damage(message: str) -> None:
    """Never a shorter text, which would be another card."""
    with pytest.raises(Damaged):
        text_in(bytes.fromhex(message))


def test_the_specifications_own_examples() -> None:
    """RTD URI 1.0 appendix A: http://www.nfc.com and a telephone number; table 3: its last ones."""
    assert text_in(uri_record(0x22, "x")) == "urn:epc:x"
    assert text_in(uri_record(0x23, "x")) == "urn:nfc:x"
    assert text_in(uri_record(0x24, "x")) == "x"
    assert text_in(bytes.fromhex("d1010855016e66632e636f6d")) == "http://www.nfc.com"
    assert text_in(bytes.fromhex("d1010d55052b3335383931323334353637")) == "tel:+35891234567"


@given(st.text(max_size=80), st.text(st.characters(max_codepoint=0x7F), max_size=5))
def test_a_text_record_gives_its_text(text: str, language: str) -> None:
    """Every text of Unicode and every language code come through."""
    payload = bytes([len(language)]) + language.encode() + text.encode()
    if len(payload) < 256:
        assert text_in(short_record(b"T", payload)) == text


@given(
    st.text(st.characters(codec="utf-16", exclude_characters="\ufeff\ufffe"), max_size=60),
    st.sampled_from(["be", "le"]),
)
def test_a_utf_16_text_is_read_in_either_order(text: str, order: str) -> None:
    """With a byte order mark as it says, without one big-endian (RTD Text section 3.4)."""
    mark = b"\xfe\xff" if order == "be" else b"\xff\xfe"
    assert text_in(short_record(b"T", b"\x82en" + mark + text.encode(f"utf-16-{order}"))) == text
    assert text_in(short_record(b"T", b"\x82en" + text.encode("utf-16-be"))) == text


@given(st.integers(0, 255), st.text(max_size=60))
def test_a_uri_record_gives_its_address(code: int, rest: str) -> None:
    """The identifier code stands for its beginning, and for none when it is not assigned."""
    beginning = URI_BEGINNINGS[code] if code < len(URI_BEGINNINGS) else ""
    assert text_in(uri_record(code, rest)) == beginning + rest


def test_the_first_text_or_address_counts() -> None:
    """Records of other kinds, such as an Android application, are passed over."""
    other = bytes([0x94, 3, 2]) + b"a:b" + b"xx"
    first = bytearray(text_record("2990000000017"))
    first[0] = 0x11
    assert text_in(other + bytes(first) + uri_record(3, "a.b")) == "2990000000017"
    assert text_in(bytes([0xD4, 3, 2]) + b"a:b" + b"xx") is None


@given(st.binary(max_size=600))
def test_no_bytes_break_the_parsers(noise: bytes) -> None:
    """Anything is a text, no text, or damage; nothing else is ever raised, and the walk always ends."""
    with contextlib.suppress(Damaged):
        text = text_in(noise)
        assert text is None or isinstance(text, str)
    with contextlib.suppress(Damaged):
        assert sum(len(record.payload) for record in records_in(noise)) <= len(noise)


@given(st.integers(0, 19), st.integers(0, 255))
def test_one_changed_byte_is_never_a_crash(at: int, value: int) -> None:
    """A worn or tampered record is damage or another text, nothing worse."""
    message = bytearray(text_record("2990000000017"))
    message[at] = value
    with contextlib.suppress(Damaged):
        text_in(bytes(message))


def test_an_endless_message_is_damage() -> None:
    """A card cannot make the till hold more than MAX_MESSAGE, or walk through more than MAX_RECORDS records."""
    longest = b"\xc1\x01" + (MAX_MESSAGE - 7).to_bytes(4, "big") + b"T" + bytes(MAX_MESSAGE - 7)
    assert text_in(longest) == "\x00" * (MAX_MESSAGE - 8)
    with pytest.raises(Damaged, match="a message of"):
        text_in(longest + b"\x00")
    with pytest.raises(Damaged):
        list(records_in(b"\x10\x00\x00" * 100))


BLOCKS = st.lists(
    st.one_of(
        st.just(b"\x00"),
        st.tuples(st.sampled_from([0x01, 0x02, 0xFD]), st.binary(max_size=20)).map(
            lambda block: bytes([block[0], len(block[1])]) + block[1]
        ),
    ),
    max_size=6,
).map(b"".join)


MESSAGES = st.binary(max_size=40) | st.integers(253, 600).map(bytes)


def block(message: bytes) -> bytes:
    """A Type 2 tag's block for it: the length in one byte, from 255 on in three."""
    length = bytes([len(message)]) if len(message) < 255 else b"\xff" + len(message).to_bytes(2, "big")
    return b"\x03" + length + message


@given(BLOCKS, MESSAGES)
def test_a_message_is_found_behind_any_other_blocks(before: bytes, message: bytes) -> None:
    """Lock, memory and proprietary blocks are passed over; long and short lengths are read."""
    area = before + block(message)
    assert message_in(area, len(area)) == message
    assert message_in(area + b"\xfe", len(area) + 1) == message
    with pytest.raises(Damaged):
        message_in(area, len(area) - 1)


@given(BLOCKS, MESSAGES)
def test_behind_the_terminator_is_nothing(before: bytes, message: bytes) -> None:
    """What an earlier owner has left there is no message of this card."""
    area = before + b"\xfe" + block(message)
    assert message_in(area, len(area)) is None


@given(BLOCKS, MESSAGES, st.integers(0, 600))
def test_an_area_is_closed_by_its_terminator_alone(before: bytes, message: bytes, cut: int) -> None:
    """Behind all blocks; the same byte within a message ends nothing, and what breaks off is open."""
    area = before + block(message) + before
    assert closed_by(area + b"\xfe" + message)
    assert not closed_by(area[:cut])
    assert not closed_by(block(b"\xfe" * len(message)))


@given(st.binary(max_size=200), st.integers(0, 200))
def test_reading_on_never_changes_an_answer(area: bytes, known: int) -> None:
    """What is known of a part of the memory holds for the whole: asking for more is the only other answer."""
    with contextlib.suppress(Incomplete):
        try:
            early: bytes | str | None = message_in(area[:known], len(area))
        except Damaged:
            early = "damaged"
        try:
            late: bytes | str | None = message_in(area, len(area))
        except Damaged:
            late = "damaged"
        assert early == late


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_a_whole_area_is_never_incomplete(area: bytes) -> None:
    """When everything has been read the answer is final, so no reader asks for ever."""
    with contextlib.suppress(Damaged):
        message_in(area, len(area))
