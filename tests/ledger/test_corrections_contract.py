"""A person's word on an entry, on all books: the difference is posted, and the latest word counts."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from ledger.facts.policy import Policy, Stance
from ledger.port.book import Book
from offline_queue.entry import Card, CardEvent, Entry, Happening, Kind, Receipt, Resolution, State
from tests.ledger.conftest import Shelfful
from tests.ledger.fake_till import CARD, OTHER_CARD, START, FakeTill, points_of

UNKNOWN = "2990000000031"
HONOUR, REFUSE = Resolution.HONOUR, Resolution.REFUSE


def stands(till: FakeTill, entry: Entry | bytes) -> tuple[State, str]:
    verdict = till.verdict(entry)
    return verdict.state, verdict.code


def sound(book: Book) -> None:
    verification = book.verify()
    assert verification.problems == []


def mismatched(till: FakeTill) -> Entry:
    """A second sale of 40 under a key that another one of 10 has used; both are sent."""
    first = till.earn(10)
    second = till.earn(40, key=first.key)
    till.send(first, second)
    assert stands(till, second) == (State.PARKED, "key_mismatch")
    return second


class TestWhatItDoes:
    @pytest.mark.parametrize(("word", "points"), [(HONOUR, 50), (REFUSE, 10)])
    def test_a_parked_sale_counts_or_does_not(self, book: Book, till: FakeTill, word: Resolution, points: int) -> None:
        """The second sale under one key is credited under the correction, or settled without effect."""
        second = mismatched(till)
        till.send(till.correct(second.id, word))
        assert stands(till, second) == (State.RESOLVED, "key_mismatch")
        assert till.verdict(second).detail == "by Anne: saw both receipts"
        assert points_of(book) == points
        assert book.flagged() == []
        sound(book)

    @pytest.mark.parametrize(("word", "points"), [(HONOUR, -40), (REFUSE, 10)])
    def test_an_overdraft_stays_or_is_taken_back(
        self, book: Book, till: FakeTill, word: Resolution, points: int
    ) -> None:
        """What was applied and flagged keeps its effect, or loses it."""
        taken = till.redeem(50)
        till.send(till.earn(10), taken)
        assert stands(till, taken) == (State.CONFLICT, "overdrawn")
        till.send(till.correct(taken.id, word))
        assert stands(till, taken) == (State.RESOLVED, "overdrawn")
        assert points_of(book) == points
        sound(book)

    def test_points_of_ones_own_choice(self, book: Book, till: FakeTill) -> None:
        """A person may say how much the entry shall have had; the terminal hears what it had."""
        second = mismatched(till)
        till.send(till.correct(second.id, HONOUR, 25))
        assert (till.verdict(second).points, points_of(book)) == (25, 35)
        sound(book)

    def test_the_latest_word_counts(self, book: Book, till: FakeTill) -> None:
        """Each correction posts the difference to what the entry has by then."""
        second = mismatched(till)
        till.send(till.correct(second.id, HONOUR), till.correct(second.id, REFUSE))
        assert points_of(book) == 10
        till.send(till.correct(second.id, HONOUR, 15))
        assert points_of(book) == 25
        till.send(till.correct(second.id, HONOUR))
        assert points_of(book) == 50
        sound(book)

    def test_a_plain_sale_can_be_corrected(self, book: Book, till: FakeTill) -> None:
        """Also what nobody had flagged may turn out wrong."""
        sale = till.earn(100)
        till.send(sale)
        till.send(till.correct(sale.id, HONOUR, 10))
        assert stands(till, sale) == (State.RESOLVED, "posted")
        assert points_of(book) == 10
        sound(book)

    def test_in_the_batch_of_the_entry_itself(self, book: Book, till: FakeTill) -> None:
        """An entry and words on it may arrive together."""
        first = till.earn(10)
        second = till.earn(40, key=first.key)
        till.send(first, second, till.correct(second.id, HONOUR), till.correct(second.id, HONOUR, 20))
        assert points_of(book) == 30
        sound(book)

    def test_twice_is_once(self, book: Book, till: FakeTill) -> None:
        """The key of a correction has one effect, from whichever record."""
        second = mismatched(till)
        word = till.correct(second.id, HONOUR)
        again = till.correct(second.id, HONOUR, key=word.key)
        till.send(word)
        till.send(word, again)
        assert points_of(book) == 50
        assert stands(till, again) == (State.POSTED, "duplicate")
        sound(book)

    def test_before_the_entry_came(self, book: Book, till: FakeTill) -> None:
        """A word on what the ledger has not heard of waits for it, as the urgent lane may be faster."""
        first = till.earn(10)
        second = till.earn(40, key=first.key)
        word = till.correct(second.id, HONOUR)
        till.send(word)
        assert stands(till, word) == (State.PARKED, "original_unknown")
        till.send(first, second)
        assert stands(till, word) == (State.POSTED, "posted")
        assert stands(till, second) == (State.RESOLVED, "key_mismatch")
        assert points_of(book) == 50
        sound(book)

    def test_what_waited_for_the_entry_goes_on(self, book: Book, till: FakeTill) -> None:
        """The reversal of a sale that was in dispute finds it once it counts."""
        second = mismatched(till)
        back = till.reverse(second, 15)
        till.send(back)
        assert stands(till, back) == (State.PARKED, "original_unknown")
        till.send(till.correct(second.id, HONOUR))
        assert stands(till, back) == (State.POSTED, "posted")
        assert points_of(book) == 35
        sound(book)

    def test_a_record_that_cannot_be_read_is_settled_by_its_place(self, book: Book, till: FakeTill) -> None:
        """Nothing can be credited for it, but nobody has to look at it for ever."""
        till.send(b"garbage")
        place = f"{till.stream.uid}:1"
        till.send(till.correct(place, REFUSE))
        assert stands(till, b"garbage") == (State.RESOLVED, "undecodable")
        assert book.flagged() == []
        sound(book)


def by_day(book: Book) -> dict[str, int]:
    """The points that are left, by the day on which they were earned."""
    statement = book.statement(CARD)
    assert statement is not None
    left = Counter[str]()
    for lot in statement.lots:
        left[lot.earned_at[:10]] += lot.remaining
    return dict(left)


class TestLots:
    def test_a_credited_sale_keeps_its_own_time(self, book: Book, till: FakeTill) -> None:
        """The lot of a sale that a person let count is as old as the sale."""
        first = till.earn(10, occurred_at="2025-06-10T10:00:00.000Z")
        second = till.earn(40, key=first.key, occurred_at="2025-06-01T10:00:00.000Z")
        till.send(first, second, till.correct(second.id, HONOUR))
        statement = book.statement(CARD)
        assert statement is not None
        assert [(lot.earned_at, lot.remaining) for lot in statement.lots] == [
            ("2025-06-01T10:00:00.000Z", 40),
            ("2025-06-10T10:00:00.000Z", 10),
        ]

    def test_a_refused_sale_loses_its_own_lot_first(self, book: Book, till: FakeTill) -> None:
        """Older points stay where they are as long as the refused sale's own are left."""
        old = till.earn(30, occurred_at="2025-06-01T10:00:00.000Z")
        new = till.earn(50, occurred_at="2025-06-10T10:00:00.000Z")
        till.send(old, new, till.correct(new.id, REFUSE))
        statement = book.statement(CARD)
        assert statement is not None
        assert [(lot.entry, lot.remaining) for lot in statement.lots] == [(old.id, 30)]

    def test_a_reversal_that_is_refused_and_honoured_again_takes_the_same_points(
        self, book: Book, till: FakeTill
    ) -> None:
        """Those of its own sale, not the oldest."""
        old = till.earn(5, occurred_at="2025-06-01T10:00:00.000Z")
        sale = till.earn(10, occurred_at="2025-06-10T10:00:00.000Z")
        back = till.reverse(sale, 10)
        till.send(old, sale, back)
        for word, left in ((REFUSE, {"2025-06-01": 5, "2025-06-10": 10}), (HONOUR, {"2025-06-01": 5})):
            till.send(till.correct(back.id, word))
            assert by_day(book) == left
        sound(book)

    def test_refused_and_honoured_again_is_as_before(self, book: Book, till: FakeTill) -> None:
        """A change of mind gives the points back where they were."""
        sale = till.earn(50)
        till.send(sale, till.redeem(20), till.correct(sale.id, REFUSE))
        assert points_of(book) == -20
        till.send(till.correct(sale.id, HONOUR))
        assert points_of(book) == 30
        sound(book)


