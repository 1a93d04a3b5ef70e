"""What may be promised to a till, and when a request repeats another: on bare values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.facts.codes import Code
from ledger.facts.rights import Right, RightState
from ledger.points.standing import Standing
from ledger.rules.rights import grant, same_request

ASKED = Right("a1", "S001-T01", "s1", "2990000000017", 10, None, RightState.OPEN)
points = st.integers(1, 30)


@given(points, st.none() | points, st.integers(-20, 40), st.integers(0, 20), st.integers(0, 9))
def test_nothing_is_promised_that_is_not_there(asked: int, least: int | None, held: int, taken: int, idle: int) -> None:
    """All that is asked for, or as much as there is where that will do; else nothing, and why."""
    standing = Standing(7, held, taken, idle=idle)
    there = held - taken - idle
    right = grant(replace(ASKED, points=asked), standing, least=least, why_not=None)
    assert right.account == 7
    enough = asked if least is None else min(asked, least)
    if there < enough:
        assert (right.state, right.code) == (RightState.REFUSED, Code.INSUFFICIENT_POINTS)
        return
    assert (right.state, right.code) == (RightState.OPEN, None)
    assert right.points == min(asked, there)
    assert right.asked == (asked if right.points < asked else None)


@pytest.mark.parametrize("standing", [None, Standing(7, 100), Standing(7, -5)])
def test_what_speaks_against_any_promise_is_told_first(standing: Standing | None) -> None:
    """A till whose key was revoked, or a blocked card: that there are too few points besides is not its business."""
    right = grant(ASKED, standing, least=None, why_not=Code.KEY_REVOKED)
    assert (right.state, right.code, right.points) == (RightState.REFUSED, Code.KEY_REVOKED, 10)
    assert right.account == (7 if standing else None)


def test_an_unknown_card_is_promised_nothing() -> None:
    """However few points would do."""
    right = grant(ASKED, None, least=1, why_not=None)
    assert (right.state, right.code, right.account) == (RightState.REFUSED, Code.CARD_UNKNOWN, None)


@pytest.mark.parametrize(
    "other", [{"terminal": "S001-T02"}, {"card": "2990000000024"}, {"points": 11}, {"stream": "s2"}]
)
def test_a_request_is_repeated_when_it_asks_for_the_same(other: dict[str, object]) -> None:
    """By the same till, from the same stream; also where fewer points were granted than it asks for."""
    held = grant(ASKED, Standing(7, 6), least=1, why_not=None)
    assert (held.points, held.asked) == (6, 10)
    assert same_request(held, ASKED)
    assert not same_request(held, replace(ASKED, **other))


def test_a_right_that_was_used_before_it_was_asked_for_is_its_holders() -> None:
    """The late request is answered, whatever it asks for; nobody else learns of it."""
    used = replace(ASKED, card="", stream="", points=0, state=RightState.CONSUMED, code=Code.ALLOWANCE_VOID)
    assert same_request(used, ASKED)
    assert not same_request(used, replace(ASKED, terminal="S001-T02"))
