"""When points end, in words a cashier can read out; and what a till that is cut off makes of it."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from offline_queue.entry import State
from offline_queue.timepiece import rfc3339
from offline_queue.wire_accounts import Account, Balance, Expiry
from offline_queue.wire_feeds import Verdict
from offline_queue.words import Language, Words
from terminal.inbox import AccountHeard, Settled, Welcomed
from terminal.pos import ExpiringView
from terminal.sales.expiries import MONTHS, coming, gone, left, sentence
from terminal.sales.pending import Spending
from tests.terminal.rig import CARD, HandTimepiece, Shop, TillRig

TODAY = date(2025, 6, 15)
DAY_MS = 86_400_000
NEW_YEAR = Expiry("2026-01-01T00:00:00+01:00", 60)


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("points", "last", "language", "words"),
    [
        (60, date(2025, 12, 31), "en", "60 points expire on 31 December"),
        (60, date(2025, 12, 31), "fr", "60 points expirent le 31 décembre"),
        (1, date(2026, 2, 1), "en", "1 point expires on 1 February 2026"),
        (1, date(2026, 2, 1), "fr", "1 point expire le 1er février 2026"),
        (5, TODAY, "en", "5 points expire today"),
        (5, TODAY, "fr", "5 points expirent aujourd'hui"),
    ],
)
def test_a_date_is_written_in_words(points: int, last: date, language: Language, words: str) -> None:
    """Day, month, and the year only where it is another one."""
    assert sentence(points, last, TODAY).said(language) == words


@given(st.integers(1, 10**9), st.dates(), st.dates(), st.sampled_from(["fr", "en"]))
def test_every_day_has_a_sentence(points: int, last: date, today: date, language: Language) -> None:
    """It names the points; and the month, in the till's language."""
    words = sentence(points, last, today).said(language)
    assert words.startswith(f"{points} point")
    assert last == today or MONTHS[language][last.month - 1] in words


def test_the_last_day_is_the_programme_s() -> None:
    """The end is told in the programme's own offset: a till elsewhere names the same day."""
    (view,) = coming([NEW_YEAR], ms("2025-06-15T12:00:00Z"))
    assert view == ExpiringView(
        60, "2025-12-31", Words("60 points expire on 31 December", "60 points expirent le 31 décembre")
    )
    (view,) = coming([NEW_YEAR], ms("2025-12-31T22:59:59Z"))
    assert view.text.en == "60 points expire today"
    assert coming([NEW_YEAR], ms("2025-12-31T23:00:00Z")) == []
    assert gone([NEW_YEAR], ms("2025-12-31T22:59:59Z")) == 0
    assert gone([NEW_YEAR], ms("2025-12-31T23:00:00Z")) == 60


@example("0001-01-01T00:00:00+14:00", 0)
@example("0001-01-01T00:00:00+00:00", 0)
@example("9999-12-31T23:59:59-14:00", 0)
@given(
    st.text(max_size=30) | st.datetimes().map(datetime.isoformat) | st.datetimes(timezones=st.just(UTC)).map(str),
    st.integers(0, 4 * 10**12),
)
def test_whatever_the_ledger_says_is_gone_or_comes_or_is_no_time(at: str, now_ms: int) -> None:
    """Never both, and never an exception."""
    expiring = [Expiry(at, 7)]
    assert gone(expiring, now_ms) + sum(view.points for view in coming(expiring, now_ms)) in (0, 7)


LOTS = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 40)), max_size=4)
SPENT = st.lists(st.tuples(st.integers(0, 10), st.integers(1, 50)), max_size=6)


@given(LOTS, st.integers(0, 50), SPENT, st.integers(0, 10))
def test_what_is_left_is_what_an_account_of_lots_would_say(
    lots: list[tuple[int, int]], endless: int, spent: list[tuple[int, int]], now: int
) -> None:
    """Lot by lot, the soonest to end first, day by day: what ends, what comes and what may be used."""
    account = {(day, n): points for n, (day, points) in enumerate(lots)} | {(99, 0): endless}
    spendings, told = list[Spending](), sum(account.values())
    for day, wanted in sorted(spent):
        usable = sorted(lot for lot in account if day < lot[0])
        if day > now or sum(account[lot] for lot in usable) < wanted:
            continue  # nobody may redeem what is not there
        spendings.append(Spending(wanted, day * DAY_MS))
        for lot in usable:
            taken = min(wanted, account[lot])
            account[lot], wanted = account[lot] - taken, wanted - taken
    rest = left([Expiry(rfc3339(day * DAY_MS), points) for day, points in lots], spendings)
    may_use = told - sum(spending.points for spending in spendings) - gone(rest, now * DAY_MS)
    assert may_use == sum(points for lot, points in account.items() if now < lot[0])
    ahead = sum(points for lot, points in account.items() if now < lot[0] < 99)
    assert sum(view.points for view in coming(rest, now * DAY_MS)) == ahead


def balance(shop: TillRig, *expiring: Expiry, points: int = 100, inactive: int = 0) -> Balance:
    told = shop.balance(points)
    return Balance(told.number, points, 0, told.as_of, inactive=inactive, expiring=list(expiring))


def day_after(till: TillRig, days: int) -> Expiry:
    return Expiry(datetime.fromtimestamp(till.timepiece.now_ms / 1000 + days * 86_400, UTC).isoformat(), 60)


