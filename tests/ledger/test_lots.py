"""Lots: the oldest first, every change undone exactly, an overdraft as a lot below zero."""

from collections import Counter, defaultdict
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.points.lots import Dates, Lot, Shelf
from ledger.points.standing import Standing
from ledger.points.usable import always_usable, held, measured, narrowed


def remaining(shelf: Shelf) -> dict[int, int]:
    return {lot.record: lot.remaining for lot in shelf.lots.values()}


def taken(shelf: Shelf, redemption: int, *reversals: int) -> dict[int, int]:
    """What the redemption, less its reversals, holds of each lot."""
    held: dict[int, int] = defaultdict(int)
    for (record, lot), points in shelf.moves.items():
        if record in (redemption, *reversals) and lot != redemption:
            held[lot] -= points
    return held


def test_the_oldest_sale_is_used_first_whenever_it_arrived() -> None:
    """A late sync of an old sale does not make its points young."""
    shelf = Shelf()
    shelf.award(1, 10, earned_at=2000)
    shelf.award(2, 10, earned_at=1000)
    shelf.take(3, 15, 3000)
    assert remaining(shelf) == {1: 5, 2: 0}


def test_what_is_missing_becomes_a_lot_below_zero_and_is_repaid() -> None:
    """Nothing is clamped: the debt is visible, and awards pay it first."""
    shelf = Shelf()
    shelf.award(1, 10, 1000)
    shelf.take(2, 25, 2000)
    assert remaining(shelf) == {1: 0, 2: -15}
    shelf.award(3, 40, 3000)
    assert remaining(shelf) == {1: 0, 2: 0, 3: 25}


def test_points_return_to_the_youngest_lots_first() -> None:
    """A partial reversal undoes the end of the redemption, exactly."""
    shelf = Shelf()
    shelf.award(1, 10, 1000)
    shelf.award(2, 10, 2000)
    shelf.take(3, 15, 3000)
    shelf.undo_take(4, 7, 4000, [3], taken(shelf, 3))
    assert remaining(shelf) == {1: 2, 2: 10}
    shelf.undo_take(5, 8, 5000, [3], taken(shelf, 3, 4))
    assert remaining(shelf) == {1: 10, 2: 10}


def test_an_award_taken_back_after_use_costs_the_others() -> None:
    """Its own lot first, then the oldest, then debt."""
    shelf = Shelf()
    shelf.award(1, 10, 1000)
    shelf.award(2, 5, 2000)
    shelf.take(3, 4, 3000)
    shelf.undo_award(4, 10, 4000, 1)
    assert remaining(shelf) == {1: 0, 2: 1}


def test_lots_loaded_later_do_not_undo_what_was_done() -> None:
    """The shelf is newer than the books."""
    shelf = Shelf()
    shelf.award(7, 10, 1000)
    shelf.take(8, 4, 2000)
    shelf.load([Lot(7, 1000, 10, 10), Lot(6, 500, 3, 3)])
    assert remaining(shelf) == {7: 6, 6: 3}


def test_of_points_of_one_moment_those_the_books_got_first_are_used_first() -> None:
    """Whichever the engine tells first: both engines leave the same lots."""
    shelf = Shelf()
    shelf.load([Lot(9, 1000, 10, 10), Lot(4, 1000, 10, 10)])
    shelf.take(10, 12, 2000)
    assert remaining(shelf) == {4: 0, 9: 8}


def test_a_reversal_settles_what_its_own_redemption_overdrew() -> None:
    """The older debt of another redemption stays: that one was not reversed."""
    shelf = Shelf()
    shelf.take(1, 5, 1000)
    shelf.take(2, 8, 2000)
    shelf.undo_take(3, 6, 3000, [2], taken(shelf, 2))
    assert remaining(shelf) == {1: -5, 2: -2}
    assert not any(lot.record == 3 for lot in shelf.made), "nothing came back as new points"