class TestReversals:
    def test_a_refused_sale_is_not_taken_back_twice(self, book: Book, till: FakeTill) -> None:
        """What a reversal took back before needs no second taking."""
        sale = till.earn(100)
        till.send(sale, till.reverse(sale, 60), till.correct(sale.id, REFUSE))
        assert points_of(book) == 0
        sound(book)

    def test_a_refused_sale_cannot_be_reversed(self, book: Book, till: FakeTill) -> None:
        """There is nothing left of it."""
        sale = till.earn(100)
        till.send(sale, till.correct(sale.id, REFUSE))
        back = till.reverse(sale)
        till.send(back)
        assert points_of(book) == 0
        sound(book)

    @pytest.mark.parametrize(("word", "points"), [(HONOUR, -20), (REFUSE, 100)])
    def test_an_over_reversal(self, book: Book, till: FakeTill, word: Resolution, points: int) -> None:
        """It takes all that it asked for, or nothing at all."""
        sale = till.earn(100)
        back = till.reverse(sale, 120)
        till.send(sale, back)
        assert (stands(till, back), points_of(book)) == ((State.CONFLICT, "over_reversal"), 0)
        till.send(till.correct(back.id, word))
        assert stands(till, back) == (State.RESOLVED, "over_reversal")
        assert points_of(book) == points
        sound(book)

    @pytest.mark.parametrize(("word", "points"), [(HONOUR, -30), (REFUSE, 0)])
    def test_a_second_reversal(self, book: Book, till: FakeTill, word: Resolution, points: int) -> None:
        """It had no effect; a person may want it to have one."""
        sale = till.earn(100)
        back = till.reverse(sale, 30)
        till.send(sale, till.reverse(sale, 100), back)
        assert stands(till, back) == (State.CONFLICT, "reversed_twice")
        till.send(till.correct(back.id, word))
        assert stands(till, back) == (State.RESOLVED, "reversed_twice")
        assert points_of(book) == points
        sound(book)

    def test_a_refused_reversal_can_be_made_again(self, book: Book, till: FakeTill) -> None:
        """What a person undid of it is there to be reversed."""
        sale = till.earn(100)
        back = till.reverse(sale, 100)
        till.send(sale, back, till.correct(back.id, REFUSE))
        assert points_of(book) == 100
        till.send(till.reverse(sale, 40))
        assert points_of(book) == 60
        sound(book)

    def test_a_correction_is_not_reversed(self, book: Book, till: FakeTill) -> None:
        """It is corrected instead."""
        sale = till.earn(100)
        word = till.correct(sale.id, HONOUR, 40)
        back = till.reverse(word)
        till.send(sale, word, back)
        assert (stands(till, back), points_of(book)) == ((State.CONFLICT, "over_reversal"), 40)
        sound(book)


