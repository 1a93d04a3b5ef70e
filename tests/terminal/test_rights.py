"""Which right may be used for what: pure questions to the rights that a till knows."""

from dataclasses import dataclass, replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.journal import Allowance, AllowanceState
from terminal.promises.rights import IDLE_MS, Right, Rights

WANTED = Allowance("right", "k-1", "a", 50, "t/1", AllowanceState.ASKED, "2026-03-01T10:00:00.000Z")
NOW_MS = 1_000_000


def but(**changes: object) -> Allowance:
    return msgspec.structs.replace(WANTED, **changes)


def rights_with(*known: Right) -> Rights:
    return Rights({right.allowance.id: right for right in known})


@pytest.mark.parametrize(
    "right",
    [
        Right(but(key="k-2")),
        Right(but(card="b")),
        Right(but(points=49)),
        Right(WANTED, wanted_by="k-1"),
        Right(WANTED, valid=False),
        Right(WANTED, ahead=True),
    ],
    ids=["another key", "another card", "other points", "in use", "of an earlier start", "held ahead of need"],
)
def test_only_the_same_sale_comes_back_for_its_right(right: Right) -> None:
    """Another right in its place would be spent twice or cover the wrong points."""
    assert rights_with(right).reusable("k-1", "a", 50) is None
    assert rights_with(Right(WANTED)).reusable("k-1", "a", 50) == Right(WANTED)


@dataclass
class Case:
    """A right held for card a, and whether a redemption of 50 points may use it."""

    right: Right
    fits: bool


HELD = Right(WANTED, granted=True, ahead=True)


@pytest.mark.parametrize(
    "case",
    [
        Case(HELD, fits=True),
        Case(replace(HELD, granted=False), fits=False),
        Case(replace(HELD, wanted_by="k-2"), fits=False),
        Case(replace(HELD, ahead=False), fits=False),
        Case(replace(HELD, valid=False), fits=False),
        Case(replace(HELD, allowance=but(card="b")), fits=False),
    ],
)
def test_a_right_held_ahead_covers_one_redemption_up_to_its_points(case: Case) -> None:
    """Granted, in nobody's hands, confirmed in this start, and for this very card."""
    rights = rights_with(case.right)
    assert (rights.fitting("a", 50) is not None) == case.fits
    assert rights.most("a") == (50 if case.fits else 0)
    assert rights.fitting("a", 51) is None


@given(st.lists(st.integers(1, 9), max_size=5), st.integers(1, 9))
def test_the_smallest_that_covers_it_is_used(points: list[int], asked: int) -> None:
    """The larger ones stay for larger redemptions."""
    rights = rights_with(*(replace(HELD, allowance=but(id=str(n), points=each)) for n, each in enumerate(points)))
    found = rights.fitting("a", asked)
    assert (found.allowance.points if found else None) == min((each for each in points if each >= asked), default=None)
    assert rights.most("a") == max(points, default=0)


def test_a_right_is_left_after_a_minute() -> None:
    """If it was granted, for a sale, and is in nobody's hands."""
    left = Right(WANTED, granted=True, idle_since_ms=NOW_MS - IDLE_MS)
    assert rights_with(left).left_idle(NOW_MS) == [left]
    others = (
        replace(left, idle_since_ms=NOW_MS - IDLE_MS + 1),
        replace(left, granted=False),
        replace(left, wanted_by="k-1"),
        replace(left, ahead=True),
    )
    assert [rights_with(other).left_idle(NOW_MS) for other in others] == [[]] * len(others)


def test_what_granted_rights_hold_of_a_card_is_in_hand() -> None:
    """Whatever they were granted for and whoever uses them; what is only asked for is nobody's yet."""
    rights = rights_with(
        Right(but(id="1"), granted=True, wanted_by="k-1"),
        Right(but(id="2", points=7), granted=True, valid=False),
        Right(but(id="3")),
        Right(but(id="4", card="b"), granted=True),
    )
    assert [rights.in_hand(card) for card in "abc"] == [57, 50, 0]