@pytest.mark.parametrize("owing_gives", [True, False])
def test_two_accounts_that_become_one_pay_each_others_debts(owing_gives: bool) -> None:
    """Whichever of them overdrew: the oldest debt is paid first, by the oldest points, under the merger's record."""
    owing, owning = Shelf(), Shelf()
    owing.take(1, 10, 1000)
    owing.take(2, 10, 2000)
    owning.award(3, 15, 1500)
    giver, taker = (owing, owning) if owing_gives else (owning, owing)
    taker.absorb(giver, 9)
    assert remaining(taker) == {1: 0, 2: -5, 3: 0}
    assert {lot: points for (record, lot), points in taker.moves.items() if record == 9} == {1: 10, 2: 5, 3: -15}
    assert sorted(lot.record for lot in taker.made) == [1, 2, 3]


moments = st.integers(0, 60)
dates = st.builds(
    lambda active, lasts: Dates(active, None if lasts is None else (active or 0) + lasts),
    st.none() | st.integers(0, 30),
    st.none() | st.integers(1, 30),
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["award", "take", "undo award", "undo take", "write off", "put back"]),
            st.integers(1, 40),
            moments,
            dates,
        ),
        max_size=40,
    )
)
def test_lots_always_add_up(steps: list[tuple[str, int, int, Dates]]) -> None:
    """The sum is the balance, each lot is the sum of its moves, and no debt lies beside points that could pay it."""
    shelf, balance = Shelf(), 0
    effects: dict[int, list[int]] = {}
    undone: dict[int, list[int]] = defaultdict(list)
    for record, (what, points, at, lasts) in enumerate(steps, 1):
        if what == "award":
            shelf.award(record, points, at, lasts)
            effects[record] = [points, 0]
            balance += points
        elif what == "take":
            shelf.take(record, points, at, expired_too=points % 2 == 0)
            effects[record] = [-points, 0]
            balance -= points
        elif what in ("write off", "put back"):
            sign = 1 if what == "write off" else -1
            there = [lot for lot in shelf.lots.values() if (lot.remaining if sign > 0 else lot.written_off) > 0]
            if not there:
                continue
            lot = there[at % len(there)]
            points = min(points, lot.remaining if sign > 0 else lot.written_off)
            shelf.write_off(record if sign > 0 else 1000 + record, lot.record, sign * points)
            if sign > 0:
                balance -= points
            else:  # they come back for a redemption, which follows at once
                shelf.take(record, points, at)
                effects[record] = [-points, 0]
        else:
            sign = 1 if what == "undo award" else -1
            targets = [r for r, (effect, back) in effects.items() if effect * sign > 0 and abs(effect) > back]
            if not targets:
                continue
            target = targets[at % len(targets)]
            points = min(points, abs(effects[target][0]) - effects[target][1])
            effects[target][1] += points
            if sign > 0:
                shelf.undo_award(record, points, at, target)
            else:
                shelf.undo_take(record, points, at, [target], taken(shelf, target, *undone[target]), lasts)
            undone[target].append(record)
            balance -= sign * points
        adds_up(shelf, balance)


def adds_up(shelf: Shelf, balance: int) -> None:
    lots = list(shelf.lots.values())
    assert sum(lot.remaining for lot in lots) == balance
    debts = [lot for lot in lots if lot.remaining < 0]
    assert all(lot.expired(debt.earned_at) for debt in debts for lot in lots if lot.remaining > 0)
    for lot in lots:
        assert lot.remaining == lot.points + sum(p for (_, moved), p in shelf.moves.items() if moved == lot.record)
        assert 0 <= lot.remaining * (1 if lot.points > 0 else -1) <= abs(lot.points)
        assert 0 <= lot.written_off <= max(lot.points, 0)


@dataclass
class Point:
    """One point of the naive model, which has a list of them and no lots."""

    earned_at: int
    record: int
    dates: Dates

    def ended(self, at: int) -> bool:
        return self.dates.expires_at is not None and self.dates.expires_at <= at

    def waits(self, at: int) -> bool:
        return self.dates.active_at is not None and at < self.dates.active_at


