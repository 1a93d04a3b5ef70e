"""When a sale was: by the clock that counts from the start of a machine, and never against the customer."""

import time
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.rules.instants import Anchor, Instant, effective, instant, moment
from offline_queue.entry import Clock, Entry, Kind
from offline_queue.timepiece import rfc3339

MINUTE, DAY = 60_000, 86_400_000
NOW = 1_750_000_000_000
TOLERANCE = 10 * MINUTE
ANCHOR = Anchor(5_000_000, NOW - DAY)
"""A hello, a day ago."""


def sale(
    wall: str | int, *, kind: Kind = Kind.EARN, monotonic: int = 5_000_000, heard: str | int | None = None
) -> Entry:
    told = wall if isinstance(wall, str) else rfc3339(wall)
    last = heard if isinstance(heard, str) or heard is None else rfc3339(heard)
    return Entry(
        id="e1",
        key="k1",
        kind=kind,
        terminal="S001-T01",
        business_day="2025-06-15",
        occurred_at=told,
        clock=Clock("boot", monotonic, told, last),
        points=10,
    )


@given(st.integers(0, 2 * NOW), st.integers(-23 * 60, 23 * 60))
def test_a_time_is_the_same_moment_in_every_zone(at: int, offset: int) -> None:
    """Tills may tell theirs with the shop's offset: a sale at noon in Paris was at ten in UTC."""
    told = datetime.fromtimestamp(0, timezone(timedelta(minutes=offset))) + timedelta(milliseconds=at)
    assert moment(told.isoformat()) == at


def test_a_time_without_a_zone_is_utc_wherever_the_ledger_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Books that move to another machine date the same sale alike; what was before 1970 was then."""
    for zone in ("Pacific/Kiritimati", "America/Los_Angeles"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        moment.cache_clear()
        try:
            assert moment("2025-06-15T15:06:40") == NOW
            assert moment("1960-01-01T00:00:00Z") == 0
            assert moment(None) is moment("noon") is None
        finally:
            monkeypatch.undo()
            time.tzset()


def placed(entry: Entry, anchor: Anchor | None = None) -> Instant:
    return instant(entry, anchor, NOW, TOLERANCE)


def test_a_right_clock_is_believed() -> None:
    """Heard of two days later, the sale is two days old."""
    assert placed(sale(NOW - 2 * DAY)) == Instant(NOW - 2 * DAY)
    assert placed(sale(NOW - 2 * DAY, heard=NOW - 3 * DAY)) == Instant(NOW - 2 * DAY)


@pytest.mark.parametrize("off", [-10 * DAY, 10 * DAY])
def test_a_clock_wrong_by_ten_days_moves_nothing_in_an_anchored_boot(off: int) -> None:
    """An hour of the machine's own counting after the hello is an hour, whatever its clock shows."""
    real = NOW - DAY + 60 * MINUTE
    assert placed(sale(real + off, monotonic=5_000_000 + 60 * MINUTE), ANCHOR) == Instant(real, off)


def test_a_sale_before_the_hello_is_placed_before_it() -> None:
    """A till that was offline since it started is heard of afterwards."""
    assert placed(sale(NOW, monotonic=0), ANCHOR).at == ANCHOR.ledger_ms - 5_000_000


def test_a_machine_that_slept_is_placed_by_its_last_word_with_the_ledger() -> None:
    """A paused virtual machine does not count; that it spoke with the ledger since says when it was at the earliest."""
    assert placed(sale(NOW - MINUTE, heard=NOW - 2 * MINUTE), ANCHOR).at == NOW - 2 * MINUTE


def test_a_clock_that_cannot_be_right_favours_the_customer() -> None:
    """Points are earned as late and used as early as they may have been."""
    for wall in (NOW + 10 * DAY, NOW - 10 * DAY):
        assert placed(sale(wall, heard=NOW - DAY)) == Instant(NOW, wall - NOW)
        assert placed(sale(wall, kind=Kind.REDEEM, heard=NOW - DAY)) == Instant(NOW - DAY, wall - NOW + DAY)


