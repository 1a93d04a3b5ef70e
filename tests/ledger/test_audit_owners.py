"""`verify` on whose points they are: whatever ways a card and its account have gone, and whatever a reversal names."""

import pytest

from ledger.audit import index
from ledger.port.book import Book
from offline_queue.entry import CardEvent, Happening, Kind, Resolution
from tests.ledger.conftest import bent
from tests.ledger.fake_till import CARD, OTHER_CARD, FakeTill, points_of

NEW, THIRD, UNKNOWN = "2990000000111", "2990000000555", "2990000000444"
ELSEWHERE = "the posting of record 2 of stream number 1 takes back another entry than it names"


def merged(book: Book, card: str, into: str) -> None:
    assert book.happen(card, Happening.MERGE, "anna", "of one household", into).code == "posted"


class TestAccounts:
    def test_accounts_that_were_merged_one_after_the_other(self, book: Book, till: FakeTill) -> None:
        """What was earned on the first is on the last of them, and on no other."""
        till.send(till.earn(10), till.earn(20, OTHER_CARD))
        book.register(THIRD, 40)
        merged(book, CARD, OTHER_CARD)
        merged(book, OTHER_CARD, THIRD)
        assert book.verify().problems == []
        found = bent(book, "UPDATE account SET merged_into = NULL WHERE no = 1")
        assert [problem.split(" are ")[1] for problem in found.problems] == ["not on the account of its card •••• 0017"]

    def test_accounts_that_were_merged_in_a_circle(self, book: Book, till: FakeTill) -> None:
        """No ledger does that; the audit comes to an end, and the cards have none of these accounts."""
        till.send(till.earn(10))
        merged(book, OTHER_CARD, CARD)
        problems = bent(book, "UPDATE account SET merged_into = 3 - no").problems
        assert "account 1 was merged into another and still holds something" in problems
        assert any("not on the account of its card •••• 0017" in problem for problem in problems)

    def test_a_card_without_an_account_leads_to_one(self, book: Book, till: FakeTill) -> None:
        """It was replaced before anybody registered it, twice: what it earns is with the last."""
        for card, successor in ((UNKNOWN, NEW), (NEW, CARD)):
            till.send(till.entry(Kind.CARD_EVENT, 0, card, event=CardEvent(Happening.REPLACE, successor)))
        till.send(till.earn(5, UNKNOWN), till.earn(6, NEW))
        assert points_of(book) == 11
        assert bent(book, f"UPDATE card SET account = NULL WHERE number <> '{CARD}'").problems == []
        found = bent(book, f"UPDATE card SET successor = '{OTHER_CARD}' WHERE number = '{NEW}'")
        assert sum("are not on the account of its card" in problem for problem in found.problems) == 2

    def test_a_card_that_is_gone_has_no_account(self, book: Book, till: FakeTill) -> None:
        """Its points are somebody's of whom nothing is known."""
        till.send(till.earn(10))
        (problem,) = bent(book, f"DELETE FROM card WHERE number = '{CARD}'").problems
        assert "are not on the account of its card •••• 0017" in problem

    def test_every_page_of_a_long_book_is_read(
        self, book: Book, till: FakeTill, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And the last one, that is not full."""
        monkeypatch.setattr(index, "AT_ONCE", 2)
        till.send(*(till.earn(1) for _ in range(5)))
        assert book.verify().ok
        found = bent(book, "UPDATE card SET account = 3 - account", "DELETE FROM claim")
        assert [sum(words in problem for problem in found.problems) for words in ("not on the acc", "once more")] == [
            5,
            5,
        ]


class TestReversals:
    @pytest.mark.parametrize("original", ["NULL", "7", "record", "(SELECT max(no) FROM record)"])
    def test_a_reversal_leads_to_what_it_names(self, book: Book, till: FakeTill, original: str) -> None:
        """Not to nothing, to what is not there, to itself or to another sale."""
        sale = till.earn(10)
        till.send(sale, till.reverse(sale, 4), till.earn(5))
        assert book.verify().ok
        found = bent(book, f"UPDATE posting SET original = {original} WHERE original IS NOT NULL")
        assert ELSEWHERE in found.problems

    def test_a_sale_takes_nothing_back(self, book: Book, till: FakeTill) -> None:
        """Else its points would count as undone of another."""
        till.send(till.earn(10), till.redeem(4))
        original = "(SELECT min(no) FROM record)"
        assert ELSEWHERE in bent(book, f"UPDATE posting SET original = {original} WHERE points < 0").problems

    def test_the_second_name_of_a_sale_is_as_good_as_its_first(self, book: Book, till: FakeTill) -> None:
        """It was sent through two tills, and is taken back at the one whose record had no effect."""
        sale = till.earn(10)
        other = FakeTill(book, 2)
        again = other.earn(10, key=sale.key)
        till.send(sale)
        other.send(again, other.reverse(again))
        assert points_of(book) == 0
        assert book.verify().problems == []

    def test_a_word_on_a_reversal_leads_where_that_led(self, book: Book, till: FakeTill) -> None:
        """And nowhere else than to something that is here."""
        sale = till.earn(10)
        back = till.reverse(sale, 4)
        till.send(sale, back)
        book.resolve(back.id, Resolution.REFUSE, None, "anna", "not given back after all")
        assert book.verify().problems == []
        word = "WHERE original IS NOT NULL AND points > 0"
        (problem,) = bent(book, f"UPDATE posting SET original = 7 {word}").problems
        assert problem == "the posting of record 1 of stream number 2 takes back another entry than it names"
