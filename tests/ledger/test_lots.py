"""Lots: the oldest first, every change undone exactly, an overdraft as a lot below zero."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from ledger.lots import Lot, Shelf


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


@given(
    st.lists(
        st.tuples(st.sampled_from(["award", "take", "undo award", "undo take"]), st.integers(1, 40), st.integers(0, 99))
    )
)
def test_lots_always_add_up(steps: list[tuple[str, int, int]]) -> None:
    """The sum is the balance, each lot is the sum of its moves, and debt and points never lie side by side."""
    shelf, balance = Shelf(), 0
    effects: dict[int, list[int]] = {}
    undone: dict[int, list[int]] = defaultdict(list)
    for record, (what, points, pick) in enumerate(steps, 1):
        if what == "award":
            shelf.award(record, points, earned_at=pick)
            effects[record] = [points, 0]
            balance += points
        elif what == "take":
            shelf.take(record, points, 100 + record)
            effects[record] = [-points, 0]
            balance -= points
        else:
            sign = 1 if what == "undo award" else -1
            targets = [r for r, (effect, back) in effects.items() if effect * sign > 0 and abs(effect) > back]
            if not targets:
                continue
            target = targets[pick % len(targets)]
            points = min(points, abs(effects[target][0]) - effects[target][1])
            effects[target][1] += points
            if sign > 0:
                shelf.undo_award(record, points, 100 + record, target)
            else:
                shelf.undo_take(record, points, 100 + record, [target], taken(shelf, target, *undone[target]))
            undone[target].append(record)
            balance -= sign * points
        lots = shelf.lots.values()
        assert sum(lot.remaining for lot in lots) == balance
        assert not (any(lot.remaining > 0 for lot in lots) and any(lot.remaining < 0 for lot in lots))
        for lot in lots:
            assert lot.remaining == lot.points + sum(p for (_, moved), p in shelf.moves.items() if moved == lot.record)
            assert 0 <= lot.remaining * (1 if lot.points > 0 else -1) <= abs(lot.points)
