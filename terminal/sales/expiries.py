"""What becomes of points at their end, as a till may say it. Pure.

The ledger tells the next ends with a balance, in the programme's own offset. A till that is cut off counts on alone.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from offline_queue.counted import Counted
from offline_queue.wire_accounts import Expiry
from offline_queue.words import Language, Words
from terminal.pos import ExpiringView
from terminal.sales.pending import Spending

INSTANT: Final = timedelta(milliseconds=1)
"""Before its end a day is still the one that ends."""
FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""No points end before it."""
LAST_MS: Final = 253_370_764_800_000
"""The first day of the year 9999, in ms since 1970: where one more day is no date any more."""

_EXPIRING: Final = Counted(
    one=Words("{count} point expires {when}", "{count} point expire {when}"),
    many=Words("{count} points expire {when}", "{count} points expirent {when}"),
)
_TODAY: Final = Words("today", "aujourd'hui")
_ON: Final = Words("on", "le")
MONTHS: Final[dict[Language, tuple[str, ...]]] = {
    "en": (
        *("January", "February", "March", "April", "May", "June", "July"),
        *("August", "September", "October", "November", "December"),
    ),
    "fr": (
        *("janvier", "février", "mars", "avril", "mai", "juin", "juillet"),
        *("août", "septembre", "octobre", "novembre", "décembre"),
    ),
}


def left(expiring: Sequence[Expiry], spendings: Sequence[Spending]) -> list[Expiry]:
    """What the spendings leave of each: the soonest to end are used first, and none that had ended by then."""
    rest, used = list[Expiry](), 0
    ends = [(at, expiry) for expiry in expiring if (at := _end(expiry)) is not None]
    for at, expiry in sorted(ends, key=lambda end: end[0]):
        spent = sum(spending.points for spending in spendings if _moment(spending.at_ms) < at)
        covered = min(max(0, spent - used), expiry.points)
        used += covered
        if covered < expiry.points:
            rest.append(Expiry(expiry.at, expiry.points - covered))
    return rest


def gone(expiring: Sequence[Expiry], now_ms: int) -> int:
    """Points that the ledger knew to end by now (ms since 1970)."""
    return sum(expiry.points for expiry in expiring if (at := _end(expiry)) is not None and at <= _moment(now_ms))


def coming(expiring: Sequence[Expiry], now_ms: int) -> list[ExpiringView]:
    """The ends that are still ahead, with a sentence for the cashier and the customer."""
    now, told = _moment(now_ms), list[ExpiringView]()
    for expiry in expiring:
        at = _end(expiry)
        if at is not None and at > now:
            last, today = (at - INSTANT).date(), now.astimezone(at.tzinfo).date()
            told.append(ExpiringView(expiry.points, last.isoformat(), sentence(expiry.points, last, today)))
    return told


def sentence(points: int, last: date, today: date) -> Words:
    """`60 points expire on 31 December`, where that is the last day on which they can be used."""
    when = _TODAY if last == today else Words.by(lambda language: _spoken(last, today, language))
    return _EXPIRING.of(points, when=when)


def _spoken(day: date, today: date, language: Language) -> str:
    """With its preposition, and without its year where that is this one."""
    number = "1er" if language == "fr" and day.day == 1 else str(day.day)
    year = "" if day.year == today.year else f" {day.year}"
    return f"{_ON.said(language)} {number} {MONTHS[language][day.month - 1]}{year}"


def _end(expiry: Expiry) -> datetime | None:
    """None where the ledger's text is no time of day anywhere."""
    try:
        at = datetime.fromisoformat(expiry.at)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return at if at.astimezone(UTC) > FIRST else None
    except (ValueError, OverflowError):
        return None


def _moment(now_ms: int) -> datetime:
    """Whatever a clock says, the nearest time that has a date everywhere."""
    return datetime.fromtimestamp(min(max(now_ms, 0), LAST_MS) / 1000, UTC)