class TestCorrectedCorrections:
    def test_a_word_that_is_refused_is_as_if_unspoken(self, book: Book, till: FakeTill) -> None:
        """The entry has again what it had before that word."""
        second = mismatched(till)
        word = till.correct(second.id, HONOUR)
        till.send(word, till.correct(word.id, REFUSE))
        assert points_of(book) == 10
        assert stands(till, word) == (State.RESOLVED, "posted")
        till.send(till.correct(word.id, HONOUR))
        assert points_of(book) == 50
        sound(book)

    def test_a_word_that_did_not_count_may_count_after_all(self, shelf: Shelfful) -> None:
        """Where tills may not settle anything, the office lets a till's word count by honouring it."""
        book = shelf.open(Policy(till_resolutions=Stance.REFUSE))
        book.register(CARD)
        till = FakeTill(book)
        second = mismatched(till)
        word = till.correct(second.id, HONOUR, 33)
        till.send(word)
        assert (stands(till, word), points_of(book)) == ((State.CONFLICT, "resolution_refused"), 10)
        assert book.resolve(word.id, HONOUR, None, "Office", "as the shop says").effect == 33
        assert stands(till, second) == (State.RESOLVED, "key_mismatch")
        assert stands(till, word) == (State.RESOLVED, "resolution_refused")
        assert points_of(book) == 43
        sound(book)

    def test_a_word_that_was_let_count_is_settled_once(self, book: Book, till: FakeTill) -> None:
        """The office says the same again, as after a lost answer, and then takes it back: the sale has what it had."""
        sale, other = till.earn(30), FakeTill(book, 2)
        till.send(sale)
        said = other.correct(sale.id, HONOUR, 20)
        other.send(said)
        for _ in range(2):
            book.resolve(said.id, HONOUR, -5, "Office", "as the receipt says")
            assert points_of(book) == 25
        book.resolve(said.id, HONOUR, None, "Office", "as the shop says")
        assert points_of(book) == 20
        book.resolve(said.id, REFUSE, None, "Office", "it was another sale")
        assert points_of(book) == 30
        assert stands(other, said) == (State.RESOLVED, "resolution_refused")
        sound(book)


