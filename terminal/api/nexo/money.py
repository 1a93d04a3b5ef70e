"""Between the protocol's decimal amounts and the till's whole numbers. Pure."""

from decimal import Decimal
from typing import Final

from offline_queue.entry import MAX_POINTS
from terminal.api.nexo.answers import Unfit
from terminal.pos import Amount

_DIGITS: Final = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Digits after the point (ISO 4217); all other currencies have two."""
_MOST: Final = Decimal(10) ** 10


def points(value: Decimal) -> int:
    """Raises Unfit for what is no number of points."""
    if not (value.is_finite() and 1 <= value <= MAX_POINTS and value == value.to_integral_value()):
        raise Unfit("MessageFormat", f"Points are a whole number from 1 to {MAX_POINTS}. No points moved.")
    return int(value)


def amount(value: Decimal, currency: str | None) -> Amount:
    """Raises Unfit where no currency is named, or the value is no sum of it."""
    if currency is None or len(currency) != 3 or not (currency.isascii() and currency.isupper()):
        raise Unfit("MessageFormat", "An amount needs its Currency (ISO 4217). No points moved.")
    if not (value.is_finite() and 0 <= value < _MOST):
        raise Unfit("MessageFormat", "The amount is out of range. No points moved.")
    minor = value.scaleb(_DIGITS.get(currency, 2))
    if minor != minor.to_integral_value():
        raise Unfit("MessageFormat", f"The amount has more digits than {currency} has. No points moved.")
    return Amount(int(minor), currency)


def shown(minor: int, currency: str) -> float:
    """Minor units as the protocol writes money."""
    return float(Decimal(minor).scaleb(-_DIGITS.get(currency, 2)))
