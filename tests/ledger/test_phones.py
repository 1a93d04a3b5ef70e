"""Cards by phone number: who links them, what the books keep, how often a till may ask."""

import sqlite3
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from ledger.books.phones import BURST, MOST_CARDS, REFILL_S, Quota
from ledger.cli import ledger as command
from ledger.port.book import Book
from ledger.port.refusals import Refused
from ledger.sqlite.book import SqliteBook
from offline_queue.wire_accounts import PhoneLookup
from tests.ledger.conftest import Shelfful
from tests.ledger.fake_till import CARD, OTHER_CARD

PHONE = "+33612345678"


def found(book: Book, phone: str = PHONE) -> list[str]:
    answer = book.phone(PhoneLookup("r", phone))
    assert (answer.request, answer.generation) == ("r", book.generation)
    return answer.cards


class TestLinks:
    def test_a_phone_number_finds_its_cards(self, book: Book) -> None:
        """Spaces and dots as people write them make no difference."""
        book.link_phone(CARD, "+33 6.12-34 56 (78)", "lea")
        assert (found(book), found(book, "+33612345679")) == ([CARD], [])

    def test_a_family_shares_a_phone(self, book: Book) -> None:
        """Each card is found."""
        book.register(OTHER_CARD)
        for card in (CARD, OTHER_CARD):
            book.link_phone(card, PHONE, "lea")
        assert set(found(book)) == {CARD, OTHER_CARD}

    def test_a_card_has_one_phone_number(self, book: Book) -> None:
        """A new number takes the place of the old one."""
        book.link_phone(CARD, PHONE, "lea")
        book.link_phone(CARD, "+4915112345678", "lea")
        assert (found(book), found(book, "+4915112345678")) == ([], [CARD])

    def test_a_link_is_taken_off(self, book: Book) -> None:
        """Whoever takes it off twice hears that it was off."""
        book.link_phone(CARD, PHONE, "lea")
        assert (book.unlink_phone(CARD), book.unlink_phone(CARD), found(book)) == (True, False, [])

    def test_a_number_has_few_cards(self, book: Book) -> None:
        """One more is refused, and the others stay."""
        cards = [f"29900000{n:05}" for n in range(MOST_CARDS + 1)]
        for card in cards:
            book.register(card)
        for card in cards[:-1]:
            book.link_phone(card, PHONE, "lea")
        with pytest.raises(Refused, match="5 cards already"):
            book.link_phone(cards[-1], PHONE, "lea")
        assert set(found(book)) == set(cards[:-1])

    @pytest.mark.parametrize(
        "phone", ["", "0612345678", "+", "+0612345678", "+3361234567890123", "+33a12345678", "１２"]
    )
    def test_what_is_no_phone_number_links_nothing(self, book: Book, phone: str) -> None:
        """The refusal shows what one looks like."""
        with pytest.raises(Refused, match=r"\+33 6 12 34 56 78"):
            book.link_phone(CARD, phone, "lea")

    def test_the_newest_link_is_found_first(self, shelf: Shelfful, book: Book) -> None:
        """Who gave the number just now stands at the counter."""
        for card in (OTHER_CARD, CARD):
            shelf.timepiece.now += 1
            book.link_phone(card, PHONE, "lea")
        assert found(book) == [CARD, OTHER_CARD]

    @pytest.mark.parametrize(("number", "author"), [(CARD, ""), (CARD, "l" * 65), ("", "lea"), ("2" * 65, "lea")])
    def test_who_links_what_is_said(self, book: Book, number: str, author: str) -> None:
        """A card and a person, each with a name that fits a page."""
        with pytest.raises(Refused) as refusal:
            book.link_phone(number, PHONE, author)
        assert refusal.value.problem.code == "malformed"
        assert found(book) == []

    def test_the_longest_and_the_shortest_name_of_a_person_are_good(self, book: Book) -> None:
        """One letter, or as many as a card has."""
        for author in ("l", "l" * 64):
            book.link_phone(CARD, PHONE, author)
        assert found(book) == [CARD]

    def test_nothing_is_found_before_anything_was_linked(self, book: Book) -> None:
        """New books have no key yet, and need none to say so."""
        assert found(book) == []

    def test_a_card_without_an_account_is_not_linked(self, book: Book) -> None:
        """It would be found, and then be unknown at the counter."""
        with pytest.raises(Refused) as refusal:
            book.link_phone("2990000000031", PHONE, "lea")
        assert refusal.value.problem.code == "account_unknown"


def test_books_show_no_phone_number(tmp_path: Path) -> None:
    """Whoever reads the file finds a keyed hash, another one in other books."""
    seen = []
    for name in ("a.db", "b.db"):
        book = SqliteBook(tmp_path / name)
        book.register(CARD)
        book.link_phone(CARD, PHONE, "lea")
        book.close()
        with sqlite3.connect(tmp_path / name) as connection:
            seen.append(connection.execute("SELECT digest FROM phone").fetchone()[0])
        connection.close()
        assert PHONE[1:].encode() not in (tmp_path / name).read_bytes()
    assert seen[0] != seen[1]


@given(st.lists(st.floats(0, 600), min_size=1, max_size=120))
def test_quota_never_gives_more_than_a_bucket_and_its_refill(pauses: list[float]) -> None:
    """Whatever the pauses; another till's questions do not count."""
    quota, now, given_away = Quota(), 0.0, 0
    for pause in pauses:
        now += pause
        given_away += quota.take("T1", now)
        assert given_away <= BURST + now / REFILL_S + 1e-6
    assert quota.take("T2", now)


def test_quota_refills() -> None:
    """A till that was too quick is not locked out for good."""
    quota = Quota()
    assert [quota.take("T1", 0.0) for _ in range(BURST + 1)] == [True] * BURST + [False]
    assert not quota.take("T1", REFILL_S * 0.9)
    assert quota.take("T1", REFILL_S * 1.1)
    assert not quota.take("T1", REFILL_S * 1.8)
    assert quota.take("T1", REFILL_S * 2.2)
    assert not quota.take("T1", REFILL_S * 1.5), "a clock that goes back gives nothing"
    assert quota.take("T1", time.monotonic() + 1e6)


class TestCommand:
    def test_the_office_links_and_takes_off(self, tmp_path: Path) -> None:
        """Neither the card nor the phone number is shown whole."""
        place = ["--database", f"sqlite:///{tmp_path / 'books.db'}"]
        run = CliRunner().invoke
        assert run(command, ["register", CARD, *place]).exit_code == 0
        linked = run(command, ["card", "phone", CARD, PHONE, *place])
        assert (linked.exit_code, "0017 is found by this" in linked.output) == (0, True)
        assert CARD not in linked.output
        again = run(command, ["card", "phone", CARD, "--remove", "--json", *place])
        assert '"linked":false' in again.output.replace(" ", "")

    def test_neither_or_both_is_a_mistake(self, tmp_path: Path) -> None:
        """A forgotten number must not take the link off."""
        place = ["--database", f"sqlite:///{tmp_path / 'books.db'}"]
        for words in ([], [PHONE, "--remove"]):
            assert CliRunner().invoke(command, ["card", "phone", CARD, *words, *place]).exit_code == 2
