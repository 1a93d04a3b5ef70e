"""Points between their activation and their end, on every engine: by the sale's own time, whenever it is heard of."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from ledger.facts.codes import Code
from ledger.facts.policy import Policy, Stance
from ledger.points.programme import Lifetime, PointsRule, Programme
from ledger.port.book import Book
from ledger.port.refusals import Refused
from ledger.port.statements import Statement
from ledger.tables import clearing
from offline_queue.entry import Amount, Clock, Resolution
from offline_queue.timepiece import rfc3339
from offline_queue.wire_accounts import Account, Balance, Expiry
from tests.ledger.conftest import Shelfful
from tests.ledger.fake_till import CARD, OTHER_CARD, START_MS, FakeTill, FakeTimepiece, points_of

DAY_MS = 86_400_000
RULES = (
    PointsRule("month@1", expires=Lifetime(days=30)),
    PointsRule("slow@1", activation_days=14, expires=Lifetime(days=30)),
    PointsRule("year@1", expires=Lifetime(end_of_year_after=0)),
    PointsRule("opening@1", expires=Lifetime(days=7)),
)
PROGRAMME = Programme({rule.id: rule for rule in RULES}, ZoneInfo("Europe/Paris"), write_off_after_days=60)
DATED = Policy(programme=PROGRAMME)
END = "2025-07-16T00:00:00+02:00"
"""Of points sold under `month@1` on the first day, 15 June 2025."""


@pytest.fixture
def book(shelf: Shelfful) -> Book:
    """Books of a programme whose points expire, with two cards."""
    book = shelf.open(DATED)
    book.register(CARD)
    book.register(OTHER_CARD)
    return book


@pytest.fixture
def on_day(shelf: Shelfful) -> Callable[[int], None]:
    """Moves the ledger's clock to so many days after the first."""

    def move(day: int) -> None:
        shelf.timepiece.now = START_MS + day * DAY_MS

    return move


def made_on(day: int, rule: str = "month@1") -> dict[str, Any]:
    """What a till writes into an entry on that day."""
    at = rfc3339(START_MS + day * DAY_MS)
    return {"occurred_at": at, "clock": Clock(FakeTimepiece.boot_id, day * DAY_MS, at), "rule": rule}


def balance_of(book: Book, card: str = CARD) -> Balance:
    return account_of(book, card).balance


def account_of(book: Book, card: str = CARD) -> Account:
    account = book.account("r", card)
    assert account is not None
    return account


def statement_of(book: Book, card: str = CARD) -> Statement:
    statement = book.statement(card)
    assert statement is not None
    return statement


def cleared(book: Book) -> int:
    """Points that a whole run writes off."""
    points, after = 0, (0, 0)
    while True:
        done = book.expire(after)
        points += done.points
        if done.following is None:
            return points
        after = done.following


def sound(book: Book) -> None:
    verification = book.verify()
    assert verification.problems == []
    assert verification.usable + verification.inactive + verification.expired == verification.liability


