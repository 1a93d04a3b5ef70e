"""Every point of an account explained: the sums, the lots, who corrected what, and what waits - on both engines."""

import json
from contextlib import closing
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.commands.show_explanation import explanation as shown
from ledger.facts.policy import Policy, UnknownCards
from ledger.points.programme import Lifetime, PointsRule, Programme
from ledger.port.book import Book
from ledger.port.explanation import Explanation, Step
from ledger.rules.arithmetic import money, worked_out
from offline_queue.entry import Amount, Clock, Entry, Happening, Kind, Receipt, Resolution, masked
from tests.ledger.conftest import Shelfful
from tests.ledger.fake_till import CARD, OTHER_CARD, START_MS, FakeTill
from tests.ledger.test_commands import opened, run

BASE = PointsRule("base@1", points=1, per=100, worth=50, activation_days=2, expires=Lifetime(end_of_year_after=1))
PROGRAMME = Programme({BASE.id: BASE}, UTC)
POLICY = Policy(UnknownCards.PARK, programme=PROGRAMME)
SALE = Amount(2490, "EUR")


def explained(book: Book, card: str = CARD) -> Explanation:
    found = book.explanation(card)
    assert found is not None
    assert found.adds_up
    assert found.steps == [] or found.steps[-1].balance == found.points
    return found


def step(found: Explanation, entry: Entry) -> Step:
    return next(each for each in found.steps if each.entry == entry.id)


@pytest.fixture
def book(shelf: Shelfful) -> Book:
    """Books with a rule: points are there after two days and live to the end of the next year."""
    book = shelf.open(POLICY)
    for card in (CARD, OTHER_CARD):
        book.register(card)
    return book


class TestSteps:
    def test_a_sale_says_its_sum_and_its_days(self, book: Book, till: FakeTill) -> None:
        """24.90 EUR at a point for each whole euro are 24 points, from the second day through the next year."""
        sold = till.earn(24, amount=SALE, rule="base@1", receipt=Receipt("0042", "S001"), operator="Anne")
        till.send(sold)
        told = step(explained(book), sold)
        assert told.sum == "24.90 EUR x 1 point per 1.00 EUR = 24"
        assert (told.rule, told.amount, told.receipt, told.store, told.operator) == (
            *("base@1", "24.90 EUR", "0042", "S001", "Anne"),
        )
        (lot,) = told.lots
        assert (lot.made, lot.points, lot.active_at, lot.expires_at) == (
            *(True, 24, "2025-06-17T00:00:00+00:00", "2027-01-01T00:00:00+00:00"),
        )

    def test_a_redemption_says_which_points_it_took(self, book: Book, till: FakeTill) -> None:
        """The oldest first, each by the entry that gave it; what was not there is an overdraft."""
        first, second = till.earn(10), till.earn(20)
        redeemed = till.redeem(35, amount=Amount(1750, "EUR"), rule="base@1")
        till.send(first, second, redeemed)
        told = step(explained(book), redeemed)
        assert told.sum == "17.50 EUR at 0.50 EUR a point = 35"
        assert [(lot.entry, lot.points, lot.made) for lot in told.lots] == [
            (redeemed.id, -5, True),
            (first.id, -10, False),
            (second.id, -20, False),
        ]
        assert "overdrawn" in told.remarks[0]

    def test_a_correction_names_its_author_and_reason(self, book: Book, till: FakeTill) -> None:
        """And what the entry had before and has now."""
        sold = till.earn(24)
        till.send(sold)
        book.resolve(sold.id, Resolution.HONOUR, 40, "Anne", "double points week")
        told = explained(book).steps[-1]
        assert (told.kind, told.points, told.corrects, told.author, told.reason) == (
            *("correction", 16, sold.id, "Anne", "double points week"),
        )
        assert (told.had, told.shall, told.balance) == (24, 40, 40)

    def test_a_wrong_clock_is_told(self, book: Book, till: FakeTill) -> None:
        """When it was for the ledger, and what the till said."""
        wrong = "2025-06-25T15:06:40.000Z"
        sold = till.earn(5, occurred_at=wrong, clock=Clock("boot", 1, wrong))
        till.send(sold)
        told = step(explained(book), sold)
        assert (told.at[:10], (told.told_at or "")[:10]) == ("2025-06-15", "2025-06-25")

    def test_a_merged_account_brings_its_history(self, book: Book, till: FakeTill) -> None:
        """Entries of both, and the pair that moved the points."""
        till.send(till.earn(10), till.earn(7, OTHER_CARD))
        book.happen(CARD, Happening.MERGE, "Anne", "one customer", OTHER_CARD)
        found = explained(book, OTHER_CARD)
        assert (found.points, [each.points for each in found.steps]) == (17, [10, 7, -10, 10])
        assert book.explanation(CARD) is not None


