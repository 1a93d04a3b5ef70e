"""Which expired points leave the books, and which come back: on bare lots."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.points.lots import Lot
from ledger.rules.own_entries import OFFICE
from ledger.rules.write_offs import (
    DAY_MS,
    WriteOff,
    cutoff,
    entry_of,
    is_write_off,
    overdue,
    put_back,
    wanted_back,
    written_off,
)
from offline_queue.entry import Clock, Entry, Kind

NOW = 1_750_000_000_000


@st.composite
def shelves(draw: st.DrawFn) -> list[Lot]:
    """Some lots, of which at most one is overdrawn."""
    lots = []
    for record in range(1, draw(st.integers(1, 6))):
        points, end = draw(st.integers(0, 20)), draw(st.none() | st.integers(1, 9))
        lots.append(Lot(record, record, 20, points, None, end, written_off=draw(st.integers(0, 20 - points))))
    return lots + ([Lot(9, 9, -20, -draw(st.integers(1, 20)))] if draw(st.booleans()) else [])


@given(shelves(), st.integers(0, 10), st.integers(0, 60))
def test_all_that_is_long_expired_leaves_and_nothing_that_is_promised(lots: list[Lot], at: int, reserved: int) -> None:
    """The balance never falls below what is promised to tills; of what goes, those that ended first go first."""
    found = overdue(lots, at, reserved)
    gone = sum(points for _, points in found)
    expired = sum(lot.remaining for lot in lots if lot.remaining > 0 and lot.expired(at))
    balance = sum(lot.remaining for lot in lots)
    assert gone == max(0, min(balance, expired) - reserved)
    assert all(0 < points <= lot.remaining and lot.expired(at) for lot, points in found)
    ends = [(lot.expires_at, lot.record) for lot, _ in found]
    assert ends == sorted(ends)
    assert all(points == lot.remaining for lot, points in found[:-1])
    kept = [lot for lot in lots if lot.remaining > 0 and lot.expired(at) and all(lot is not own for own, _ in found)]
    assert all((lot.expires_at, lot.record) > max(ends) for lot in kept if ends)


@given(shelves(), st.integers(0, 80), st.integers(0, 40))
def test_as_much_comes_back_as_is_needed(lots: list[Lot], points: int, free: int) -> None:
    """For a redemption from before the end: what is missing, from the first lots on, and no more than had left."""
    found = wanted_back(lots, None, points, free)
    there = sum(lot.written_off for lot in lots)
    assert sum(back for _, back in found) == min(there, max(0, points - free))
    assert all(0 < back <= lot.written_off for lot, back in found)
    assert all(back == lot.written_off for lot, back in found[:-1])


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 60), st.integers(0, 40), st.integers(0, 20))
def test_an_award_that_is_taken_back_gives_of_itself_first(
    left: int, gone: int, points: int, others: int, lost: int
) -> None:
    """What is left of it and what was written off of it; only what is then missing is taken from others."""
    own, other = Lot(1, 1, 40, left, written_off=gone), Lot(2, 2, 40, 0, written_off=lost)
    found = {lot.record: back for lot, back in wanted_back([own, other], 1, points, others + left)}
    assert found.get(1, 0) == min(gone, max(0, points - left))
    assert found.get(2, 0) == min(lost, max(0, points - left - others - found.get(1, 0)))


def test_the_grace_is_counted_in_days() -> None:
    """Of 24 hours: it is no date that a customer is told."""
    assert cutoff(NOW, 60) == NOW - 60 * DAY_MS


@pytest.mark.parametrize(("zone", "day"), [(UTC, "2025-06-15"), (ZoneInfo("Pacific/Kiritimati"), "2025-06-16")])
def test_an_award_that_leaves_says_how_long_it_could_be_used(zone: ZoneInfo, day: str) -> None:
    """Its end is exclusive: the last day is that of the moment before, in the programme's zone."""
    lot = Lot(3, 1, 10, 4, None, 1_750_032_000_000)
    assert written_off(7, [(lot, 4)], {3: "e3"}, zone) == [WriteOff(7, 3, "e3", 4, f"expired after {day}")]


def entry(kind: Kind) -> Entry:
    return Entry("e9", "k9", kind, "T1", "2025-06-15", "2025-06-15T12:00:00Z", Clock("b", 1, "2025-06-15T12:00:00Z"))


@pytest.mark.parametrize(
    ("kind", "why"),
    [(Kind.REDEEM, "e9 was made before they expired"), (Kind.REVERSE, "e9 takes this award back")],
)
def test_what_comes_back_says_for_which_entry(kind: Kind, why: str) -> None:
    """A redemption heard late, or an award that is taken back."""
    (back,) = put_back(7, [(Lot(3, 1, 10, 4, written_off=6), 5)], {3: "e3"}, entry(kind))
    assert (back.account, back.record, back.award, back.points) == (7, 3, "e3", -5)
    assert why in back.reason


def test_each_has_an_entry_of_the_offices_own() -> None:
    """With the award's name and its effect; two of one award in one moment have two keys, and tell themselves apart."""
    gone = WriteOff(7, 3, "e3", 4, "expired after 2025-06-15")
    one, two = entry_of(gone, NOW, 1), entry_of(replace(gone, points=-4), NOW, 2)
    assert one.correction is not None
    assert two.correction is not None
    assert (one.correction.of, one.correction.points, two.correction.points) == ("e3", -4, 4)
    assert one.key != two.key
    assert one.id != two.id
    assert is_write_off(one)
    assert is_write_off(two)


@pytest.mark.parametrize("change", [{"kind": Kind.EARN}, {"terminal": "T1"}, {"key": "merge:7:in"}])
def test_only_the_office_writes_off(change: dict[str, object]) -> None:
    """A till that names its key so is no part of what the audit lets pass."""
    own = entry_of(WriteOff(7, 3, "e3", 4, "expired"), NOW, 1)
    assert own.terminal == OFFICE
    assert not is_write_off(replace(own, **change))
