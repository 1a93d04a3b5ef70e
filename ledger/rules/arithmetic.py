"""How an entry's points were computed, in words that can be read to a customer; without I/O."""

from typing import Final

from ledger.points.programme import PointsRule, Programme, earned, needed
from ledger.rules.claims import AWARDS
from ledger.rules.own_entries import OFFICE
from offline_queue.entry import Amount, Entry, Kind

WHOLE: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
THOUSANDTHS: Final = "BHD IQD JOD KWD LYD OMR TND"
DIGITS: Final = {**dict.fromkeys(WHOLE.split(), 0), **dict.fromkeys(THOUSANDTHS.split(), 3)}
"""Minor digits of currencies that have not two (ISO 4217, list one)."""


def money(value: int, currency: str) -> str:
    """`24.90 EUR` from minor units."""
    digits = DIGITS.get(currency, 2)
    whole, rest = divmod(abs(value), 10**digits)
    told = f"{whole}.{rest:0{digits}d}" if digits else str(whole)
    return f"{'-' if value < 0 else ''}{told} {currency}"


def points(count: int) -> str:
    return counted(count, "point")


def counted(count: int, one: str, more: str = "") -> str:
    """`1 entry`, `2 entries`; `more` is the plural where it takes no mere s."""
    return f"{count} {one if abs(count) == 1 else more or one + 's'}"


def worked_out(entry: Entry, programme: Programme) -> str:
    """The sum behind what the entry asks for."""
    if entry.terminal == OFFICE and entry.kind is Kind.EARN:
        return f"{points(entry.points)} given by the office"
    rule = programme.rules.get(entry.rule or "")
    if entry.kind in AWARDS:
        return _award(entry, rule)
    if entry.kind is Kind.REDEEM:
        return _payment(entry, rule)
    return ""


def _award(entry: Entry, rule: PointsRule | None) -> str:
    counted = f"{points(entry.points)} as the till counted"
    if entry.amount is None or rule is None or not rule.per:
        return f"{money(entry.amount.value, entry.amount.currency)}: {counted}" if entry.amount else counted
    if entry.amount.currency != rule.currency:
        sum_ = f"{_money(entry.amount)}: this rule counts {rule.currency} alone = 0"
    else:
        each = f"{points(rule.points)} per {money(rule.per, rule.currency)}"
        sum_ = f"{_money(entry.amount)} x {each} = {earned(rule, entry.amount)}"
    return _beside(sum_, earned(rule, entry.amount), entry)


def _payment(entry: Entry, rule: PointsRule | None) -> str:
    if entry.amount is None or rule is None:
        paid = f"{_money(entry.amount)} paid with " if entry.amount else ""
        return f"{paid}{points(entry.points)} as the till counted"
    ruled = needed(rule, entry.amount, entry.kind)
    if ruled is None:
        return f"{_money(entry.amount)} paid with {points(entry.points)} as the till counted"
    return _beside(f"{_money(entry.amount)} at {money(rule.worth, rule.currency)} a point = {ruled}", ruled, entry)


def _beside(sum_: str, ruled: int | None, entry: Entry) -> str:
    """The till's promise stands where it gave others."""
    return sum_ if ruled == entry.points else f"{sum_}; the till counted {entry.points}, and that stands"


def _money(amount: Amount) -> str:
    return money(amount.value, amount.currency)
