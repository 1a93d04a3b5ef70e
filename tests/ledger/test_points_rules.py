"""The programme's rules: days in its own time zone, whatever clocks do, and points as tills count them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.points.lots import ALWAYS, Dates
from ledger.points.programme import Lifetime, PointsRule, Programme, beginning, dates, disagreements, last_day
from offline_queue.entry import Amount, Clock, Entry, Kind
from terminal.sales.transaction import PointsRule as RuleOfTill

ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC",
        "Europe/Paris",
        "Indian/Reunion",
        "America/St_Johns",
        "America/Sao_Paulo",  # changed its clocks at midnight until 2019
        "America/Havana",  # puts them back over midnight
        "Asia/Beirut",  # puts them forward over midnight
        "Australia/Lord_Howe",  # by half an hour
        "Pacific/Apia",  # left a day out in 2011
    )
]
zones = st.sampled_from(ZONES)
days = st.dates(date(2012, 1, 1), date(2060, 12, 31))
moments = st.integers(ms_since_1970 := 1_325_376_000_000, ms_since_1970 + 40 * 365 * 86_400_000)


def moment(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def shown(at: int, zone: ZoneInfo) -> date:
    """The date that the zone's calendars show at that moment."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)).astimezone(zone).date()


@given(days, zones)
def test_a_day_begins_at_the_first_moment_that_shows_it(day: date, zone: ZoneInfo) -> None:
    """A millisecond earlier it is still the day before, on days of 23, 24 and 25 hours."""
    start = beginning(day, zone)
    assert shown(start, zone) == day
    assert shown(start - 1, zone) < day


@given(moments, zones, st.integers(1, 2000))
def test_points_live_through_the_whole_of_their_last_day(sold_at: int, zone: ZoneInfo, count: int) -> None:
    """So many calendar days after the sale's day, never so many times 24 hours."""
    found = dates(PointsRule("r@1", expires=Lifetime(days=count)), sold_at, zone)
    assert found.expires_at is not None
    last = shown(sold_at, zone) + timedelta(days=count)
    assert shown(found.expires_at - 1, zone) == last
    assert shown(found.expires_at, zone) == last + timedelta(days=1)


@given(moments, zones, st.integers(0, 5))
def test_an_end_of_year_is_31_december_there(sold_at: int, zone: ZoneInfo, years: int) -> None:
    """The year is that of the sale in the programme's zone: on New Year's Eve the zones differ."""
    found = dates(PointsRule("r@1", expires=Lifetime(end_of_year_after=years)), sold_at, zone)
    assert found.expires_at is not None
    year = shown(sold_at, zone).year + years
    assert shown(found.expires_at - 1, zone) == date(year, 12, 31)
    assert shown(found.expires_at, zone) == date(year + 1, 1, 1)


@given(moments, zones, st.integers(1, 400))
def test_activation_begins_with_its_day(sold_at: int, zone: ZoneInfo, count: int) -> None:
    """Waiting points become usable when the shop opens, not at the hour of the sale; never before the sale."""
    found = dates(PointsRule("r@1", activation_days=count), sold_at, zone)
    assert found.active_at is not None
    assert found.active_at > sold_at
    assert shown(found.active_at, zone) == shown(sold_at, zone) + timedelta(days=count)
    assert found.expires_at is None


@given(moments, moments, zones, st.integers(1, 400), st.booleans())
def test_a_later_sale_never_expires_earlier(one: int, two: int, zone: ZoneInfo, count: int, yearly: bool) -> None:
    """Dates keep the order of the sales."""
    lifetime = Lifetime(end_of_year_after=count % 5) if yearly else Lifetime(days=count)
    ends = [dates(PointsRule("r@1", expires=lifetime), at, zone).expires_at or 0 for at in sorted((one, two))]
    assert ends == sorted(ends)


@pytest.mark.parametrize(
    ("zone", "sold", "lifetime", "until"),
    [
        ("UTC", "2025-06-15T15:06:40Z", Lifetime(days=365), "2026-06-16T00:00:00Z"),
        ("Europe/Paris", "2025-06-15T22:30:00Z", Lifetime(days=1), "2025-06-18T00:00:00+02:00"),
        ("Europe/Paris", "2025-03-29T12:00:00+01:00", Lifetime(days=1), "2025-03-31T00:00:00+02:00"),
        ("Europe/Paris", "2025-10-25T12:00:00+02:00", Lifetime(days=1), "2025-10-27T00:00:00+01:00"),
        ("Europe/Paris", "2024-02-29T12:00:00+01:00", Lifetime(days=365), "2025-03-01T00:00:00+01:00"),
        ("Europe/Paris", "2025-12-31T23:59:59.999+01:00", Lifetime(end_of_year_after=0), "2026-01-01T00:00:00+01:00"),
        ("Europe/Paris", "2026-01-01T00:00:00+01:00", Lifetime(end_of_year_after=1), "2028-01-01T00:00:00+01:00"),
        ("America/Martinique", "2026-01-01T03:30:00Z", Lifetime(end_of_year_after=0), "2026-01-01T00:00:00-04:00"),
    ],
)
def test_worked_examples(zone: str, sold: str, lifetime: Lifetime, until: str) -> None:
    """As a retailer would count on a wall calendar."""
    found = dates(PointsRule("r@1", expires=lifetime), moment(sold), ZoneInfo(zone))
    assert found == Dates(None, moment(until))


