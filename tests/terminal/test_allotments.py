"""Which rights a till holds ahead of need: never beyond its budget, and always those of the cards seen last."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from terminal.promises.allotments import Budget, Held, Plan, plan

BUDGET = Budget(per_card=100, total=250, cards=3)


def held(card: str, points: int = 100, seen_ms: int = 0, *, idle: bool = True) -> Held:
    return Held(f"right-{card}", card, points, seen_ms, idle)


def test_a_card_gets_what_it_has_up_to_the_limit() -> None:
    """A card with few points is given a smaller right, one without any none."""
    assert plan([], "a", 1000, BUDGET) == Plan(ask=100)
    assert plan([], "a", 30, BUDGET) == Plan(ask=30)
    assert plan([], "a", 1, BUDGET) == Plan(ask=1)
    assert plan([], "a", 0, BUDGET) == Plan()
    assert plan([], "a", -5, BUDGET) == Plan()


def test_one_right_for_each_card() -> None:
    """Also while it is being used or asked for."""
    assert plan([held("a", 5, idle=False)], "a", 1000, BUDGET) == Plan()


def test_the_card_not_seen_for_longest_makes_room() -> None:
    """As many as it takes, and no more."""
    stock = [held("a", seen_ms=3), held("b", seen_ms=1)]
    assert plan(stock, "c", 1000, BUDGET) == Plan(("right-b",), 100)
    assert plan(stock, "c", 50, BUDGET) == Plan((), 50)


def test_a_right_in_use_makes_no_room() -> None:
    """What is left of the budget is asked for; where nothing is left, nothing is given back either."""
    busy = [held("a", idle=False), held("b", idle=False)]
    assert plan(busy, "c", 1000, BUDGET) == Plan((), 50)
    full = [*busy, held("d", 50, idle=False)]
    assert plan(full, "c", 1000, BUDGET) == Plan()
    assert plan([*full, held("e", 50)], "c", 1000, msgspec.structs.replace(BUDGET, cards=9)) == Plan()


@st.composite
def stocks(draw: st.DrawFn) -> list[Held]:
    cards = draw(st.lists(st.sampled_from("abcdef"), unique=True))
    points = st.integers(1, 9) | st.integers(10, 90)
    return [held(card, draw(points), draw(st.integers(0, 9)), idle=draw(st.booleans())) for card in cards]


FREE = st.integers(-100, 500)
TOTAL = st.integers(1, 30) | st.integers(1, 600)
CARDS = st.integers(0, 7)


@given(stock=stocks(), free=FREE, total=TOTAL, cards=CARDS)
def test_no_plan_goes_beyond_the_budget(stock: list[Held], free: int, total: int, cards: int) -> None:
    """What is asked for fits after what is given back; nothing in use is given back, and nothing in vain."""
    chosen = plan(stock, "z", free, Budget(100, total, cards))
    gone = [one for one in stock if one.id in chosen.give_back]
    left = [one for one in stock if one.id not in chosen.give_back]
    assert all(one.idle for one in gone)
    if chosen.ask < 1:
        assert chosen == Plan()
        return
    assert chosen.ask <= min(100, free)
    assert sum(one.points for one in left) + chosen.ask <= total
    assert len(left) + 1 <= cards
    assert all(one.seen_ms >= max((g.seen_ms for g in gone), default=0) for one in left if one.idle)


@given(stock=stocks(), free=FREE, total=TOTAL, cards=CARDS)
def test_a_plan_asks_for_all_that_can_be_had_and_gives_back_no_more_than_it_takes(
    stock: list[Held], free: int, total: int, cards: int
) -> None:
    """Only rights in use stand in the way; without the last that goes back the new one would not fit in full."""
    chosen = plan(stock, "z", free, Budget(100, total, cards))
    busy = [one for one in stock if not one.idle]
    want = min(100, total, free)
    most = min(want, total - sum(one.points for one in busy))
    assert chosen.ask == (most if most > 0 and len(busy) < cards else 0)
    if chosen.give_back:
        kept = [one for one in stock if one.id not in chosen.give_back[:-1]]
        assert sum(one.points for one in kept) + want > total or len(kept) + 1 > cards
