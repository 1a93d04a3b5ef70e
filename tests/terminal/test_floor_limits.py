"""Floor limits: each of them is kept, told by name, and the worst case is stated."""

from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from terminal.config_offline import Offline, Redeem, offline_problems
from terminal.promises.floor_limits import Facts, Limits, floor_refusal, is_drawn, room, worst_case

CARD = "2990000000017"
LIMITS = Limits(per_transaction=100, per_card=150, total=400, count=5, balance_age_h=24)
FINE = Facts(CARD, points=80, balance=500, age_h=2.0)


@dataclass
class Case:
    reason: str
    facts: Facts
    says: str


def but(**changes: object) -> Facts:
    return msgspec.structs.replace(FINE, **changes)


CASES = [
    Case("balance_unknown", but(balance=None), "never heard"),
    Case("balance_unknown", but(age_h=None), "never heard"),
    Case("balance_age", but(age_h=24.1), "too old"),
    Case("balance_age", but(age_h=-0.1), "too old"),
    Case("balance", but(balance=79), "Redeem at most 79 points"),
    Case("balance", but(balance=-3), "Try again when"),
    Case("per_transaction", but(points=101), "Redeem at most 100 points"),
    Case("per_card", but(of_card=71), "Redeem at most 79 points"),
    Case("total", but(total=330), "Redeem at most 70 points"),
    Case("total", but(total=400), "Try again when"),
    Case("count", but(count=5), "as often as it may"),
    Case("online_check", but(drawn=True), "drawn by chance"),
]


def test_within_the_limits_the_till_promises() -> None:
    """Also exactly at them."""
    assert floor_refusal(FINE, LIMITS) is None
    edge = Facts(CARD, 100, balance=100, age_h=24.0, of_card=50, total=300, count=4)
    assert floor_refusal(edge, LIMITS) is None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.reason)
def test_each_limit_is_told_by_name_with_what_to_do(case: Case) -> None:
    """The cashier hears which limit it was and what would go; never the card's whole number."""
    why = floor_refusal(case.facts, LIMITS)
    assert why is not None
    assert (why.code, why.reason) == ("offline_limit", case.reason)
    assert case.says in why.detail.en
    assert "Aucun point" in why.detail.fr
    assert not any(CARD in text or "{" in text for text in (why.detail.en, why.detail.fr))


FACTS = st.builds(
    Facts,
    card=st.just(CARD),
    points=st.integers(1, 300),
    balance=st.none() | st.integers(-20, 300),
    age_h=st.none() | st.sampled_from([-1.0, 0.0, 24.0, 25.0]),
    of_card=st.integers(0, 160),
    total=st.integers(0, 420),
    count=st.integers(0, 6),
    drawn=st.booleans(),
)


@given(FACTS)
@example(but(points=400, balance=300, of_card=140))
def test_what_the_cashier_is_told_to_redeem_instead_is_promised(facts: Facts) -> None:
    """Each limit leaves that many, not only the one that is told; one point more goes beyond one of them."""
    most = room(facts, LIMITS)
    why = floor_refusal(facts, LIMITS)
    assert (why is None) == (facts.points <= most)
    if most:
        assert floor_refusal(msgspec.structs.replace(facts, points=most), LIMITS) is None
    if why is not None:
        assert (f"Redeem at most {most} point" in why.detail.en) == (most > 0)
        assert ("Redeem" in why.detail.en) == (most > 0)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 120)), max_size=30),
    st.integers(0, 300),
)
def test_no_series_of_redemptions_goes_beyond_the_limits(asked: list[tuple[str, int]], balance: int) -> None:
    """However it is cut into pieces: per card, in total, by number, and never beyond the balance."""
    of_card, count = {"a": 0, "b": 0}, 0
    for card, points in asked:
        total = sum(of_card.values())
        facts = Facts(card, points, balance - of_card[card], 1.0, of_card[card], total, count)
        if floor_refusal(facts, LIMITS) is None:
            of_card[card] += points
            count += 1
    assert max(of_card.values()) <= min(LIMITS.per_card, balance)
    assert sum(of_card.values()) <= LIMITS.total
    assert count <= LIMITS.count


def test_one_in_so_many_is_drawn() -> None:
    """And none where the shop wants none."""
    assert [is_drawn(chance, 4) for chance in (0.0, 0.24, 0.25, 0.99)] == [True, True, False, False]
    assert not is_drawn(0.0, 0)


def test_the_worst_case_is_stated_in_figures() -> None:
    """(N - 1) x F for one card, N x the total for all."""
    said = worst_case(LIMITS, 4).en
    assert "3 x 150 = 450 points" in said
    assert "1600 points" in said
    assert "{" not in worst_case(LIMITS, 4).fr
    assert "3 x 150 = 450 points" in worst_case(msgspec.structs.replace(LIMITS, per_card=900, total=150), 4).en


def test_a_limit_of_one_is_one_point() -> None:
    """In the words of whoever reads them."""
    why = floor_refusal(but(points=5), msgspec.structs.replace(LIMITS, per_transaction=1))
    assert why is not None
    assert "at most 1 point may be redeemed" in why.detail.en
    assert "1 point au plus par opération" in why.detail.fr


def test_limits_that_contradict_each_other_are_told() -> None:
    """A limit above a wider one would never count."""
    odd = Offline(Redeem.FLOOR, ahead_points=9, ahead_total=8, floor_per_card=600, floor_total=300)
    where = [place for place, _ in offline_problems(odd)]
    assert where == ["offline.floor_per_card", "offline.ahead_points"]
    assert list(offline_problems(Offline())) == []