class Naive:
    """Awards and redemptions point by point; a debt is a moment at which a point was missing."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.debts: list[tuple[int, int]] = []

    def award(self, record: int, points: int, at: int, lasts: Dates) -> None:
        for point in [Point(at, record, lasts)] * points:
            payable = [debt for debt in sorted(self.debts) if not point.ended(debt[0])]
            if payable:
                self.debts.remove(payable[0])
            else:
                self.points.append(point)

    def take(self, record: int, points: int, at: int) -> None:
        for _ in range(points):
            alive = [point for point in self.points if not point.ended(at)]
            if alive:
                oldest = min(alive, key=lambda point: (point.waits(at), point.earned_at, point.record))
                self.points.remove(oldest)
            else:
                self.debts.append((at, record))

    def left(self) -> dict[int, int]:
        return dict(Counter(point.record for point in self.points) - Counter())


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 9), moments, dates), max_size=25),
    moments,
)
def test_a_shelf_does_what_a_list_of_points_does(steps: list[tuple[bool, int, int, Dates]], now: int) -> None:
    """In any order of arrival: the same points are left, the same debts, and the same may be used at any moment."""
    shelf, naive = Shelf(), Naive()
    for record, (award, points, at, lasts) in enumerate(steps, 1):
        if award:
            shelf.award(record, points, at, lasts)
            naive.award(record, points, at, lasts)
        else:
            shelf.take(record, points, at)
            naive.take(record, points, at)
    assert {record: points for record, points in remaining(shelf).items() if points > 0} == naive.left()
    owed = Counter(record for _, record in naive.debts)
    assert {record: -points for record, points in remaining(shelf).items() if points < 0} == dict(owed)
    found = held(shelf.lots.values(), now, expiries=3)
    usable = [point for point in naive.points if not point.ended(now) and not point.waits(now)]
    assert found.usable == len(usable) - len(naive.debts)
    assert found.expired == sum(point.ended(now) for point in naive.points)
    assert found.usable + found.inactive + found.expired == len(naive.points) - len(naive.debts)
    ends = Counter(point.dates.expires_at for point in naive.points if point.dates.expires_at and not point.ended(now))
    assert list(found.expiring) == sorted(ends.items())[:3]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 9), moments, dates), max_size=25), moments)
def test_inside_its_window_an_account_needs_no_look_at_its_lots(
    steps: list[tuple[bool, int, int, Dates]], now: int
) -> None:
    """Whether the window was narrowed award by award or measured anew: inside it the balance is what may be used."""
    shelf, grown = Shelf(), Standing(1)
    for record, (award, points, at, lasts) in enumerate(steps, 1):
        if award:
            shelf.award(record, points, at, lasts)
            grown = narrowed(grown, shelf.made[-1:])
        else:
            shelf.take(record, points, at)
    lots = shelf.lots.values()
    exact = measured(Standing(1), lots)
    for standing in (grown, exact):
        if always_usable(standing, now):
            assert held(lots, now).usable == sum(lot.remaining for lot in lots)
    if not always_usable(exact, now):
        assert held(lots, now).inactive + held(lots, now).expired > 0


def test_the_window_of_an_account_is_that_of_all_its_points() -> None:
    """It begins when the last of them is active and ends, exclusive, with the first that expire; used up ones count
    no more."""
    lots = [Lot(1, 0, 5, 5, 10, 50), Lot(2, 0, 5, 5, 20, None), Lot(3, 0, 5, 5, None, 40), Lot(4, 0, 5, 0, 30, 35)]
    whole = measured(Standing(1), lots)
    assert (whole.usable_from, whole.usable_until) == (20, 40)
    assert [at for at in range(60) if always_usable(whole, at)] == list(range(20, 40))
    grown = Standing(1)
    for lot in lots[:3]:
        grown = narrowed(grown, [lot])
    assert (grown.usable_from, grown.usable_until) == (20, 40)


def test_points_that_ended_pay_only_where_they_may() -> None:
    """The last to end first, and only what those alive cannot pay."""
    for allowed, left in ((False, {1: 10, 2: 10, 3: 0, 4: -5}), (True, {1: 10, 2: 5, 3: 0})):
        shelf = Shelf()
        shelf.award(1, 10, 1, Dates(None, 10))
        shelf.award(2, 10, 2, Dates(None, 20))
        shelf.award(3, 10, 3, Dates(None, 90))
        shelf.take(4, 15, 50, expired_too=allowed)
        assert remaining(shelf) == left
