"""What a note says: as many of the newest codes as the card has room for; no bytes from a card can break it."""

from hypothesis import given
from hypothesis import strategies as st

from offline_queue import plain_cbor
from offline_queue.entry import Card
from terminal.cards.note_codes import MOST_CODES, codes_in, is_understood, packed
from tests.offline_queue.claimed import CARD, code_of, sold

CODES = [code_of(sold(key=f"sale-{number}", card=Card(CARD), receipt=None)) for number in range(6)]
RAWS = [code.raw for code in CODES]


@given(st.integers(0, 800), st.integers(0, 6))
def test_the_first_ones_fit_and_come_back(room: int, count: int) -> None:
    """A note is never longer than its room; one that holds nothing is empty."""
    note = packed(RAWS[:count], room)
    assert len(note) <= room
    held = codes_in(note)
    assert is_understood(note)
    assert held == CODES[: len(held)]
    assert len(held) <= min(count, MOST_CODES)
    more = RAWS[: len(held) + 1]
    assert len(held) in (count, MOST_CODES) or len(plain_cbor.encode(list(more))) > room


def test_the_rooms_of_the_cards() -> None:
    """One usual code on an NTAG215, two on a 216, three in the longest DESFire note; none on what is smaller."""
    usual = [code_of(sold(card=Card(CARD), receipt=None)).raw] * 5
    assert [len(codes_in(packed(usual, room))) for room in (100, 182, 374, 512)] == [0, 1, 2, 3]


@given(st.binary(max_size=600) | st.lists(st.binary(max_size=80), max_size=6).map(plain_cbor.encode))  # type: ignore[arg-type]
def test_any_bytes_are_no_codes(note: bytes) -> None:
    """Whoever wrote them."""
    assert codes_in(note) == []
    assert is_understood(note) == (not note)


@given(st.lists(st.sampled_from(RAWS) | st.binary(max_size=20) | st.integers(0, 9), max_size=8))
def test_good_codes_are_read_beside_bad_ones(items: list[bytes | int]) -> None:
    """One that is damaged does not spoil its neighbour."""
    raws = [item for item in items if isinstance(item, bytes)][:MOST_CODES]
    assert [code.raw for code in codes_in(plain_cbor.encode(list(items)))] == [raw for raw in raws if raw in RAWS]
