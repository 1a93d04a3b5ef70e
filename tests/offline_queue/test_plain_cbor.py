"""The part of CBOR that claim codes use, against RFC 8949 and another implementation."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.plain_cbor import Item, decode, encode

VECTORS: list[tuple[Item, str]] = [
    (0, "00"),
    (23, "17"),
    (24, "1818"),
    (100, "1864"),
    (1000, "1903e8"),
    (1000000, "1a000f4240"),
    (1000000000000, "1b000000e8d4a51000"),
    (18446744073709551615, "1bffffffffffffffff"),
    (-1, "20"),
    (-1000, "3903e7"),
    (-18446744073709551616, "3bffffffffffffffff"),
    (b"", "40"),
    (b"\x01\x02\x03\x04", "4401020304"),
    ("", "60"),
    ("IETF", "6449455446"),
    ("ü", "62c3bc"),
    ([], "80"),
    ([1, [2, 3], [4, 5]], "8301820203820405"),
    ({}, "a0"),
    ({1: 2, 3: 4}, "a201020304"),
]
"""RFC 8949 appendix A, as far as it is used here."""
numbers = st.integers(-(2**64), 2**64 - 1)
leaves = numbers | st.binary(max_size=30) | st.text(max_size=30)
items = leaves | st.lists(leaves, max_size=5) | st.dictionaries(numbers, leaves | st.lists(leaves, max_size=3))


@pytest.mark.parametrize(("item", "data"), VECTORS)
def test_the_vectors_of_the_rfc(item: Item, data: str) -> None:
    """Both ways."""
    assert encode(item).hex() == data
    assert decode(bytes.fromhex(data)) == item


@given(items)
def test_another_implementation_says_the_same(item: Item) -> None:
    """Written as cbor2 writes it canonically but for the order of maps, and read as it reads it."""
    assert decode(encode(item)) == item
    assert cbor2.loads(encode(item)) == item
    if not isinstance(item, dict):
        assert encode(item) == cbor2.dumps(item, canonical=True)


@given(st.binary(max_size=40))
def test_bytes_have_one_meaning_or_none(data: bytes) -> None:
    """Whatever can be read is written in just that way; whatever else comes is a ValueError."""
    try:
        item = decode(data)
    except ValueError:
        return
    assert encode(item) == data


@pytest.mark.parametrize(
    "data",
    [
        *("", "1817", "190017", "1a00000017", "1b0000000000000017"),  # nothing; heads that are too long
        *("18", "19ff", "42ff", "62ff", "81", "a101", "1c", "1f"),  # cut short, reserved
        *("5f4101ff", "7f6161ff", "9f01ff", "bf0102ff"),  # indefinite lengths
        *("f4", "f5", "f6", "f7", "f93c00", "fb3ff0000000000000", "c074323031332d", "c249010000000000000000"),
        *("81818100", "a101a101a10101", "9bffffffffffffffff", "bbffffffffffffffff", "5bffffffffffffffff"),
        *("a203040102", "a201020102", "a1616101", "a1810101", "a14101"),  # keys out of order, twice, of another kind
        *("0000", "61ff", "62c328"),  # more than one item; no UTF-8
    ],
)
def test_what_is_not_needed_is_not_read(data: str) -> None:
    """Floats, tags, simple values, nesting, huge lengths, indefinite lengths, and every second way to say a thing."""
    with pytest.raises(ValueError):
        decode(bytes.fromhex(data))