def test_without_any_bound_the_future_becomes_now() -> None:
    """A till that never heard of the ledger and runs ahead."""
    assert placed(sale(NOW + 10 * DAY, kind=Kind.REDEEM)) == Instant(NOW, 10 * DAY)
    assert placed(sale(NOW + MINUTE)) == Instant(NOW, MINUTE)


@pytest.mark.parametrize("told", ["", "yesterday", "9999-99-99", "2025-06-15T12:00:00+99:99"])
def test_what_is_no_time_is_now(told: str) -> None:
    """And nothing is held against the till's clock."""
    assert placed(sale(told)) == Instant(NOW)
    assert moment(told) is None
    assert effective(told, NOW) == NOW


def test_a_time_that_is_told_is_believed_up_to_now() -> None:
    """Of the opening of a stream, which nothing else dates."""
    assert [effective(rfc3339(told), NOW) for told in (NOW - DAY, NOW, NOW + DAY)] == [NOW - DAY, NOW, NOW]


@pytest.mark.parametrize(
    "told",
    [
        "1970-01-01T00:00:07Z",
        "2000-01-01T00:00:00Z",
        "2024-12-31T12:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "0001-01-01T00:00:00",
        "9999-12-31T23:59:59.999-23:59",
    ],
)
def test_a_clock_of_another_age_ages_no_points(told: str) -> None:
    """A machine with an empty battery that never heard of the ledger, and dates beyond the calendar's ends: the sale
    is as new as it may be, for points of 1970 would have expired; the clock is noted, but a claim's is not its own."""
    assert placed(sale(told)).at == placed(sale(told, kind=Kind.REDEEM)).at == NOW
    assert abs(placed(sale(told)).off_ms) > TOLERANCE
    assert placed(sale(told, kind=Kind.CLAIM)) == Instant(NOW)
    assert 0 <= effective(told, NOW) <= NOW


def test_a_clock_is_believed_up_to_what_is_tolerated() -> None:
    """A millisecond more, and a redemption is dated as early as it may have been."""
    for ahead, at in ((TOLERANCE, NOW), (TOLERANCE + 1, NOW - DAY)):
        assert placed(sale(NOW + ahead, kind=Kind.REDEEM, heard=NOW - DAY)).at == at


def test_a_claim_is_as_old_as_its_sale() -> None:
    """The clocks beside it are those of the till that read the code."""
    assert placed(sale(NOW - 9 * DAY, kind=Kind.CLAIM, heard=NOW - DAY), ANCHOR) == Instant(NOW - 9 * DAY)


times = st.integers(NOW - 400 * DAY, NOW + 400 * DAY)
kinds = st.sampled_from([Kind.EARN, Kind.REDEEM, Kind.REVERSE])


@settings(max_examples=300)
@given(times | st.text(max_size=12), kinds, st.integers(-(2**70), 2**70), st.none() | times | st.text(max_size=12))
@pytest.mark.parametrize("anchor", [None, ANCHOR])
def test_no_sale_is_in_the_future_or_before_the_last_word(
    anchor: Anchor | None, wall: str | int, kind: Kind, monotonic: int, heard: str | int | None
) -> None:
    """Whatever a till tells, also by clocks that are no clocks."""
    found = placed(sale(wall, kind=kind, monotonic=monotonic, heard=heard), anchor)
    known = moment(heard if isinstance(heard, str) else rfc3339(heard)) if heard is not None else None
    assert 0 <= found.at <= NOW
    assert isinstance(wall, str) or found.at >= min(known or 0, NOW)


@settings(max_examples=200)
@given(times, times, kinds, st.integers(0, DAY))
def test_in_an_anchored_boot_the_wall_clock_decides_nothing(one: int, other: int, kind: Kind, since: int) -> None:
    """Only what is noted of it differs."""
    first, second = (placed(sale(wall, kind=kind, monotonic=5_000_000 + since), ANCHOR) for wall in (one, other))
    assert first.at == second.at == NOW - DAY + since
    assert first.off_ms - second.off_ms == one - other