class TestBeside:
    def test_what_waits_is_told_with_its_reason(self, book: Book, till: FakeTill) -> None:
        """An earn on a card that is blocked, on this card and no other."""
        book.happen(CARD, Happening.BLOCK, "Anne", "lost")
        held = till.earn(9, receipt=Receipt("0043"))
        till.send(held, till.earn(3, OTHER_CARD))
        found = explained(book)
        assert [(each.name, each.points, each.receipt) for each in found.waiting] == [(held.id, 9, "0043")]
        assert "blocked" in (found.waiting[0].why or "")
        assert explained(book, OTHER_CARD).waiting == []

    def test_what_is_promised_is_told_with_its_holder(self, book: Book, till: FakeTill) -> None:
        """So an agent can say why fewer may be used."""
        till.send(till.earn(30))
        till.ask("right", 10)
        (promise,) = explained(book).promises
        assert (promise.id, promise.terminal, promise.points) == ("right", till.terminal, 10)

    def test_a_card_without_an_account_is_none(self, book: Book) -> None:
        """Nothing to explain."""
        assert book.explanation("2990000000099") is None

    def test_sums_that_differ_are_seen(self, book: Book, till: FakeTill) -> None:
        """The page never says more than the books do."""
        till.send(till.earn(30))
        book._engine.write(lambda tables: tables.change("UPDATE account SET balance = 31 WHERE balance = 30"))  # type: ignore[attr-defined]
        found = book.explanation(CARD)
        assert found is not None
        assert (found.adds_up, found.points, found.by_entries, found.by_lots) == (False, 31, 30, 30)


