"""What a person's word leaves behind in the books: promises, names, verdicts, dates; in one batch or in many."""

import pytest

from ledger.facts.codes import Code
from ledger.port.book import Book
from ledger.port.terminals import Held
from offline_queue.entry import Entry, Receipt, Resolution, State
from tests.ledger.conftest import Shelfful
from tests.ledger.fake_till import CARD, START_MS, FakeTill, points_of
from tests.ledger.test_corrections_contract import HONOUR, REFUSE, by_day, sound
from tests.ledger.test_expiry import DATED, DAY_MS, balance_of, made_on


def told(till: FakeTill, entry: Entry) -> tuple[State, str, int | None]:
    verdict = till.verdict(entry)
    return verdict.state, verdict.code, verdict.points


class TestPromises:
    def held(self, book: Book) -> list[Held]:
        return [right for right in book.allowances() if right.state in ("open", "locked")]

    @pytest.mark.parametrize(("word", "left"), [(HONOUR, 90), (REFUSE, 100)])
    def test_what_a_revoked_till_redeemed_ends_its_promise(
        self, book: Book, till: FakeTill, word: Resolution, left: int
    ) -> None:
        """Used up where the redemption counts after all, free again where it does not."""
        other = FakeTill(book, 2)
        other.send(other.earn(100))
        till.ask("a1", 10)
        book.revoke(till.terminal, "stolen")
        used = till.redeem(10, allowance="a1")
        till.send(used)
        assert told(till, used)[:2] == (State.CONFLICT, "key_revoked")
        assert [right.id for right in self.held(book)] == ["a1"]
        book.resolve(f"{till.stream.uid}:1", word, None, "Office", "the goods were handed over, or not")
        assert (points_of(book), self.held(book)) == (left, [])
        assert balance_of(book).reserved == 0
        sound(book)

    def test_the_promise_of_another_till_is_not_touched(self, book: Book, till: FakeTill) -> None:
        """A revoked till named it: whatever is decided of that, its holder redeems with it."""
        other = FakeTill(book, 2)
        other.send(other.earn(100))
        other.ask("a2", 10)
        book.revoke(till.terminal, "stolen")
        stolen = till.redeem(10, allowance="a2")
        till.send(stolen)
        book.resolve(f"{till.stream.uid}:1", HONOUR, None, "Office", "the goods were handed over")
        assert [right.id for right in self.held(book)] == ["a2"]
        used = other.redeem(10, allowance="a2")
        other.send(used)
        assert (told(other, used)[0], points_of(book)) == (State.POSTED, 80)
        sound(book)


class TestWhoseWord:
    def test_a_till_does_not_overrule_head_office(self, book: Book, till: FakeTill) -> None:
        """The sale is the till's own, the word on it is not: taking that back is the office's."""
        sale = till.earn(100)
        till.send(sale)
        said = book.resolve(sale.id, REFUSE, None, "Office", "never happened")
        against = till.correct(said.correction, REFUSE)
        till.send(against)
        assert told(till, against)[:2] == (State.CONFLICT, "resolution_refused")
        assert points_of(book) == 0
        sound(book)

    def test_a_till_does_not_let_its_own_refused_word_count(self, book: Book, till: FakeTill) -> None:
        """What another till recorded is not its own, however often it says so."""
        other = FakeTill(book, 2)
        sale = till.earn(100)
        till.send(sale)
        first = other.correct(sale.id, REFUSE)
        other.send(first)
        second = other.correct(first.id, HONOUR)
        other.send(second)
        assert [told(other, word)[:2] for word in (first, second)] == [(State.CONFLICT, "resolution_refused")] * 2
        assert points_of(book) == 100
        sound(book)


