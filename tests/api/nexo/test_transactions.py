"""What the journal holds of an exchange, and what a refund makes of its original."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline_queue.entry import Amount, Card, Clock, Entry, Kind, Receipt
from terminal.api.nexo.answers import Unfit
from terminal.api.nexo.loyalty import Transaction, refund_of
from terminal.api.nexo.originals import part_of
from terminal.api.nexo.transactions import KEPT, outlived
from terminal.pos import TransactionRequest

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SALE = Entry(
    id="00000000-0001-7000-8000-000000000000",
    key="nexo-l-2026-11-22-0",
    kind=Kind.EARN,
    terminal="S001-T01",
    business_day="2026-11-22",
    occurred_at=NOW.isoformat(),
    clock=Clock("boot", 0, NOW.isoformat()),
    points=24,
    card=Card("2990000000017"),
    amount=Amount(2490, "EUR"),
)
REVERSAL = TransactionRequest("reverse", reverses=SALE.id)


def made(till_h: int, pos_h: int | None) -> Entry:
    """A sale of so many hours ago, by the till's clock and by the POS's."""
    at, told = ((NOW - timedelta(hours=hours)).isoformat() for hours in (till_h, pos_h or 0))
    receipt = None if pos_h is None else Receipt("1", issued_at=told)
    return msgspec.structs.replace(SALE, occurred_at=at, receipt=receipt)


@settings(max_examples=50)
@given(st.integers(-100, 100), st.none() | st.integers(-100, 100))
def test_what_is_older_than_numbers_are_kept_is_another_message(till_h: int, pos_h: int | None) -> None:
    """Else a sale that never came here is said to be recorded, since one of two days ago had its ServiceID.

    One of the two clocks may be wrong: what either calls young is told.
    """
    youngest = till_h if pos_h is None else min(till_h, pos_h)
    assert outlived(made(till_h, pos_h), NOW) == (timedelta(hours=youngest) > KEPT)


@pytest.mark.parametrize(
    ("kind", "total", "expected"),
    [
        ("AwardRefund", None, None),
        ("AwardRefund", "24.90", None),
        ("AwardRefund", "5", 500),
    ],
)
def test_a_refund_is_of_the_money_that_it_names(kind: str, total: str | None, expected: int | None) -> None:
    """A customer who brings back one of three things keeps the points of the others."""
    transaction = Transaction(kind, total_amount=None if total is None else Decimal(total))  # type: ignore[arg-type]
    amount = refund_of(REVERSAL, transaction, SALE).amount
    assert (amount and amount.value) == expected


def test_what_loyalty_amount_says_of_a_refund_comes_before_its_money() -> None:
    """Points or a sum that the POS names; and of a redemption TotalAmount says nothing."""
    paid = Transaction("AwardRefund", "EUR", Decimal(5))
    for told in ({"points": 3}, {"amount": Amount(200, "EUR")}):
        named = msgspec.structs.replace(REVERSAL, **told)
        assert refund_of(named, paid, SALE) == named
    spent = msgspec.structs.replace(SALE, kind=Kind.REDEEM)
    for kind in ("RedemptionRefund", "RebateRefund"):
        assert refund_of(REVERSAL, Transaction(kind, "EUR", Decimal(5)), spent) == REVERSAL  # type: ignore[arg-type]


def test_money_says_nothing_of_points_that_the_pos_gave() -> None:
    """Whether it is all of them or a few is for the POS to say; without any amount it is all."""
    given = msgspec.structs.replace(SALE, amount=None)
    with pytest.raises(Unfit, match="LoyaltyAmount"):
        refund_of(REVERSAL, Transaction("AwardRefund", "EUR", Decimal(5)), given)
    with pytest.raises(Unfit, match="LoyaltyAmount"):
        part_of(REVERSAL, Amount(2490, "EUR"), given)
    assert refund_of(REVERSAL, Transaction("AwardRefund"), given) == REVERSAL


def test_money_of_a_redemption_is_what_its_points_are_worth() -> None:
    """All of it where it is the redemption's own, else by the programme's rule, as when it was made."""
    spent = msgspec.structs.replace(SALE, kind=Kind.REDEEM, amount=None)
    assert part_of(REVERSAL, Amount(10, "EUR"), spent).amount == Amount(10, "EUR")
    with pytest.raises(Unfit, match="kind redeem"):
        refund_of(REVERSAL, Transaction("AwardRefund"), spent)
