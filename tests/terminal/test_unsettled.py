"""What a till has at risk: the sums of redemptions that it promised without a right, until the ledger decides."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.entry import Card, Entry, Kind
from terminal.sales.unsettled import Unsettled, at_risk
from tests.offline_queue.sales import sale

RISKY = sale(kind=Kind.REDEEM, points=40)


def but(**changes: Any) -> Entry:
    return msgspec.structs.replace(RISKY, **changes)


@pytest.mark.parametrize(
    ("entry", "points"),
    [
        (RISKY, 40),
        (but(allowance="right-1"), 0),
        *((but(kind=kind), 0) for kind in (Kind.EARN, Kind.REVERSE, Kind.CLAIM, Kind.RELEASE)),
    ],
)
def test_only_a_redemption_without_a_right_is_at_risk(entry: Entry, points: int) -> None:
    """What the ledger has reserved cannot be lost, and what is earned costs nobody."""
    assert at_risk(entry) == points
    sums = Unsettled()
    sums.note(entry)
    assert (sums.total, sums.count, sums.of("2990000000017")) == (points, 1 if points else 0, points)


ENTRIES = st.builds(
    lambda points, number, allowance: but(points=points, card=Card(number), allowance=allowance),
    *(st.integers(1, 99), st.sampled_from(["a", "b"]), st.sampled_from([None, None, "right-1"])),
)


@given(st.lists(ENTRIES, max_size=12), st.integers(0, 12))
def test_what_is_decided_leaves_the_sums(entries: list[Entry], decided: int) -> None:
    """By card, in all and by number; a card with nothing at risk takes no memory."""
    sums = Unsettled()
    for entry in entries:
        sums.note(entry)
    for entry in entries[:decided]:
        sums.strike(entry)
    left = [entry for entry in entries[decided:] if entry.allowance is None]
    by_card = {name: sum(e.points for e in left if e.card == Card(name)) for name in "ab"}
    assert sums.by_card == {name: points for name, points in by_card.items() if points}
    assert {name: sums.of(name) for name in "ab"} == by_card
    assert (sums.total, sums.count) == (sum(by_card.values()), len(left))