class TestWhoMay:
    def test_another_till_may_not(self, book: Book, till: FakeTill) -> None:
        """A till settles what it recorded itself, and nothing of others."""
        other = FakeTill(book, 2)
        second = mismatched(till)
        word = other.correct(second.id, HONOUR)
        other.send(word)
        assert stands(other, word) == (State.CONFLICT, "resolution_refused")
        assert points_of(book) == 10
        sound(book)

    def test_a_correction_changes_its_entrys_account_alone(self, book: Book, till: FakeTill) -> None:
        """Whatever card it names itself."""
        sale = till.earn(100)
        word = msgspec.structs.replace(till.correct(sale.id, REFUSE), card=Card(OTHER_CARD))
        till.send(sale, word)
        assert (points_of(book), points_of(book, OTHER_CARD)) == (0, 0)
        sound(book)

    def test_one_that_names_nothing_does_nothing(self, book: Book, till: FakeTill) -> None:
        """Only the office's own corrections need no entry."""
        nothing = till.entry(kind=till.correct("x", HONOUR).kind)
        till.send(nothing)
        assert stands(till, nothing) == (State.CONFLICT, "resolution_refused")

    def test_of_a_strangers_entry_its_place_is_its_name(self, book: Book, till: FakeTill) -> None:
        """Nobody takes the id of somebody else's entry: the office names it by where it lies."""
        other = FakeTill(book, 2)
        mine = till.earn(40)
        other.send(mine)
        assert stands(other, mine) == (State.CONFLICT, "signature_bad")
        book.resolve(f"{other.stream.uid}:1", HONOUR, None, "Office", "the disk was moved")
        assert stands(other, mine) == (State.RESOLVED, "signature_bad")
        assert points_of(book) == 40
        till.send(mine)
        sound(book)


class TestUnknownCards:
    def test_points_for_what_moves_none_wait_for_a_person(self, book: Book, till: FakeTill) -> None:
        """Somebody says that the blocking of a card shall have had points: no card that comes will settle that."""
        blocked = till.entry(Kind.CARD_EVENT, event=CardEvent(Happening.BLOCK))
        said = till.correct(blocked.id, HONOUR, 10)
        till.send(blocked, said)
        assert stands(till, said) == (State.PARKED, "card_unknown")
        assert book.register(CARD).opened is False
        book.resolve(said.id, REFUSE, None, "Office", "it was no sale")
        assert stands(till, said) == (State.RESOLVED, "card_unknown")
        sound(book)

    def test_a_refused_sale_is_not_credited_at_registration(self, book: Book, till: FakeTill) -> None:
        """It waits no more."""
        sale = till.earn(40, UNKNOWN)
        till.send(sale, till.correct(sale.id, REFUSE))
        assert stands(till, sale) == (State.RESOLVED, "card_unknown")
        book.register(UNKNOWN)
        assert points_of(book, UNKNOWN) == 0
        sound(book)

    def test_an_honoured_one_needs_its_account(self, book: Book, till: FakeTill) -> None:
        """The word waits with the sale, and both come to one credit."""
        sale = till.earn(40, UNKNOWN)
        word = till.correct(sale.id, HONOUR)
        till.send(sale, word)
        assert stands(till, word) == (State.PARKED, "card_unknown")
        book.register(UNKNOWN)
        assert points_of(book, UNKNOWN) == 40
        assert stands(till, word) == (State.POSTED, "posted")
        sound(book)

    def test_a_redemption_on_an_unknown_card(self, book: Book, till: FakeTill) -> None:
        """Once there is an account a person may let it count; the balance says so."""
        taken = till.redeem(40, UNKNOWN)
        till.send(taken)
        book.register(UNKNOWN)
        till.send(till.correct(taken.id, HONOUR))
        assert points_of(book, UNKNOWN) == -40
        sound(book)


def test_a_promise_of_a_settled_entry_ends(book: Book, till: FakeTill) -> None:
    """Points that were promised for what never counted are free again, also when it counts after all."""
    till.send(till.earn(100))
    till.ask("a1", 30)
    till.ask("a2", 20)
    first = till.redeem(30, allowance="a1")
    second = till.redeem(20, allowance="a2", key=first.key)
    till.send(first, second)
    till.send(till.correct(second.id, HONOUR))
    assert points_of(book) == 50
    statement = book.statement(CARD)
    assert statement is not None
    assert statement.reserved == 0
    sound(book)


def test_a_word_that_is_judged_before_its_sale_counts_once(book: Book, till: FakeTill) -> None:
    """Both waited for the card; the word lies on the older stream and is taken up first."""
    urgent, bulk = till.new_stream(), till.new_stream()
    sale = till.earn(40, UNKNOWN)
    till.send(till.earn(1), stream=urgent)
    till.send(sale, stream=bulk)
    till.send(till.correct(sale.id, HONOUR), stream=urgent)
    book.register(UNKNOWN)
    assert points_of(book, UNKNOWN) == 40
    sound(book)


