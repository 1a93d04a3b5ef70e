"""An entry's bytes: made once, one line, and only taken back as what they are."""

import uuid
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.entry import (
    GENESIS_HASH,
    LANE_OF,
    MAX_ENTRY_BYTES,
    Amount,
    Card,
    Entry,
    Kind,
    Receipt,
    Undecodable,
    chain,
    decode,
    encode,
    masked,
    uuid7,
)
from tests.offline_queue.sales import sale

TEXT = st.text(max_size=40)
ENTRIES = st.builds(
    sale,
    key=TEXT,
    kind=st.sampled_from(sorted(LANE_OF)),
    points=st.integers(0, 1_000_000_000),
    card=st.none() | st.builds(Card, TEXT, st.none() | TEXT, st.none() | TEXT),
    amount=st.none() | st.builds(Amount, st.integers(0, 10**12), st.sampled_from(["EUR", "USD"])),
    receipt=st.none() | st.builds(Receipt, TEXT, st.none() | TEXT),
    operator=st.none() | TEXT,
    reverses=st.none() | TEXT,
)


@given(ENTRIES)
def test_what_was_written_is_read_back(entry: Entry) -> None:
    """Every entry survives its bytes, which are one line whatever text it holds."""
    record = encode(entry)
    assert decode(record) == entry
    assert b"\n" not in record


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_foreign_bytes_are_undecodable_and_nothing_worse(record: bytes) -> None:
    """Whatever arrives as a record is an entry or is said to be none."""
    with pytest.raises(Undecodable):
        decode(record)


@pytest.mark.parametrize(
    ("change", "why"),
    [({"v": 2}, "version 2"), ({"points": -1}, "points"), ({"kind": "gift"}, "gift"), ({"points": 10**10}, "points")],
)
def test_entries_beyond_the_rules_are_refused(change: dict[str, Any], why: str) -> None:
    """Another version, negative or absurd points and unknown kinds are no entries of ours."""
    fields = msgspec.json.decode(encode(sale()))
    with pytest.raises(Undecodable, match=why):
        decode(msgspec.json.encode(fields | change))


def test_a_record_has_a_largest_size() -> None:
    """More bytes than the ledger takes are refused before they are parsed."""
    with pytest.raises(Undecodable, match="more than"):
        decode(encode(sale(operator="x" * MAX_ENTRY_BYTES)))


def test_every_changed_byte_breaks_the_chain() -> None:
    """The hash binds each record to all before it."""
    record = encode(sale())
    after = chain(GENESIS_HASH, record)
    assert len(after) == 32
    assert chain(GENESIS_HASH, record.replace(b"24", b"25")) != after
    assert chain(after, record) != after


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_ids_are_version_7_and_sort_by_time(unix_ms: int, randomness: bytes) -> None:
    """RFC 9562: the version and variant bits are set and the first 48 bits are the time."""
    made = uuid.UUID(uuid7(unix_ms, randomness))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == unix_ms


@pytest.mark.parametrize(
    ("number", "shown"), [("2990000000017", "•••• 0017"), ("1234", "••••"), ("", "••••"), ("12345", "•••• 2345")]
)
def test_card_numbers_are_masked_for_people(number: str, shown: str) -> None:
    """Never more than the last four digits, and nothing of a number that is no longer than that."""
    assert masked(number) == shown


def test_points_move_in_one_of_two_lanes() -> None:
    """Everything but the journal's own records has a lane."""
    assert set(LANE_OF) == set(Kind) - {Kind.GENESIS, Kind.SEAL}
