"""Who may let a terminal in under which key, and what stays of the keys that it had."""

import base64

import pytest

from ledger.port.book import Book
from ledger.port.refusals import Refused
from offline_queue.entry import MAX_POINTS
from tests.ledger.fake_till import CARD, OTHER_CARD, FakeTill, points_of

NEW = b"n" * 32


def told(book: Book) -> list[tuple[str, bytes, bool]]:
    """What tills hear of keys."""
    page = book.changes("r", 0, 100)
    return [
        (one.key.terminal, base64.b64decode(one.key.public_key), one.key.revoked) for one in page.changes if one.key
    ]


class TestKeys:
    def test_the_same_key_may_be_shown_again(self, book: Book, till: FakeTill) -> None:
        """A till that asks once more, because an answer was lost: nothing is new."""
        assert book.enrol(till.terminal, till.key)
        assert book.terminal_keys(till.terminal) == [till.key]
        assert told(book) == [(till.terminal, till.key, False)]

    def test_another_key_needs_a_word_of_the_office(self, book: Book, till: FakeTill) -> None:
        """Else anybody could take a terminal's name; what it signed before stays proven."""
        assert not book.enrol(till.terminal, NEW)
        assert (book.public_key(till.terminal), book.terminal_keys(till.terminal)) == (till.key, [till.key])
        assert book.enrol(till.terminal, NEW, replace=True)
        assert book.public_key(till.terminal) == NEW
        assert sorted(book.terminal_keys(till.terminal)) == sorted([till.key, NEW])
        assert told(book) == [(till.terminal, till.key, False), (till.terminal, NEW, False)]

    def test_a_terminal_may_come_back_to_a_key_that_it_had(self, book: Book, till: FakeTill) -> None:
        """Its old disk is in again: the key is known, and tills need not hear of it twice."""
        assert book.enrol(till.terminal, NEW, replace=True)
        assert book.enrol(till.terminal, till.key, replace=True)
        assert book.public_key(till.terminal) == till.key
        assert [key for _, key, _ in told(book)] == [till.key, NEW]

    def test_two_terminals_may_have_one_key(self, book: Book, till: FakeTill) -> None:
        """One that was given another name; each is told of for itself."""
        assert book.enrol("S001-T02", till.key)
        assert book.terminal_keys("S001-T02") == [till.key]
        assert [terminal for terminal, _, _ in told(book)] == [till.terminal, "S001-T02"]

    def test_a_revoked_key_is_not_trusted_again_because_it_is_shown(self, book: Book, till: FakeTill) -> None:
        """Whoever stole the till would do that."""
        book.revoke(till.terminal, "stolen")
        assert book.enrol(till.terminal, till.key)
        sale = till.earn(10)
        till.send(sale)
        assert (till.verdict(sale).code, points_of(book)) == ("key_revoked", 0)
        assert [revoked for *_, revoked in told(book)] == [False, True]

    def test_the_office_has_no_key(self, book: Book) -> None:
        """Nobody becomes the office by asking for its name."""
        for replace in (False, True):
            assert not book.enrol("ledger", NEW, replace=replace)
        assert (book.public_key("ledger"), book.terminal_keys("ledger")) == (b"", [])

    def test_of_a_stranger_nothing_is_known(self, book: Book) -> None:
        """Neither a key nor that there was one."""
        assert (book.public_key("S001-T99"), book.terminal_keys("S001-T99")) == (None, [])
        assert book.acknowledge("S001-T99") is None


class TestCredited:
    def test_a_sale_leads_to_the_card_that_has_its_points(self, book: Book, till: FakeTill) -> None:
        """By the id of its entry, or of one that repeats it; what gave nothing leads nowhere."""
        sale, other = till.earn(10), till.earn(20, OTHER_CARD)
        again, waiting = till.earn(10, key=sale.key), till.earn(5, "2990000000444")
        till.send(sale, other, again, waiting)
        assert [book.credited(entry.id) for entry in (sale, other, again, waiting)] == [CARD, OTHER_CARD, CARD, None]
        assert book.credited("nothing") is None


class TestRegistration:
    @pytest.mark.parametrize(("number", "points"), [("", 0), ("2" * 65, 0), (CARD, -1), (CARD, MAX_POINTS + 1)])
    def test_nonsense_is_refused(self, book: Book, number: str, points: int) -> None:
        """A name or points that no card can have: nothing is written."""
        with pytest.raises(Refused) as refusal:
            book.register(number, points)
        assert refusal.value.problem.code == "malformed"
        assert book.verify().records == 0

    def test_opening_points_are_given_once(self, book: Book) -> None:
        """As many as any entry can have; a second registration opens nothing and adds nothing."""
        first = book.register("2990000000555", MAX_POINTS)
        assert (first.opened, first.points, first.code) == (True, MAX_POINTS, "posted")
        again = book.register("2990000000555", 7)
        assert (again.opened, again.points) == (False, 0)
        assert points_of(book, "2990000000555") == MAX_POINTS
        bare = book.register("2990000000562")
        assert (bare.opened, bare.points, bare.code, bare.detail) == (True, 0, None, None)
