"""The programme's own rules, without I/O: what an amount is worth in points, and between which days points may be used.

A day is a calendar day in the programme's time zone, from the first moment at which its clocks show that date until
the first moment of the next. All dates follow from the day of the sale, never from the day on which it is heard of.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Final

import msgspec

from ledger.points.lots import ALWAYS, Dates
from offline_queue.entry import Amount, Entry, Kind

MAX_DAYS: Final = 36_500
CALENDAR: Final = range(2000, 2400)
"""The calendar repeats itself after so many years."""
Days = Annotated[int, msgspec.Meta(ge=0, le=MAX_DAYS)]
Factor = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class Lifetime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long points live; exactly one of these, or neither for ever.

    `days`: through the whole of the day so many days after the sale. `end_of_year_after`: through 31 December of the
    year so many years after that of the sale.
    """

    days: Annotated[int, msgspec.Meta(ge=1, le=MAX_DAYS)] | None = None
    end_of_year_after: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None


FOR_EVER: Final = Lifetime()


class PointsRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version of a rule by which tills compute points; `id` is `name@version`, as entries name it.

    A sale earns `points` for each full `per` minor units of `currency`, and a redeemed point pays `worth` of them;
    0 leaves that to the till. Points may be used from the beginning of the day `activation_days` after the sale (0: at
    once) and as long as `expires` says.
    """

    id: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9._-]{1,48}@[0-9]{1,9}$")]
    points: Factor = 0
    per: Factor = 0
    worth: Factor = 0
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "EUR"
    activation_days: Days = 0
    expires: Lifetime = FOR_EVER


class Programme(msgspec.Struct, frozen=True):
    """The rules by id, the time zone whose days count, and after how many days expired points leave the books."""

    rules: dict[str, PointsRule] = {}
    zone: tzinfo = UTC
    write_off_after_days: int = 60

    def dates(self, rule: str | None, sold_at: int) -> Dates:
        """For points of a sale at that moment (ms since 1970); under a rule that is not known they live for ever."""
        known = self.rules.get(rule or "")
        return ALWAYS if known is None else dates(known, sold_at, self.zone)

    def knows(self, entry: Entry) -> bool:
        """Whether the rule that an entry names is one of these; without any rules nothing is held against it."""
        return not self.rules or entry.rule is None or entry.rule in self.rules

    def expected(self, entry: Entry) -> int | None:
        """Points that the entry's own rule gives for its amount; None where that says nothing."""
        rule = self.rules.get(entry.rule or "")
        if rule is None or entry.amount is None:
            return None
        return earned(rule, entry.amount) if entry.kind is Kind.EARN else needed(rule, entry.amount, entry.kind)


def earned(rule: PointsRule, amount: Amount) -> int | None:
    """Rounded down, as tills do: a started unit earns nothing. Money of another currency earns nothing."""
    if not rule.per:
        return None
    return amount.value * rule.points // rule.per if amount.currency == rule.currency else 0


def needed(rule: PointsRule, amount: Amount, kind: Kind) -> int | None:
    """Rounded up, as tills do: the points of a redemption must cover the amount."""
    if kind is not Kind.REDEEM or not rule.worth or amount.currency != rule.currency:
        return None
    return -(-amount.value // rule.worth)


def dates(rule: PointsRule, sold_at: int, zone: tzinfo) -> Dates:
    """The dates of points sold at that moment (ms since 1970)."""
    day = datetime.fromtimestamp(sold_at / 1000, zone).date()
    active = beginning(day + timedelta(days=rule.activation_days), zone) if rule.activation_days else None
    last = last_day(rule.expires, day)
    return Dates(active, None if last is None else beginning(last + timedelta(days=1), zone))


def last_day(lifetime: Lifetime, sold: date) -> date | None:
    """The last day on which points sold on that day may be used; None: there is none."""
    if lifetime.days is not None:
        return sold + timedelta(days=lifetime.days)
    if lifetime.end_of_year_after is not None:
        return date(sold.year + lifetime.end_of_year_after, 12, 31)
    return None


def beginning(day: date, zone: tzinfo) -> int:
    """The first moment of a day, in ms since 1970; where clocks go forward over midnight, that of the change."""
    return round(datetime.combine(day, time.min, zone).timestamp() * 1000)


def disagreements(rule: PointsRule) -> list[str]:
    """What is wrong with a rule although each of its keys alone is right."""
    found = []
    if rule.expires.days is not None and rule.expires.end_of_year_after is not None:
        found.append("`expires` takes either `days` or `end_of_year_after`.")
    if bool(rule.points) != bool(rule.per):
        found.append("`points` and `per` go together.")
    least = least_days(rule.expires)
    if least is not None and least < rule.activation_days:
        sold = "points of 31 December" if rule.expires.days is None else "its points"
        found.append(f"{sold} would expire before they are active: `activation_days` must be {least} or less.")
    return found


def least_days(lifetime: Lifetime) -> int | None:
    """On how many days after that of the sale points may be used at least; None: for ever."""
    if lifetime.end_of_year_after is None or lifetime.days is not None:
        return lifetime.days
    return min((date(year + lifetime.end_of_year_after, 12, 31) - date(year, 12, 31)).days for year in CALENDAR)