# Each code that asks for a person, and how an entry of 20 points comes to it.
def forked(till: FakeTill) -> Entry:
    till.send(till.earn(100))
    clone, disputed = till.stream.copy(), till.earn(20)
    till.send(till.earn(1))
    till.send(disputed, stream=clone)
    return disputed


def over_reversed(till: FakeTill) -> Entry:
    original = till.redeem(15)
    disputed = till.reverse(original, 20)
    till.send(till.earn(100), original, disputed)
    return disputed


def reversed_again(till: FakeTill) -> Entry:
    original = till.redeem(30)
    disputed = till.reverse(original, 20)
    till.send(till.earn(100), original, till.reverse(original, 30), disputed)
    return disputed


def on_a_used_key(till: FakeTill) -> Entry:
    first = till.earn(100)
    disputed = till.earn(20, key=first.key)
    till.send(first, disputed)
    return disputed


def on_a_used_receipt(till: FakeTill) -> Entry:
    receipt = Receipt("0042", "S001", START)
    disputed = till.earn(20, receipt=receipt)
    till.send(till.earn(100, receipt=receipt), disputed)
    return disputed


def overdrawing(till: FakeTill) -> Entry:
    disputed = till.redeem(20)
    till.send(till.earn(5), disputed)
    return disputed


def beyond_its_right(till: FakeTill) -> Entry:
    till.send(till.earn(100))
    till.ask("a1", 10)
    disputed = till.redeem(20, allowance="a1")
    till.send(disputed)
    return disputed


def without_a_right(till: FakeTill) -> Entry:
    disputed = till.redeem(20, allowance="never granted")
    till.send(till.earn(100), disputed)
    return disputed


def on_an_unknown_card(till: FakeTill) -> Entry:
    disputed = till.redeem(20, UNKNOWN)
    till.send(disputed)
    till.book.register(UNKNOWN, 100)
    return disputed


def after_its_key_was_revoked(till: FakeTill) -> Entry:
    till.send(till.earn(100))
    till.book.revoke(till.terminal, "stolen")
    disputed = till.earn(20)
    till.send(disputed)
    return disputed


DISPUTES: dict[str, Callable[[FakeTill], Entry]] = {
    "fork": forked,
    "over_reversal": over_reversed,
    "reversed_twice": reversed_again,
    "key_mismatch": on_a_used_key,
    "receipt_duplicate": on_a_used_receipt,
    "overdrawn": overdrawing,
    "allowance_exceeded": beyond_its_right,
    "allowance_void": without_a_right,
    "card_unknown": on_an_unknown_card,
    "key_revoked": after_its_key_was_revoked,
}


@pytest.mark.parametrize("code", DISPUTES)
def test_each_code_is_settled_both_ways(book: Book, code: str) -> None:
    """By the office, one after the other: with all of its points, without any, and all of them again."""
    till = FakeTill(book)
    disputed = DISPUTES[code](till)
    name = next((flag.name for flag in book.flagged() if flag.id == disputed.id), disputed.id)
    looked = book.conflict(name)
    assert looked is not None
    assert looked.record.code == code
    card = UNKNOWN if code == "card_unknown" else CARD
    asked, without = looked.asked, points_of(book, card) - looked.has
    assert abs(asked) == 20
    for word, shall in ((HONOUR, asked), (REFUSE, 0), (HONOUR, asked)):
        book.resolve(name, word, None, "Office", "looked at it")
        assert points_of(book, card) == without + shall
        assert book.conflict(name).record.state == "resolved"  # type: ignore[union-attr]
    assert disputed.id not in {flag.id for flag in book.flagged()}
    sound(book)


def test_till_and_office_at_once(book: Book, till: FakeTill) -> None:
    """Whoever is heard last is right, and each word is in the books; nobody waits for the other."""
    second = mismatched(till)
    calls = [
        lambda: till.send(till.correct(second.id, HONOUR)),
        lambda: book.resolve(second.id, REFUSE, None, "Office", "seen"),
        lambda: book.resolve(second.id, HONOUR, 7, "Office", "seen"),
    ]
    with ThreadPoolExecutor(len(calls)) as pool:
        for done in [pool.submit(call) for call in calls]:
            done.result(60)
    found = book.conflict(second.id)
    assert found is not None
    assert len(found.words) == 3
    assert points_of(book) == 10 + found.words[-1].shall
    sound(book)
