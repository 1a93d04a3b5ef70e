"""Decimal amounts of a POS: exact in whole points and minor units, or refused; nothing in between."""

from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from offline_queue.entry import MAX_POINTS
from terminal.api.nexo import money
from terminal.api.nexo.answers import Unfit
from terminal.pos import Amount

ODD = [Decimal(text) for text in ("NaN", "sNaN", "Infinity", "-Infinity", "-1", "0", "-0.5", "1.5", "1e400000")]
VALUES = st.decimals(allow_nan=True, allow_infinity=True) | st.integers(-2, 10**11).map(Decimal)
DIGITS = {"EUR": 2, "JPY": 0, "XAF": 0, "TND": 3, "KWD": 3}


def points_or_none(value: Decimal) -> int | None:
    try:
        return money.points(value)
    except Unfit:
        return None


def amount_or_none(value: Decimal, currency: str | None) -> Amount | None:
    try:
        return money.amount(value, currency)
    except Unfit:
        return None


@settings(max_examples=60)
@given(VALUES)
def test_points_are_the_number_that_was_sent(value: Decimal) -> None:
    """Half a point is neither none nor one, and a negative one would move them the wrong way."""
    found = points_or_none(value)
    assert found is None or (found == value and 1 <= found <= MAX_POINTS)


def test_points_from_one_to_the_most_that_an_entry_moves() -> None:
    """Written as the POS likes; everything else is refused."""
    taken = ["1", "1.0", "1e2", "24.000", str(MAX_POINTS)]
    assert [points_or_none(Decimal(text)) for text in taken] == [1, 1, 100, 24, MAX_POINTS]
    assert [points_or_none(value) for value in (*ODD, Decimal(MAX_POINTS + 1))] == [None] * (len(ODD) + 1)


@settings(max_examples=60)
@example(Decimal(10**10), "JPY")
@example(Decimal("0.0001"), "TND")
@given(VALUES, st.sampled_from(sorted(DIGITS)))
def test_money_is_taken_where_its_currency_can_pay_it(value: Decimal, currency: str) -> None:
    """From nothing to ten thousand millions, to the last digit that the currency has."""
    payable = value.is_finite() and 0 <= value < 10**10 and value == round(value, DIGITS[currency])
    found = amount_or_none(value, currency)
    assert (found is not None) == payable
    if found is not None:
        assert Decimal(found.value).scaleb(-DIGITS[currency]) == value
        assert (money.shown(found.value, currency), found.currency) == (float(value), currency)


def test_the_least_and_the_most() -> None:
    """Nothing is a sum, too: a gift that is rung up."""
    assert amount_or_none(Decimal(0), "EUR") == Amount(0, "EUR")
    assert amount_or_none(Decimal("9999999999.99"), "EUR") == Amount(999_999_999_999, "EUR")
    assert amount_or_none(Decimal("-0.01"), "EUR") is None


def test_currencies_have_the_digits_of_iso_4217() -> None:
    """Table A.1; a sum of a currency without cents would else earn a hundred times its points."""
    none = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
    three = "BHD IQD JOD KWD LYD OMR TND"
    for currencies, minor in ((none, 12), (three, 12_000), ("CHF EUR GBP MAD PLN SEK USD", 1200)):
        for currency in currencies.split():
            assert amount_or_none(Decimal(12), currency) == Amount(minor, currency)
            assert money.shown(minor, currency) == 12.0


@pytest.mark.parametrize("currency", [None, "", "EU", "EURO", "eur", "Eur", "ÉUR", "   "])
def test_a_currency_has_three_capital_letters(currency: str | None) -> None:
    """ISO 4217; the till does not guess."""
    with pytest.raises(Unfit, match="Currency"):
        money.amount(Decimal(1), currency)