def test_a_read_tells_what_expires_next(till: TillRig) -> None:
    """With the balance, wherever that is shown; and the points that are not active yet."""
    end = day_after(till, 10)
    till.send(AccountHeard(CARD, Account("r", "g1", balance(till, end, inactive=5), [])))
    view = till.told("balance")[-1]["balance"]
    assert (view["points"], view["inactive"], view["expiring"][0]["points"]) == (100, 5, 60)
    assert "60 points" in view["expiring"][0]["text"]


def test_a_till_that_is_cut_off_counts_by_itself(till: TillRig) -> None:
    """What ended since the ledger was heard no longer counts, and the balance is an estimate from then on."""
    till.directory.hear([balance(till, day_after(till, 1), day_after(till, 30))])
    till.timepiece.now_ms += 2 * DAY_MS
    till.present(CARD)
    view = till.told("card_read")[-1]["balance"]
    assert (view["points"], view["estimate"], len(view["expiring"])) == (40, True, 1)


def test_points_redeemed_here_before_their_end_are_not_taken_off_twice(till: TillRig) -> None:
    """The oldest are used first: what a customer has used cannot expire any more."""
    till.directory.hear([balance(till, day_after(till, 1))])
    till.redeem("r1", points=50)
    till.timepiece.now_ms += 2 * DAY_MS
    till.present(CARD)
    assert till.told("card_read")[-1]["balance"]["points"] == 40


def test_points_redeemed_after_an_end_were_others(till: TillRig) -> None:
    """Of 100 points 60 have ended; the 40 that were redeemed then were the rest, and nothing is left."""
    till.directory.hear([balance(till, day_after(till, 1))])
    till.timepiece.now_ms += 2 * DAY_MS
    till.redeem("r1", points=40)
    till.timepiece.now_ms += DAY_MS
    till.present(CARD)
    assert till.told("card_read")[-1]["balance"]["points"] == 0


def test_a_sale_since_does_not_make_used_points_end(till: TillRig) -> None:
    """60 were used in time; 40 of the old points and 30 new ones are left. What was used is not told to end either."""
    till.directory.hear([balance(till, day_after(till, 1))])
    till.redeem("r1", points=50)
    till.sell("s1", 30)
    till.timepiece.now_ms += 5000
    till.present(CARD)
    assert till.told("card_read")[-1]["balance"]["expiring"][0]["points"] == 10
    till.redeem("r2", points=10)
    till.timepiece.now_ms += 2 * DAY_MS
    till.present(CARD)
    view = till.told("card_read")[-1]["balance"]
    assert (view["points"], view["pending"], view.get("expiring", [])) == (70, -30, [])


class Jumping(HandTimepiece):
    """Its wall clock can be set, the time since boot goes on."""

    set_ms = 0

    def unix_ms(self) -> int:
        return super().unix_ms() + self.set_ms


@pytest.mark.parametrize("off_ms", [-1_772_359_200_000, -DAY_MS, 10 * DAY_MS], ids=["1970", "yesterday", "10 days on"])
def test_ends_are_told_by_the_ledger_s_clock(shop: Shop, off_ms: int) -> None:
    """Whatever the till's own clock says since it was heard: what has ended, what comes, and what was used in time."""
    shop.timepiece = clock = Jumping()
    till = shop.start()
    till.send(Welcomed(rfc3339(clock.now_ms), {}))
    till.directory.hear([balance(till, day_after(till, 2))])
    clock.set_ms = off_ms
    till.redeem("r1", points=10)
    clock.now_ms += DAY_MS
    till.present(CARD)
    view = till.told("card_read")[-1]["balance"]
    assert (view["points"], [end["points"] for end in view["expiring"]]) == (90, [50])
    clock.set_ms = 0
    clock.now_ms += DAY_MS
    till.present(CARD)
    assert till.told("card_read")[-1]["balance"]["points"] == 40
    till.send(Welcomed(rfc3339(clock.now_ms + 5000), {}))
    found = till.journal.find_key("r1")
    assert found is not None
    till.send(Settled([Verdict(1, found.stream, found.seq, found.seq, State.POSTED, "posted")], [till.balance(40)], 1))
    clock.now_ms += 5000
    till.present(CARD)
    assert till.told("card_read")[-1]["balance"]["points"] == 40


@pytest.mark.parametrize("said", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "1969-12-31T00:00:00Z"])
def test_a_ledger_without_a_sense_of_time_stops_no_till(till: TillRig, said: str) -> None:
    """Its word is taken as far as there is a date for it."""
    till.directory.hear([balance(till, day_after(till, 1), NEW_YEAR)])
    till.send(Welcomed(said, {}))
    till.timepiece.now_ms += 5000
    till.present(CARD)
    assert till.told("card_read")[-1]["balance"] is not None


def test_a_redemption_taken_back_ends_with_its_points(till: TillRig) -> None:
    """They come back as old as they were."""
    till.directory.hear([balance(till, day_after(till, 1))])
    redeemed = till.redeem("r1", points=60)
    till.heard(till.ask("v1", "reverse", None, reverses=redeemed.id))
    till.timepiece.now_ms += 2 * DAY_MS
    till.present(CARD)
    assert till.told("card_read")[-1]["balance"]["points"] == 40


def test_ends_are_remembered_over_a_restart(shop: Shop) -> None:
    """They lie with the balance in the till's copy of the ledger's word."""
    till = shop.start()
    till.directory.hear([balance(till, day_after(till, 5), inactive=3)])
    till = shop.restart()
    till.present(CARD)
    view = till.told("card_read")[-1]["balance"]
    assert (view["inactive"], view["expiring"][0]["points"]) == (3, 60)
