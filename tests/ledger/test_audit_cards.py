"""`verify` on cards, mergers and the feed of changes that somebody has changed behind the ledger's back."""

import pytest

from ledger.port.book import Book
from offline_queue.entry import CardEvent, Happening, Kind
from tests.ledger.conftest import bent
from tests.ledger.fake_till import CARD, OTHER_CARD, FakeTill

NEW, NEWER, UNKNOWN = "2990000000111", "2990000000128", "2990000000099"


def happens(till: FakeTill, happening: Happening, card: str, successor: str | None = None) -> None:
    till.send(till.entry(Kind.CARD_EVENT, 0, card, event=CardEvent(happening, successor)))


@pytest.fixture
def forwarded(book: Book, till: FakeTill) -> Book:
    """CARD is replaced by NEW and that by NEWER, all of account 1; OTHER_CARD is blocked, of account 2."""
    till.send(till.earn(10), till.earn(7, OTHER_CARD))
    happens(till, Happening.REPLACE, CARD, NEW)
    happens(till, Happening.REPLACE, NEW, NEWER)
    happens(till, Happening.BLOCK, OTHER_CARD)
    assert book.verify().ok
    return book


@pytest.fixture
def merged(book: Book, till: FakeTill) -> Book:
    """OTHER_CARD is merged into CARD: account 2 is empty, and nothing is on it any more."""
    till.send(till.earn(10), till.earn(7, OTHER_CARD))
    assert book.happen(OTHER_CARD, Happening.MERGE, "anna", "of one household", CARD).code == "posted"
    assert book.verify().ok
    return book


class TestForwarding:
    """A card that another stands for leads to it, and to its account."""

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            (f"successor = '{NEW}' WHERE number = '{OTHER_CARD}'", "card •••• 0024 is blocked by •••• 0111"),
            (f"successor = NULL WHERE number = '{NEW}'", "card •••• 0111 is replaced by nobody"),
            (f"marked = 'blocked' WHERE number = '{NEW}'", "card •••• 0111 is blocked by •••• 0128"),
        ],
    )
    def test_only_a_card_that_is_not_blocked_has_a_successor(self, forwarded: Book, change: str, problem: str) -> None:
        """And whatever is neither blocked nor free has one."""
        assert problem in bent(forwarded, f"UPDATE card SET {change}").problems

    def test_a_circle_is_found(self, forwarded: Book) -> None:
        """Also from a card that leads into it without being part of it; the audit comes to an end."""
        found = bent(forwarded, f"UPDATE card SET marked = 'replaced', successor = '{NEW}' WHERE number = '{NEWER}'")
        assert found.problems == [f"card •••• {end} is forwarded in a circle" for end in ("0017", "0111", "0128")]

    def test_a_card_that_stands_for_itself_is_a_circle(self, forwarded: Book) -> None:
        """The shortest one."""
        found = bent(forwarded, f"UPDATE card SET successor = number WHERE number = '{NEW}'")
        assert found.problems == [f"card •••• {end} is forwarded in a circle" for end in ("0017", "0111")]

    def test_the_last_of_the_chain_has_the_account(self, forwarded: Book) -> None:
        """Otherwise somebody's points are on somebody else's card."""
        found = bent(forwarded, f"UPDATE card SET account = 2 WHERE number = '{NEWER}'")
        two = "and the card that stands for it are of two accounts"
        assert [problem for problem in found.problems if two in problem] == [
            f"card •••• {end} {two}" for end in ("0017", "0111")
        ]

    def test_a_successor_that_nobody_knows_has_no_account(self, forwarded: Book) -> None:
        """Points of the card that it stands for would be nobody's."""
        found = bent(forwarded, f"DELETE FROM card WHERE number = '{NEWER}'")
        assert "card •••• 0111 and the card that stands for it are of two accounts" in found.problems

    def test_a_card_that_never_had_an_account_may_lead_to_one(self, book: Book, till: FakeTill) -> None:
        """It was replaced before anybody registered it."""
        happens(till, Happening.REPLACE, UNKNOWN, CARD)
        assert bent(book, f"UPDATE card SET account = NULL WHERE number = '{UNKNOWN}'").problems == []


class TestMergers:
    """A merged account is empty for ever."""

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE account SET balance = 1 WHERE no = 2",
            "UPDATE account SET balance = -1 WHERE no = 2",
            "UPDATE account SET reserved = 1 WHERE no = 2",
            f"UPDATE card SET account = 2 WHERE number = '{OTHER_CARD}'",
            "UPDATE lot SET account = 2",
            "UPDATE account SET merged_into = 99 WHERE no = 2",
        ],
    )
    def test_whatever_is_left_on_it_is_found(self, merged: Book, change: str) -> None:
        """Points, promises, a card, a lot, or an account that is not there."""
        assert "account 2 was merged into another and still holds something" in bent(merged, change).problems

    def test_an_account_with_all_of_these_may_take_another_in(self, merged: Book) -> None:
        """Only the one that was given away is empty."""
        assert merged.verify().problems == []


class TestFeedOfChanges:
    """Tills follow it by its numbers: a hole would be a block that a till never hears of."""

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            ("DELETE FROM change WHERE n = 1", "3 from 2 to 4, and its counter says 4"),
            ("DELETE FROM change WHERE n = 2", "3 from 1 to 4, and its counter says 4"),
            ("DELETE FROM change WHERE n = 4", "3 from 1 to 3, and its counter says 4"),
            ("DELETE FROM change", "0 from 1 to 0, and its counter says 4"),
            ("UPDATE fact SET value = '5' WHERE name = 'changes'", "4 from 1 to 4, and its counter says 5"),
        ],
    )
    def test_a_hole_is_found(self, forwarded: Book, change: str, problem: str) -> None:
        """At its beginning, within, at its end, and in its counter."""
        assert f"the feed of changes has {problem}" in bent(forwarded, change).problems

    def test_books_in_which_nothing_ever_changed_have_an_empty_one(self, book: Book) -> None:
        """Without a counter."""
        assert bent(book, "DELETE FROM change").problems == []

    def test_no_card_refers_to_a_change_that_is_not_there(self, forwarded: Book) -> None:
        """A till that has heard of everything would still not know of it."""
        assert bent(forwarded, f"UPDATE card SET told = 4 WHERE number = '{CARD}'").problems == []
        found = bent(forwarded, f"UPDATE card SET told = 5 WHERE number = '{CARD}'")
        assert found.problems == ["card •••• 0017 refers to a change that nobody was told"]
