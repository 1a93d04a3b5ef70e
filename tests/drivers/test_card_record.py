"""Two slots on a card: whatever is torn, the older note or the newer one stands, and never a mixture."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.card_record import HEAD, MOST, PAGE, Plan, Record, chosen, decode, encode, extent, is_free, plan

UID = bytes.fromhex("04a1b2c3d4e5f6")
SLOT = 192
NOTES = st.binary(max_size=SLOT - HEAD)
SEQUENCES = st.integers(0, 65535)


class Slots:
    """Two slots of a card that lose power when the test wants it."""

    def __init__(self) -> None:
        self.memory = [bytearray(SLOT), bytearray(SLOT)]

    def records(self) -> list[Record | None]:
        return [decode(UID, bytes(slot)) for slot in self.memory]

    def note(self) -> bytes | None:
        index = chosen(self.records())
        found = self.records()[index] if index is not None else None
        return found.data if found else None

    def write(self, planned: Plan, pages: int, torn: bytes = b"") -> None:
        """So many pages, and of the next one what `torn` says."""
        for at, page in planned.pages[:pages]:
            self.memory[planned.slot][at : at + PAGE] = page
        if torn and pages < len(planned.pages):
            at = planned.pages[pages][0]
            self.memory[planned.slot][at : at + len(torn)] = torn


def tears(page: bytes) -> Iterator[bytes]:
    """What a page may hold when the power fails in it: byte for byte, blank, all ones, nonsense."""
    yield from (page[:count] for count in range(PAGE))
    yield from (bytes(PAGE), b"\xff" * PAGE, bytes(byte ^ 0x5A for byte in page))


@pytest.mark.parametrize("history", [[], [b"first"], [b"first", b"second"], [b"1", b"2" * 182, b"3"]])
@pytest.mark.parametrize("new", [b"", b"new", b"n" * 182])
def test_a_pull_at_any_byte_leaves_the_older_or_the_newer_note(history: list[bytes], new: bytes) -> None:
    """Every page, every tear of it; and the next write goes through whatever was left."""
    whole = plan(UID, written(history).records(), new).pages
    for pages in range(len(whole) + 1):
        for torn in tears(whole[pages][1]) if pages < len(whole) else [b""]:
            slots = written(history)
            slots.write(plan(UID, slots.records(), new), pages, torn)
            before = history[-1] if history else None
            assert slots.note() in ([new] if pages == len(whole) else [before, new])
            again = plan(UID, slots.records(), b"after")
            slots.write(again, len(again.pages))
            assert slots.note() == b"after"


def written(history: list[bytes]) -> Slots:
    slots = Slots()
    for data in history:
        planned = plan(UID, slots.records(), data)
        slots.write(planned, len(planned.pages))
    return slots


@given(st.lists(st.tuples(NOTES, st.integers(0, 60), st.binary(max_size=PAGE)), max_size=12), SEQUENCES)
@settings(max_examples=100)
def test_any_history_of_pulls_keeps_the_last_note_or_the_next(
    writes: list[tuple[bytes, int, bytes]], start: int
) -> None:
    """Also where the sequence starts anew after 65535."""
    slots = Slots()
    slots.memory[0][:] = encode(UID, Record(start, b"")).ljust(SLOT, b"\0")
    for data, pages, torn in writes:
        before = slots.note()
        planned = plan(UID, slots.records(), data)
        slots.write(planned, pages, torn)
        assert slots.note() in ([data] if pages >= len(planned.pages) else [before, data])


@given(SEQUENCES, st.binary(max_size=MOST))
def test_a_record_is_read_as_it_was_written_and_on_its_own_card_only(sequence: int, data: bytes) -> None:
    """The serial number is part of the check, and each byte is."""
    slot = encode(UID, Record(sequence, data))
    assert len(slot) % PAGE == 0
    assert extent(slot[:HEAD]) == HEAD + len(data)
    assert decode(UID, slot + b"\xff" * 7) == Record(sequence, data)
    assert decode(UID[::-1], slot) is None
    for at in range(HEAD + len(data)):
        assert decode(UID, slot[:at] + bytes([slot[at] ^ 1]) + slot[at + 1 :]) is None
        assert decode(UID, slot[:at]) is None


@given(st.lists(st.binary(max_size=220), min_size=2, max_size=2), NOTES)
def test_garbage_on_the_card_is_no_note_and_can_be_planned_over(slots: list[bytes], data: bytes) -> None:
    """No bytes make it fail, whoever wrote them."""
    records = [decode(UID, slot) for slot in slots]
    assert chosen(records) is None
    assert extent(slots[0][:HEAD]) <= HEAD + MOST
    assert plan(UID, records, data).slot == 0
    is_free([slot.ljust(SLOT, b"\0") for slot in slots])


@pytest.mark.parametrize(("first", "second", "newest"), [(0, 1, 1), (1, 0, 0), (65535, 0, 1), (0, 65535, 0), (7, 7, 0)])
def test_the_sequence_wraps_safely(first: int, second: int, newest: int) -> None:
    """0 comes after 65535."""
    assert chosen([Record(first, b""), Record(second, b"")]) == newest


def test_what_somebody_else_has_written_is_not_free() -> None:
    """Blank pages are; so are those where a first note was torn, at whichever byte of it."""
    blank = bytes(SLOT)
    assert is_free([blank, blank])
    whole = plan(UID, [None, None], b"note" * 30).pages
    for pages in range(len(whole)):
        for torn in tears(whole[pages][1]):
            slots = Slots()
            slots.write(plan(UID, [None, None], b"note" * 30), pages, torn)
            assert is_free(slots.memory) or slots.note() is not None
    for place in (0, PAGE - 1, PAGE * 2, SLOT - 1):
        foreign = blank[:place] + b"\x01" + blank[place + 1 :]
        assert not is_free([foreign, blank])
        assert not is_free([blank, foreign])