def test_points_without_an_end_have_none() -> None:
    """And a rule that the programme does not know takes nothing away."""
    assert last_day(Lifetime(), date(2025, 6, 15)) is None
    assert dates(PointsRule("r@1"), 0, UTC) == ALWAYS
    programme = Programme({"base@1": PointsRule("base@1", expires=Lifetime(days=1))})
    assert programme.dates("base@2", 0) == programme.dates(None, 0) == ALWAYS
    assert programme.dates("base@1", 0) == Dates(None, 2 * 86_400_000)


def entry(kind: Kind, value: int, rule: str | None = "base@1", currency: str = "EUR") -> Entry:
    clock = Clock("boot", 1, "2025-06-15T12:00:00Z")
    amount = Amount(value, currency)
    return Entry("e1", "k1", kind, "S001-T01", "2025-06-15", "2025-06-15T12:00:00Z", clock, amount=amount, rule=rule)


@given(st.integers(0, 10**12), st.integers(1, 1000), st.integers(1, 1000), st.integers(1, 1000))
def test_ledger_and_till_count_alike(value: int, points: int, per: int, worth: int) -> None:
    """The same rule gives the same points on both sides, or every entry would be called wrong."""
    there = RuleOfTill("base@1", "EUR", points, per, worth)
    here = Programme({"base@1": PointsRule("base@1", points, per, worth)})
    assert here.expected(entry(Kind.EARN, value)) == there.earned(Amount(value, "EUR"))
    assert here.expected(entry(Kind.REDEEM, value)) == there.needed(Amount(value, "EUR"))


def test_what_a_rule_does_not_say_is_not_checked() -> None:
    """No rules at all, no amount, no rate: the till's word stands without a remark."""
    rules = {"base@1": PointsRule("base@1", 1, 100), "opening@1": PointsRule("opening@1", expires=Lifetime(days=30))}
    programme = Programme(rules)
    assert Programme().knows(entry(Kind.EARN, 100))
    assert Programme().expected(entry(Kind.EARN, 100)) is None
    assert programme.knows(entry(Kind.EARN, 100))
    assert programme.knows(entry(Kind.EARN, 100, rule=None))
    assert not programme.knows(entry(Kind.EARN, 100, rule="base@2"))
    assert programme.expected(entry(Kind.EARN, 100, rule="base@2")) is None
    assert programme.expected(entry(Kind.EARN, 100, rule="opening@1")) is None
    assert programme.expected(entry(Kind.REDEEM, 100)) is None
    assert programme.expected(entry(Kind.EARN, 100, currency="USD")) == 0
    assert programme.expected(entry(Kind.REVERSE, 100)) is None


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in (Kind.EARN, Kind.REDEEM)])
def test_a_rule_speaks_of_sales_and_payments_alone(kind: Kind) -> None:
    """A claim is held to its code, and a reversal to its original: neither is flagged because of an amount."""
    programme = Programme({"base@1": PointsRule("base@1", points=1, per=100, worth=5)})
    assert programme.expected(entry(kind, 1000)) is None


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        (PointsRule("r@1", 1, 100, activation_days=14, expires=Lifetime(days=365)), ""),
        (PointsRule("r@1", expires=Lifetime(1, 1)), "either"),
        (PointsRule("r@1", points=1), "go together"),
        (PointsRule("r@1", activation_days=30, expires=Lifetime(days=29)), "before they are active"),
        (PointsRule("r@1", activation_days=1, expires=Lifetime(end_of_year_after=0)), "31 December"),
        (PointsRule("r@1", activation_days=366, expires=Lifetime(end_of_year_after=1)), "must be 365 or less"),
    ],
)
def test_a_rule_that_contradicts_itself_is_named(rule: PointsRule, wrong: str) -> None:
    """The config says so at once, not a customer next year."""
    assert bool(disagreements(rule)) == bool(wrong)
    assert wrong in " ".join(disagreements(rule))


def test_all_that_is_wrong_with_a_rule_is_told_at_once() -> None:
    """Nobody mends a file three times."""
    wrong = PointsRule("r@1", points=1, activation_days=9, expires=Lifetime(days=3, end_of_year_after=1))
    assert len(disagreements(wrong)) == 3


lifetimes = st.builds(Lifetime, st.integers(1, 800)) | st.builds(Lifetime, st.none(), st.integers(0, 3))


@given(lifetimes, st.integers(0, 1200), st.sampled_from([-1, 0, 1]) | st.none(), zones)
def test_points_that_could_never_be_used_are_exactly_what_is_refused(
    lifetime: Lifetime, waits: int, beside: int | None, zone: ZoneInfo
) -> None:
    """A rule without a fault gives the points of every day of sale at least one day; another does not for one of them.

    The ends of the years around a leap day are looked at, for no points of those years live shorter.
    """
    if beside is not None:  # near the border, where mistakes are
        waits = max(0, (lifetime.days or 365 * (lifetime.end_of_year_after or 0)) + beside)
    rule = PointsRule("r@1", activation_days=waits, expires=lifetime)
    sales = [beginning(date(year, 12, 31), zone) for year in range(2027, 2033)]
    found = [dates(rule, sold_at, zone) for sold_at in sales]
    unusable = any(told.active_at is not None and told.active_at >= (told.expires_at or 0) for told in found)
    assert unusable == bool(disagreements(rule))