class TestPage:
    def test_an_agent_can_read_it_aloud(self, book: Book, till: FakeTill, capsys: pytest.CaptureFixture[str]) -> None:
        """Days as people say them, the sum of each sale, the sums at the end."""
        sold = till.earn(24, amount=SALE, rule="base@1", receipt=Receipt("0042"))
        used = till.redeem(5)
        till.send(sold, till.reverse(sold, 4), used, till.reverse(used, 2))
        shown(explained(book))
        page = capsys.readouterr().out
        for words in (
            f"Card {masked(CARD)} (active): 17 points on 15 June 2025",
            "1. 15 June 2025, 15:06, till S001-T01, receipt 0042: earned +24, balance 24",
            "24.90 EUR x 1 point per 1.00 EUR = 24 (rule base@1)",
            "24 points to use from 17 June 2025, through 31 December 2026",
            f"taken back -4, balance 20\n     Takes back entry {sold.id}",
            f"4 points off the points of entry {sold.id} (15 June 2025)",
            f"given back +2, balance 17\n     Takes back entry {used.id}",
            "4 entries make 17, what is left of them 17, the balance is 17.",
        ):
            assert words in page
        assert CARD not in page

    def test_hostile_words_are_shown_as_what_they_are(
        self, book: Book, till: FakeTill, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A receipt number cannot take over the agent's terminal, nor invent a line."""
        till.send(till.earn(1, receipt=Receipt("1\x1b]0;owned\x07\n 99. free points", "\u202e")))
        shown(explained(book))
        page = capsys.readouterr().out
        assert "\x1b" not in page
        assert "\u202e" not in page
        assert r"\x1b]0;owned\x07\n 99." in page

    def test_the_command_has_it_for_people_and_programs(self, database: str, tmp_path: Path) -> None:
        """`--json` has all of it; the rules come from the config."""
        config = tmp_path / "ledger.toml"
        config.write_text('[[rule]]\nid = "base@1"\npoints = 1\nper = 100\n')
        with closing(opened(database)) as book:
            book.register(CARD, 100)
            till = FakeTill(book)
            till.send(till.earn(24, amount=SALE, rule="base@1"))
        chosen = ("--explain", "--config", str(config))
        told = json.loads(run(database, "account", CARD, *chosen, "--json").stdout)
        assert (told["points"], told["by_entries"], told["by_lots"]) == (124, 124, 124)
        assert [each["sum"] for each in told["steps"]] == [
            "100 points given by the office",
            "24.90 EUR x 1 point per 1.00 EUR = 24",
        ]
        result = run(database, "account", CARD, *chosen)
        assert (result.return_value, "Sum: 2 entries make 124" in result.stdout) == (0, True)
        assert run(database, "account", "2990000000099", "--explain").return_value == 1


class TestSums:
    @pytest.mark.parametrize(
        ("value", "currency", "words"),
        [(2490, "EUR", "24.90 EUR"), (5, "EUR", "0.05 EUR"), (2490, "JPY", "2490 JPY"), (2490, "TND", "2.490 TND")],
    )
    def test_money_has_its_currencys_digits(self, value: int, currency: str, words: str) -> None:
        """After ISO 4217."""
        assert money(value, currency) == words

    def sold(self, kind: Kind, points: int, amount: Amount | None, rule: str | None = "base@1") -> str:
        clock = Clock("boot", START_MS, "2025-06-15T15:06:40Z")
        told = Entry("id", "key", kind, "S001-T01", "2025-06-15", clock.wall, clock, points=points, amount=amount)
        return worked_out(ruled(told, rule), PROGRAMME)

    @pytest.mark.parametrize(
        ("kind", "points", "amount", "words"),
        [
            (Kind.EARN, 30, SALE, "24.90 EUR x 1 point per 1.00 EUR = 24; the till counted 30, and that stands"),
            (Kind.EARN, 0, Amount(2490, "USD"), "24.90 USD: this rule counts EUR alone = 0"),
            (Kind.EARN, 24, None, "24 points as the till counted"),
            (Kind.REDEEM, 21, Amount(1001, "EUR"), "10.01 EUR at 0.50 EUR a point = 21"),
            (Kind.REDEEM, 20, None, "20 points as the till counted"),
            (Kind.REDEEM, 20, Amount(1001, "USD"), "10.01 USD paid with 20 points as the till counted"),
            (Kind.RELEASE, 0, None, ""),
        ],
    )
    def test_a_sum_says_what_stands(self, kind: Kind, points: int, amount: Amount | None, words: str) -> None:
        """Where the till counted otherwise, its promise."""
        assert self.sold(kind, points, amount) == words

    def test_an_unknown_rule_is_the_tills(self) -> None:
        """The ledger cannot say how it counted."""
        assert self.sold(Kind.EARN, 9, SALE, "other@7") == "24.90 EUR: 9 points as the till counted"

    @given(value=st.integers(0, 10**12), points=st.integers(0, 10**6), per=st.integers(1, 10**6))
    def test_the_sum_is_the_rules_own(self, value: int, points: int, per: int) -> None:
        """Whatever the numbers: what is read aloud is what was computed."""
        rule = PointsRule("r@1", points=points, per=per)
        clock = Clock("boot", START_MS, "2025-06-15T15:06:40Z")
        sale = Entry("id", "key", Kind.EARN, "T", "2025-06-15", clock.wall, clock, amount=Amount(value, "EUR"))
        told = worked_out(ruled(sale, "r@1", value * points // per), Programme({"r@1": rule}))
        assert told.endswith(f"= {value * points // per}")


def ruled(entry: Entry, rule: str | None, points: int | None = None) -> Entry:

    return replace(entry, rule=rule, points=entry.points if points is None else points)