class TestLeft:
    def test_a_word_that_was_taken_back_says_what_is_left_of_it(self, book: Book, till: FakeTill) -> None:
        """Its own verdict tells its own points: none while it does not count, all of them when it does again."""
        sale = till.earn(10)
        word = till.correct(sale.id, HONOUR, 25)
        till.send(sale, word, till.correct(word.id, REFUSE))
        assert (told(till, word), points_of(book)) == ((State.RESOLVED, "posted", 0), 10)
        assert told(till, sale) == (State.RESOLVED, "posted", None)
        till.send(till.correct(word.id, HONOUR))
        assert (told(till, word), points_of(book)) == ((State.RESOLVED, "posted", None), 25)
        assert told(till, sale) == (State.RESOLVED, "posted", 25)
        sound(book)

    @pytest.mark.parametrize("apart", [True, False])
    def test_a_sale_that_counts_by_a_word_can_be_reversed(self, book: Book, till: FakeTill, apart: bool) -> None:
        """Its name leads to it, though it had no posting of its own."""
        first = till.earn(10)
        second = till.earn(40, key=first.key)
        back = till.reverse(second, 15)
        entries = [first, second, till.correct(second.id, HONOUR), back]
        for batch in [[entry] for entry in entries] if apart else [entries]:
            till.send(*batch)
        assert (told(till, back)[:2], points_of(book)) == ((State.POSTED, "posted"), 35)
        sound(book)

    @pytest.mark.parametrize("apart", [True, False])
    def test_a_corrected_sale_that_is_reversed_gives_of_its_own(self, book: Book, till: FakeTill, apart: bool) -> None:
        """What two people added to it is its own too: older points of the customer stay, with their dates."""
        old = till.earn(5, occurred_at="2025-06-01T10:00:00.000Z")
        sale = till.earn(10, occurred_at="2025-06-10T10:00:00.000Z")
        words = [till.correct(sale.id, HONOUR, points) for points in (20, 25)]
        entries = [old, sale, *words, till.reverse(sale, 23)]
        for batch in [[entry] for entry in entries] if apart else [entries]:
            till.send(*batch)
        assert by_day(book) == {"2025-06-01": 5, "2025-06-10": 2}
        till.send(till.reverse(sale))
        assert by_day(book) == {"2025-06-01": 5}
        sound(book)

    @pytest.mark.parametrize("apart", [True, False])
    def test_a_reversal_that_a_person_refused_can_be_made_again(self, book: Book, till: FakeTill, apart: bool) -> None:
        """Of a redemption too: what the first one gave back and lost again is there for the second."""
        sale, used = till.earn(100), till.redeem(60)
        first, second = till.reverse(used, 50), till.reverse(used, 60)
        entries = [sale, used, first, till.correct(first.id, REFUSE), second]
        for batch in [[entry] for entry in entries] if apart else [entries]:
            till.send(*batch)
        assert (told(till, second), points_of(book)) == ((State.POSTED, "posted", None), 100)
        sound(book)

    @pytest.mark.parametrize("apart", [True, False])
    def test_points_of_a_redemption_return_to_their_lots_whatever_was_said_between(
        self, book: Book, till: FakeTill, apart: bool
    ) -> None:
        """A reversal, its refusal and another reversal: each sale has its own points again, with its own date."""
        sales = [till.earn(10, occurred_at=f"2025-06-0{day}T10:00:00.000Z") for day in (1, 2)]
        used = till.redeem(15)
        first, second = till.reverse(used, 5), till.reverse(used)
        entries = [*sales, used, first, till.correct(first.id, REFUSE), second]
        for batch in [[entry] for entry in entries] if apart else [entries]:
            till.send(*batch)
        assert by_day(book) == {"2025-06-01": 10, "2025-06-02": 10}
        sound(book)

    def test_a_credited_sale_ends_as_its_rule_says(self, shelf: Shelfful) -> None:
        """The account knows of the new end at once: a day later its points are gone."""
        book = shelf.open(DATED)
        book.register(CARD)
        till = FakeTill(book)
        first = till.earn(10, **made_on(0, "unknown@1"))
        second = till.earn(40, key=first.key, **made_on(0))
        till.send(first, second)
        assert told(till, second)[1] == Code.KEY_MISMATCH
        till.send(till.correct(second.id, HONOUR))
        assert balance_of(book).points == 50
        sound(book)
        shelf.timepiece.now = START_MS + 31 * DAY_MS
        assert balance_of(book).points == 10
        sound(book)


def test_who_decides_sees_the_sale_and_the_account(book: Book, till: FakeTill) -> None:
    """The receipt and the time to compare with, what the customer has, and what of it is promised."""
    till.send(till.earn(100))
    till.ask("a1", 30)
    first = till.earn(10)
    second = till.earn(40, key=first.key, receipt=Receipt("R-17", "S001"), occurred_at="2025-06-15T09:00:00.000Z")
    till.send(first, second)
    found = book.conflict(second.id)
    assert found is not None
    assert (found.occurred_at, found.receipt) == ("2025-06-15T09:00:00.000Z", "R-17")
    assert (found.balance, found.reserved) == (110, 30)
    plain = book.conflict(first.id)
    assert plain is not None
    assert (plain.receipt, plain.asked, plain.has) == (None, 10, 10)
    till.send(b"garbage")
    unread = book.conflict(f"{till.stream.uid}:{len(till.stream.records)}")
    assert unread is not None
    assert (unread.occurred_at, unread.receipt, unread.balance, unread.reserved) == (None, None, None, None)
