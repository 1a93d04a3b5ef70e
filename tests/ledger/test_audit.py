"""`verify` on books that somebody has changed behind the ledger's back: each sum, chain and promise shows it."""

import msgspec
import pytest

from ledger.facts.policy import Policy, UnknownCards
from ledger.points.programme import Lifetime, PointsRule, Programme
from ledger.port.book import Book
from tests.ledger.conftest import Shelfful, bent
from tests.ledger.fake_till import CARD, OTHER_CARD, FakeTill

DAMAGE = {
    "a record's byte": ("UPDATE record SET bytes = hash WHERE no = (SELECT max(no) FROM record)", "chain"),
    "a lost record": ("DELETE FROM record WHERE no = (SELECT max(no) FROM record)", "chain"),
    "a mark": ("UPDATE stream SET mark = mark + 1", "chain"),
    "a balance": ("UPDATE account SET balance = balance + 1 WHERE no = 1", "its entries"),
    "a lot": ("UPDATE lot SET remaining = remaining - 1", "its lots"),
    "a move": ("UPDATE move SET points = points - 1", "its moves"),
    "a posting": ("UPDATE posting SET points = points + 1 WHERE original IS NULL", "the books"),
    "a posting from nowhere": ("INSERT INTO posting VALUES (7, 'x', 1, 5, NULL, 'posted', 0)", "no entry behind it"),
    "a posting on no account": ("UPDATE posting SET account = 99 WHERE original IS NULL", "on no account"),
    "a reversal too large": ("UPDATE posting SET points = -200 WHERE original IS NOT NULL", "its reversals"),
    "a reservation": ("UPDATE account SET reserved = reserved + 1 WHERE no = 1", "its allowances"),
    "an overdraft that nobody flagged": (
        "UPDATE account SET balance = -5 WHERE no = 1",
        "nothing says why",
    ),
    "a lot's end": ("UPDATE lot SET expires_at = 1 WHERE remaining > 0", "overlooks the dates"),
    "a lot's beginning": ("UPDATE lot SET active_at = 9000000000000", "overlooks the dates"),
    "points said to be written off": ("UPDATE lot SET written_off = 1, expires_at = 9", "were written off"),
    "a decision": ("DELETE FROM decision", "never decided"),
    "a key that is free again": ("DELETE FROM claim WHERE record = (SELECT min(record) FROM claim)", "count once more"),
    "a key of another": ("UPDATE claim SET record = (SELECT max(no) FROM record)", "not its own"),
    "an entry's id": ("UPDATE posting SET entry = 'x' WHERE original IS NOT NULL", "another entry's id"),
    "a number of the feed": ("UPDATE decision SET n = n + 5 WHERE n = (SELECT max(n) FROM decision)", "feed of"),
    "a feed's counter": ("UPDATE terminal SET decided = decided + 1", "its counter says"),
    "what a backup covers": ("UPDATE stream SET stable = mark + 1", "told of more"),
    "what waits": ("INSERT INTO waiting VALUES (1, 'review')", "waits and is not here"),
    "what nobody wakes": (
        "INSERT INTO waiting SELECT max(no), 'record:' || min(no) FROM record",
        "nobody will wake it",
    ),
    "a person's word": ("INSERT INTO correction VALUES (1, 1, 2, 0, 5, 4)", "instead of 0"),
}


@pytest.fixture
def busy(book: Book, till: FakeTill) -> Book:
    """Books with a bit of everything in them."""
    earned = till.earn(100)
    till.send(earned, till.earn(50, OTHER_CARD), till.redeem(30), till.reverse(earned, 20))
    till.ask("a1", 10)
    assert book.verify().ok
    return book


@pytest.mark.parametrize("damage", DAMAGE)
def test_verify_finds_what_was_changed(busy: Book, damage: str) -> None:
    """Each sum, chain and promise is computed again: any one that is bent shows."""
    statement, words = DAMAGE[damage]
    verification = bent(busy, statement)
    assert not verification.ok
    assert any(words in problem for problem in verification.problems)
    assert CARD not in str(verification.problems)


def test_verify_finds_a_key_that_counted_twice(busy: Book) -> None:
    """I2, seen in the postings themselves: the same sale under another record."""
    first = "(SELECT min(no) FROM record)"
    bent(busy, f"INSERT INTO record SELECT no + 1000, hash, bytes FROM record WHERE no = {first}")
    verification = bent(
        busy,
        "INSERT INTO posting SELECT record + 1000, 'x', account, points, NULL, 'posted', 0 FROM posting"
        f" WHERE record = {first}",
    )
    assert any("more than one effect" in problem for problem in verification.problems)


def test_the_same_books_may_be_verified_after_a_restart(shelf: Shelfful, busy: Book) -> None:
    """What was right stays right when others open them."""
    busy.close()
    assert shelf.open().verify().ok


class TestDates:
    """Lots begin and end as their rules say."""

    RULE = PointsRule("base@1", points=1, per=100, activation_days=2, expires=Lifetime(days=30))

    def opened(self, shelf: Shelfful, *rules: PointsRule) -> Book:
        programme = Programme({rule.id: rule for rule in rules})
        return shelf.open(Policy(UnknownCards.REGISTER, programme=programme))

    def test_a_changed_date_is_found(self, shelf: Shelfful) -> None:
        """Although the account agrees with its lot."""
        book = self.opened(shelf, self.RULE)
        till = FakeTill(book)
        till.send(till.earn(24, rule="base@1"), till.earn(7))
        assert book.verify().ok
        bent(book, "UPDATE account SET usable_until = usable_until - 1")
        found = bent(book, "UPDATE lot SET expires_at = expires_at - 1 WHERE expires_at IS NOT NULL")
        assert ["than rule base@1 says" in problem for problem in found.problems] == [True]

    def test_a_rule_that_changed_without_a_new_version_is_found(self, shelf: Shelfful) -> None:
        """Its points would die on another day than their customers were told."""
        book = self.opened(shelf, self.RULE)
        till = FakeTill(book)
        till.send(till.earn(24, rule="base@1"))
        shorter = msgspec.structs.replace(self.RULE, expires=Lifetime(days=10))
        assert "needs a new version" in str(self.opened(shelf, shorter).verify().problems)

    def test_a_rule_that_came_later_is_none(self, shelf: Shelfful) -> None:
        """What was given before lives for ever, as it did."""
        book = self.opened(shelf)
        till = FakeTill(book)
        till.send(till.earn(24, rule="base@1"))
        assert self.opened(shelf, self.RULE).verify().ok