class TestTold:
    def test_a_late_sync_never_shifts_an_expiry(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """A till that was cut off for three weeks brings points that end on the same day."""
        till.send(till.earn(60, **made_on(0)))
        on_day(21)
        till.send(till.earn(40, **made_on(0)))
        assert balance_of(book).expiring == [Expiry(END, 100)]
        assert [lot.expires_at for lot in account_of(book).lots] == [END, END]
        sound(book)

    def test_the_next_expiries_are_told_soonest_first(self, book: Book, till: FakeTill) -> None:
        """Three of them, with the points of each day together; what never expires is not among them."""
        sales = [till.earn(10 + day, **made_on(-day)) for day in (0, 1, 2, 2, 3)]
        till.send(*sales, till.earn(500, **made_on(0, "unknown@1")), till.earn(7, **made_on(0, "year@1")))
        told = balance_of(book)
        assert told.points == 10 + 11 + 12 + 12 + 13 + 500 + 7
        assert told.expiring == [
            Expiry("2025-07-13T00:00:00+02:00", 13),
            Expiry("2025-07-14T00:00:00+02:00", 24),
            Expiry("2025-07-15T00:00:00+02:00", 11),
        ]

    def test_the_feed_tells_the_same_balance(self, book: Book, till: FakeTill) -> None:
        """A till learns of expiries with its decisions, without asking for the account."""
        till.send(till.earn(60, **made_on(0)), till.earn(5, OTHER_CARD))
        told = {balance.number: balance for balance in book.decisions(till.terminal, "r", 0, 10).balances}
        assert told == {CARD: balance_of(book), OTHER_CARD: balance_of(book, OTHER_CARD)}
        assert told[CARD].expiring == [Expiry(END, 60)]
        assert told[OTHER_CARD].expiring == []

    def test_waiting_points_are_told_apart(self, book: Book, till: FakeTill, on_day: Callable[[int], None]) -> None:
        """They count from the beginning of their day in the programme's zone."""
        till.send(till.earn(60, **made_on(0, "slow@1")), till.earn(5, **made_on(0)))
        assert (balance_of(book).points, balance_of(book).inactive) == (5, 60)
        assert account_of(book).lots[0].active_at == "2025-06-29T00:00:00+02:00"
        on_day(14)
        assert (balance_of(book).points, balance_of(book).inactive) == (65, 0)
        sound(book)

    def test_expired_points_are_counted_apart(self, book: Book, till: FakeTill, on_day: Callable[[int], None]) -> None:
        """No job has to run: the same books say something else a day later. The sums stay."""
        till.send(till.earn(60, **made_on(0)), till.earn(5, **made_on(0, "unknown@1")))
        on_day(30)
        assert balance_of(book).points == 65
        on_day(31)
        assert (balance_of(book).points, balance_of(book).expiring) == (5, [])
        assert [lot.remaining for lot in account_of(book).lots] == [5]
        statement = statement_of(book)
        assert (statement.points, statement.usable, statement.inactive, statement.expired) == (65, 5, 0, 60)
        assert points_of(book) == 65
        verification = book.verify()
        assert (verification.liability, verification.usable, verification.expired) == (65, 5, 60)

    def test_opening_points_have_a_rule_too(self, book: Book, on_day: Callable[[int], None]) -> None:
        """What the office gives expires as its rule says."""
        book.register("2990000000031", 50)
        assert balance_of(book, "2990000000031").expiring == [Expiry("2025-06-23T00:00:00+02:00", 50)]


class TestUsed:
    def test_no_promise_is_made_of_points_that_cannot_be_used(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """Before their activation and after their end; between them they are promised."""
        till.send(till.earn(60, **made_on(0, "slow@1")))
        assert till.ask("early", 1).code == "insufficient_points"
        on_day(14)
        assert till.ask("in time", 20).granted
        on_day(31)
        late = till.ask("late", 1)
        assert (late.code, late.balance and late.balance.points) == ("insufficient_points", 0)
        sound(book)

    def test_the_oldest_of_those_alive_are_used_first(self, book: Book, till: FakeTill) -> None:
        """A redemption never takes points that had ended when it was made."""
        till.send(till.earn(10, **made_on(-40)), till.earn(20, **made_on(-20)), till.earn(30, **made_on(-10)))
        till.send(till.redeem(25, **made_on(0)))
        assert [lot.remaining for lot in statement_of(book).lots] == [10, 25]
        assert balance_of(book).points == 25
        sound(book)

    def test_points_used_before_they_expired_are_honoured(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """The till was cut off; what counts is when the customer redeemed."""
        till.send(till.earn(60, **made_on(0)))
        on_day(45)
        used = till.redeem(60, **made_on(30))
        till.send(used)
        assert till.verdict(used).code == "posted"
        assert statement_of(book).lots == []
        assert points_of(book) == 0
        sound(book)

    def test_a_promise_keeps_its_points_alive(self, book: Book, till: FakeTill, on_day: Callable[[int], None]) -> None:
        """Granted on the last day and used after it: a guarantee is one."""
        till.send(till.earn(60, **made_on(0)))
        on_day(30)
        assert till.ask("a1", 60).granted
        on_day(32)
        used = till.redeem(60, allowance="a1", **made_on(32))
        till.send(used)
        assert till.verdict(used).code == "posted"
        assert statement_of(book).lots == []
        assert points_of(book) == 0
        sound(book)

    def test_waiting_points_used_offline_are_an_overdraft_at_once_repaid(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """The entry is flagged, and the points that waited pay for it: a debt never lies beside them."""
        till.send(till.earn(60, **made_on(0, "slow@1")))
        on_day(1)
        used = till.redeem(20, **made_on(1))
        till.send(used)
        assert till.verdict(used).code == "overdrawn"
        assert (balance_of(book).points, balance_of(book).inactive) == (0, 40)
        sound(book)

    def test_an_award_repays_a_debt_before_it_is_active(self, book: Book, till: FakeTill) -> None:
        """It cannot be redeemed yet, but nothing is owed any more."""
        till.send(till.redeem(20, **made_on(0)), till.earn(60, **made_on(0, "slow@1")))
        assert (balance_of(book).points, balance_of(book).inactive) == (0, 40)
        assert points_of(book) == 40
        sound(book)

    def test_points_that_had_ended_before_a_debt_do_not_repay_it(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """An old sale, heard of late: its points ended before the customer overdrew, so both stay as they are."""
        on_day(40)
        till.send(till.redeem(20, **made_on(35)))
        till.send(till.earn(50, **made_on(0)))
        assert balance_of(book).points == -20
        assert (statement_of(book).points, statement_of(book).expired) == (30, 50)
        till.send(till.earn(15, **made_on(39)))
        assert balance_of(book).points == -5
        assert [lot.remaining for lot in statement_of(book).lots] == [50, -5]
        sound(book)

    def test_a_sale_from_before_the_end_repays_what_was_overdrawn_then(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """Both are heard of after the end: the order in which they come does not matter."""
        on_day(40)
        till.send(till.redeem(20, **made_on(10)))
        till.send(till.earn(50, **made_on(0)))
        assert (statement_of(book).points, statement_of(book).expired) == (30, 30)
        sound(book)


class TestDisputed:
    def test_points_that_had_ended_when_they_were_used_wait_for_a_person(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """By default; a person who honours it lets them pay, and nothing is owed."""
        till.send(till.earn(60, **made_on(0)))
        on_day(40)
        used = till.redeem(20, **made_on(35))
        till.send(used)
        assert (till.verdict(used).code, till.verdict(used).state) == ("lot_expired", "parked")
        assert "expired" in (till.verdict(used).detail or "")
        assert points_of(book) == 60
        book.resolve(used.id, Resolution.HONOUR, None, "Anne", "was at the till before midnight")
        assert (points_of(book), statement_of(book).expired, balance_of(book).points) == (40, 40, 0)
        sound(book)

    def test_a_retailer_may_always_honour_them(
        self, shelf: Shelfful, book: Book, on_day: Callable[[int], None]
    ) -> None:
        """Those alive pay first, then those that ended last; what even they cannot pay is an overdraft."""
        honouring = shelf.open(Policy(programme=PROGRAMME, stances={Code.LOT_EXPIRED: Stance.HONOUR}))
        till = FakeTill(honouring)
        till.send(till.earn(60, **made_on(0)), till.earn(10, **made_on(-5)), till.earn(5, **made_on(0, "slow@1")))
        on_day(40)
        used = till.redeem(20, **made_on(35))
        till.send(used)
        assert (till.verdict(used).code, till.verdict(used).state) == ("lot_expired", "conflict")
        assert sorted(lot.remaining for lot in statement_of(honouring).lots) == [5, 10, 40]
        more = till.redeem(70, **made_on(35))
        till.send(more)
        assert till.verdict(more).code == "lot_expired"
        assert points_of(honouring) == -15
        sound(honouring)

    def test_what_expired_under_a_promise_pays_for_nobody_else(
        self, shelf: Shelfful, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """The retailer honours the use of expired points; those of an open right are still its holder's."""
        till.send(till.earn(100, **made_on(0)))
        assert till.ask("a1", 20).granted
        on_day(100)
        cleared(book)
        assert points_of(book) == 20
        till.book = book = shelf.open(replace(DATED, stances={Code.LOT_EXPIRED: Stance.HONOUR}))
        beside = till.redeem(10, **made_on(90))
        till.send(beside)
        assert till.verdict(beside).code == "overdrawn"
        sound(book)
        promised = till.redeem(20, allowance="a1", **made_on(100))
        till.send(promised)
        assert till.verdict(promised).code == "posted"
        sound(book)

    def test_what_a_person_honours_late_finds_its_points_again(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """Used in time, and under review until its points were written off: they are booked back for it."""
        till.send(till.earn(60, **made_on(0)))
        used = till.redeem(20, **made_on(10), key="K")
        till.send(till.earn(1, key="K"), used)
        assert till.verdict(used).code == "key_mismatch"
        on_day(200)
        assert cleared(book) == 60
        book.resolve(used.id, Resolution.HONOUR, None, "Anne", "two sales with one key")
        assert [line.points for line in statement_of(book).entries if line.terminal == "ledger"] == [-60, -20, 19]
        assert points_of(book) == 0
        sound(book)

    def test_the_till_s_promise_stands_where_the_ledger_counts_otherwise(self, shelf: Shelfful, book: Book) -> None:
        """Another sum, or a rule that the ledger does not know: posted as promised, and noted with the difference."""
        rules = {"base@1": PointsRule("base@1", points=1, per=100, worth=2)}
        comparing = shelf.open(Policy(programme=Programme(rules)))
        till, euros = FakeTill(comparing), Amount(1050, "EUR")
        fine = till.earn(10, amount=euros, rule="base@1")
        more = till.earn(12, amount=euros, rule="base@1")
        cheap = till.redeem(5, amount=Amount(20, "EUR"), rule="base@1")
        other = till.earn(7, amount=euros, rule="base@2")
        plain = till.earn(3, rule="base@1")
        till.send(fine, more, cheap, other, plain)
        codes = [till.verdict(entry).code for entry in (fine, more, cheap, other, plain)]
        assert codes == ["posted", "points_differ", "points_differ", "rule_unknown", "posted"]
        assert "10" in (till.verdict(more).detail or "")
        assert {till.verdict(entry).state for entry in (more, cheap, other)} == {"posted"}
        assert points_of(comparing) == 27


class TestReversed:
    def test_points_come_back_with_their_old_date(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """Goods returned after the end: the points are the customer's again, and as old as they were."""
        till.send(till.earn(60, **made_on(0)))
        used = till.redeem(60, **made_on(10))
        till.send(used)
        on_day(20)
        till.send(till.reverse(used, 10, **made_on(20)))
        assert balance_of(book).expiring == [Expiry(END, 10)]
        on_day(40)
        till.send(till.reverse(used, **made_on(40)))
        assert (balance_of(book).points, statement_of(book).expired) == (0, 60)
        sound(book)

    def test_points_come_back_to_the_lot_that_lives_longest(self, book: Book, till: FakeTill) -> None:
        """In the customer's favour: a redemption uses the oldest points and its reversal returns the youngest."""
        till.send(till.earn(10, **made_on(-20)), till.earn(10, **made_on(-1)))
        used = till.redeem(15, **made_on(0))
        till.send(used, till.reverse(used, 8, **made_on(0)))
        assert [lot.remaining for lot in account_of(book).lots] == [3, 10]

    def test_an_award_is_taken_back_after_its_end(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """Its own points are there for it though nobody could use them: nothing is overdrawn, and others stay."""
        sale, kept = till.earn(60, **made_on(0)), till.earn(5, **made_on(0, "unknown@1"))
        till.send(sale, kept)
        on_day(45)
        back = till.reverse(sale, **made_on(45))
        till.send(back)
        assert till.verdict(back).code == Code.POSTED
        assert [(lot.entry, lot.remaining) for lot in statement_of(book).lots] == [(kept.id, 5)]
        sound(book)

    def test_taking_back_an_expired_award_costs_nothing_else(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """Whether its points lie expired or were written off: they are what is taken back."""
        first, second = till.earn(60, **made_on(0)), till.earn(40, **made_on(1))
        till.send(first, second)
        on_day(45)
        till.send(till.earn(500, **made_on(45)))
        undone = till.reverse(first, **made_on(45))
        till.send(undone)
        assert (till.verdict(undone).code, balance_of(book).points) == ("posted", 500)
        on_day(100)
        assert cleared(book) == 540 - 500
        till.send(till.earn(500, **made_on(100)))
        late = till.reverse(second, **made_on(100))
        till.send(late)
        assert (till.verdict(late).code, balance_of(book).points) == ("posted", 500)
        assert [line.points for line in statement_of(book).entries if line.kind == "correction"] == [-40, 40]
        sound(book)


class TestWrittenOff:
    def test_after_the_grace_period_expired_points_leave_the_books(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """Each by an entry of the office that says which award and why; once, however often it is asked."""
        earned = till.earn(60, **made_on(0))
        till.send(earned, till.earn(5, **made_on(0, "unknown@1")), till.redeem(20, **made_on(1)))
        on_day(90)
        assert cleared(book) == 0
        on_day(91)
        assert cleared(book) == 40
        assert cleared(book) == 0
        (line,) = [line for line in statement_of(book).entries if line.kind == "correction"]
        assert (line.points, line.terminal, line.corrects) == (-40, "ledger", earned.id)
        assert line.reason == "expired after 2025-07-15"
        assert points_of(book) == balance_of(book).points == 5
        sound(book)

    def test_what_was_redeemed_in_time_and_comes_later_still_is_booked_back(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """As many points as it needs, in the same transaction; nothing is flagged and all is explained."""
        till.send(till.earn(60, **made_on(0)), till.earn(30, **made_on(20)))
        on_day(200)
        assert cleared(book) == 90
        on_day(201)
        used = till.redeem(70, **made_on(30))
        till.send(used)
        assert till.verdict(used).code == "posted"
        points = [line.points for line in statement_of(book).entries]
        assert (points[:4], sorted(points[4:])) == ([60, 30, -60, -30], [-70, 10, 60])
        assert points_of(book) == 0
        sound(book)
        till.send(till.reverse(used, **made_on(31)))
        assert statement_of(book).expired == 70
        assert cleared(book) == 70
        sound(book)

    def test_one_award_leaves_and_comes_back_twice_in_one_moment(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """A ledger works faster than its clock ticks: each step is an entry with a key of its own."""
        till.send(till.earn(60, **made_on(0)))
        on_day(200)
        for _ in range(2):
            assert cleared(book) == 60
            used = till.redeem(60, **made_on(30))
            till.send(used)
            till.send(till.reverse(used, **made_on(31)))
        keys = [line.id for line in statement_of(book).entries if line.terminal == "ledger"]
        assert len(keys) == len(set(keys)) == 4
        sound(book)

    def test_nobody_gives_expired_points_back_beside_their_award(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """A redemption of before their end would find them twice: once by the word, once as written off."""
        till.send(till.earn(100, **made_on(0)))
        on_day(100)
        cleared(book)
        gone = statement_of(book).entries[-1]
        for resolution in Resolution:
            with pytest.raises(Refused, match=r"the ledger's own|neither an entry"):
                book.resolve(gone.id, resolution, None, "Anne", "goodwill")
        late = till.redeem(150, **made_on(1))
        till.send(late)
        assert till.verdict(late).code == "overdrawn"
        assert points_of(book) == -50
        sound(book)

    def test_points_used_while_they_were_asleep_are_booked_back(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """Offline, and heard of after their end: they pay, as they would have done in time, and leave no debt."""
        till.send(till.earn(30, **made_on(0, "slow@1")))
        on_day(100)
        cleared(book)
        early, late = till.redeem(5, **made_on(1)), till.redeem(10, **made_on(20))
        till.send(early)
        assert till.verdict(early).code == "overdrawn"
        assert points_of(book) == 0
        till.send(late)
        assert till.verdict(late).code == "posted"
        assert points_of(book) == 0
        sound(book)

    def test_a_duplicate_books_nothing_back(self, book: Book, till: FakeTill, on_day: Callable[[int], None]) -> None:
        """Only what is posted does."""
        till.send(till.earn(60, **made_on(0)))
        used = till.redeem(60, **made_on(30), key="K")
        till.send(used)
        on_day(200)
        again = till.redeem(60, **made_on(30), key="K")
        till.send(again)
        assert till.verdict(again).code == "duplicate"
        assert [line.points for line in statement_of(book).entries] == [60, -60]

    def test_a_redemption_after_the_end_books_nothing_back(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """It had no claim to those points when it was made."""
        till.send(till.earn(60, **made_on(0)))
        on_day(200)
        assert cleared(book) == 60
        used = till.redeem(10, **made_on(31))
        till.send(used)
        assert till.verdict(used).code == "overdrawn"
        assert balance_of(book).points == -10
        sound(book)

    def test_promised_points_stay_in_the_books(self, book: Book, till: FakeTill, on_day: Callable[[int], None]) -> None:
        """I4: a till that is cut off for months still holds its guarantee."""
        till.send(till.earn(60, **made_on(0)))
        assert till.ask("a1", 25).granted
        on_day(200)
        assert cleared(book) == 35
        used = till.redeem(25, allowance="a1", **made_on(150))
        till.send(used)
        assert till.verdict(used).code == "posted"
        assert statement_of(book).lots == []
        assert points_of(book) == 0
        assert cleared(book) == 0
        sound(book)

    def test_an_award_may_leave_in_two_steps_at_one_moment(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """What was promised follows as soon as it is free, however soon that is: each step is an entry of its own."""
        till.send(till.earn(60, **made_on(0)))
        assert till.ask("a1", 25).granted
        on_day(150)
        assert cleared(book) == 35
        till.send(till.release("a1"))
        assert cleared(book) == 25
        sound(book)

    def test_points_earned_since_do_not_pay_an_old_promise(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None]
    ) -> None:
        """A right that was granted before its points ended keeps them, though younger ones lie beside them."""
        till.send(till.earn(100, **made_on(0)))
        assert till.ask("a1", 100).granted
        on_day(50)
        till.send(till.earn(50, **made_on(50, "ever@1")))
        on_day(150)
        assert cleared(book) == 0
        till.send(till.redeem(100, allowance="a1", **made_on(20)))
        assert points_of(book) == 50
        assert book.verify().problems == []

    def test_many_accounts_are_cleared_a_few_at_a_time(
        self, book: Book, till: FakeTill, on_day: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A run goes on where the last transaction ended, past accounts that keep what they promised."""
        monkeypatch.setattr(clearing, "AT_ONCE", 2)
        cards = [f"29900000010{number:02d}" for number in range(5)]
        for card in cards:
            book.register(card)
        till.send(*(till.earn(10, card, **made_on(0)) for card in cards))
        assert till.ask("a1", 10, cards[0]).granted
        on_day(200)
        assert cleared(book) == 40
        assert [statement_of(book, card).points for card in cards] == [10, 0, 0, 0, 0]
        sound(book)

    def test_books_without_dates_are_left_alone(self, shelf: Shelfful, till: FakeTill) -> None:
        """A programme without rules has points for ever."""
        till.send(till.earn(60, **made_on(0, "unknown@1")))
        shelf.timepiece.now += 10_000 * DAY_MS
        assert shelf.open(DATED).expire().lots == 0


@pytest.mark.parametrize("empty", ["reversal", "word"])
def test_what_moves_nothing_leaves_the_dates_alone(
    book: Book, till: FakeTill, on_day: Callable[[int], None], empty: str
) -> None:
    """Beside a sale in one batch: the account still knows that its older points end, and nobody is promised them."""
    till.send(till.earn(100, **made_on(0)))
    sale = till.earn(5, **made_on(1, "ever@1"))
    back = till.reverse(sale, **made_on(1)) if empty == "reversal" else till.correct(sale.id, Resolution.REFUSE)
    till.send(sale, back)
    nothing = till.reverse(sale, **made_on(1)) if empty == "reversal" else till.correct(sale.id, Resolution.REFUSE)
    till.send(till.earn(7, **made_on(1, "ever@1")), nothing)
    assert book.verify().problems == []
    on_day(40)
    assert not till.ask("a1", 20).granted
