"""What happens to cards, on both engines: points follow, nothing is lost on the way, and the log explains it."""

import pytest

from ledger.facts.policy import Policy, UnknownCards
from ledger.port.book import Book
from ledger.port.refusals import Refused
from offline_queue.entry import Card, CardEvent, Entry, Happening, Kind, State, decode
from tests.ledger.conftest import Shelfful
from tests.ledger.fake_till import CARD, OTHER_CARD, FakeTill, points_of

NEW, NEWER, UNKNOWN = "2990000000111", "2990000000128", "2990000000099"


def happens(till: FakeTill, happening: Happening, card: str, successor: str | None = None, **more: object) -> Entry:
    return till.entry(Kind.CARD_EVENT, 0, card, event=CardEvent(happening, successor), **more)


def replaced(till: FakeTill, card: str, successor: str) -> Entry:
    return happens(till, Happening.REPLACE, card, successor)


def told(book: Book) -> list[tuple[str, str, str | None]]:
    """What tills hear of cards."""
    page = book.changes("r", 0, 100)
    return [(c.card.number, c.card.status, c.card.successor) for c in page.changes if c.card]


def verified(book: Book) -> None:
    assert book.verify().problems == []


class TestActivation:
    def test_a_card_is_activated_and_what_waited_is_credited(self, book: Book, till: FakeTill) -> None:
        """Registered at a till; a mere registration is nothing that other tills have to know."""
        till.send(till.earn(10, UNKNOWN))
        event = happens(till, Happening.ACTIVATE, UNKNOWN)
        till.send(event)
        assert till.verdict(event).state is State.POSTED
        assert points_of(book, UNKNOWN) == 10
        assert told(book) == []
        verified(book)

    def test_a_blocked_card_is_not_activated(self, book: Book, till: FakeTill) -> None:
        """Whoever activates it must know that it was blocked."""
        till.send(happens(till, Happening.BLOCK, CARD))
        event = happens(till, Happening.ACTIVATE, CARD)
        till.send(event)
        assert (till.verdict(event).state, till.verdict(event).code) == (State.CONFLICT, "card_event_refused")


class TestBlocking:
    def test_a_block_is_told_to_every_till_once(self, book: Book, till: FakeTill) -> None:
        """However often it is said; the unblocking too."""
        till.send(happens(till, Happening.BLOCK, CARD), happens(till, Happening.BLOCK, CARD))
        assert told(book) == [(CARD, "blocked", None)]
        till.send(happens(till, Happening.UNBLOCK, CARD), happens(till, Happening.UNBLOCK, CARD))
        assert told(book) == [(CARD, "blocked", None), (CARD, "active", None)]
        verified(book)

    def test_an_event_that_comes_again_does_not_happen_again(self, book: Book, till: FakeTill) -> None:
        """A copied disk sends the block once more after the card was unblocked."""
        event = happens(till, Happening.BLOCK, CARD, key="K")
        till.send(event)
        book.happen(CARD, Happening.UNBLOCK, "anna", "found again")
        till.send(happens(till, Happening.BLOCK, CARD, key="K"))
        assert book.card(CARD).status == "active"

    def test_no_promise_is_made_on_a_blocked_card(self, book: Book, till: FakeTill) -> None:
        """The refusal says why."""
        till.send(till.earn(100), happens(till, Happening.BLOCK, CARD))
        refusal = till.ask("a1", 10)
        assert (refusal.granted, refusal.code) == (False, "card_blocked_known")

    def test_a_card_may_be_blocked_before_it_has_an_account(self, book: Book, till: FakeTill) -> None:
        """It is then unblocked without one, and known as inactive until it is activated."""
        till.send(happens(till, Happening.BLOCK, UNKNOWN), happens(till, Happening.UNBLOCK, UNKNOWN))
        till.send(happens(till, Happening.ACTIVATE, UNKNOWN))
        assert [status for _, status, _ in told(book)] == ["blocked", "inactive", "active"]
        verified(book)

    def test_a_card_that_another_stands_for_is_not_blocked(self, book: Book, till: FakeTill) -> None:
        """The late block of an offline till does not hold up the new card."""
        till.send(replaced(till, CARD, NEW), happens(till, Happening.BLOCK, CARD))
        assert book.card(CARD).status == "replaced"
        assert book.card(NEW).status == "active"


class TestReplacement:
    def test_the_balance_stays_and_the_old_number_follows(self, book: Book, till: FakeTill) -> None:
        """Also for what is still queued elsewhere, and however often a card is replaced."""
        other = FakeTill(book, 2)
        late = other.earn(5)
        till.send(till.earn(10), replaced(till, CARD, NEW), replaced(till, NEW, NEWER))
        other.send(late)
        assert points_of(book, CARD) == points_of(book, NEW) == points_of(book, NEWER) == 15
        assert told(book) == [(CARD, "replaced", NEW), (NEW, "replaced", NEWER)]
        account = book.account("r", CARD)
        assert account is not None
        assert (account.balance.status, account.balance.successor) == ("replaced", NEW)
        verified(book)

    def test_points_on_the_new_card_join_those_of_the_old(self, book: Book, till: FakeTill) -> None:
        """By a pair of entries that explains it; lots keep their dates."""
        till.send(till.earn(10), till.earn(7, OTHER_CARD), replaced(till, CARD, OTHER_CARD))
        assert points_of(book, CARD) == points_of(book, OTHER_CARD) == 17
        statement = book.statement(OTHER_CARD)
        assert statement is not None
        assert sorted(line.points for line in statement.entries) == [-7, 7, 7, 10]
        assert [lot.points for lot in statement.lots] == [10, 7]
        verified(book)

    def test_a_replacement_waits_for_no_registration(self, book: Book, till: FakeTill) -> None:
        """An earn on a number that was replaced before anybody registered it is credited with the last of the chain."""
        till.send(
            till.earn(3, UNKNOWN), replaced(till, UNKNOWN, NEW), till.earn(4, UNKNOWN), replaced(till, NEW, NEWER)
        )
        assert book.statement(NEWER) is None
        book.register(NEWER)
        assert points_of(book, UNKNOWN) == points_of(book, NEWER) == 7
        verified(book)

    def test_what_waits_for_an_unknown_card_follows_to_a_known_one(self, book: Book, till: FakeTill) -> None:
        """The old card was never registered, the new one is."""
        waiting = till.earn(3, UNKNOWN)
        till.send(waiting, replaced(till, UNKNOWN, CARD))
        assert till.verdict(waiting).state is State.POSTED
        assert points_of(book, CARD) == 3
        verified(book)

    def test_a_circle_is_refused(self, book: Book, till: FakeTill) -> None:
        """Nothing changes, and a person must look."""
        circle = replaced(till, NEWER, CARD)
        till.send(till.earn(1), replaced(till, CARD, NEW), replaced(till, NEW, NEWER), circle)
        assert (till.verdict(circle).state, till.verdict(circle).code) == (State.CONFLICT, "card_event_refused")
        assert CARD not in (till.verdict(circle).detail or "")
        assert points_of(book, NEWER) == 1

    def test_a_card_is_replaced_by_one_card(self, book: Book, till: FakeTill) -> None:
        """Two tills gave the customer two new cards: the first stands, and saying it again is no second."""
        other = FakeTill(book, 2)
        second = replaced(other, CARD, NEWER)
        till.send(replaced(till, CARD, NEW), replaced(till, CARD, NEW))
        other.send(second)
        assert other.verdict(second).code == "card_event_refused"
        assert book.card(CARD).stands == NEW

    @pytest.mark.parametrize("successor", [None, CARD, "", "x" * 65])
    def test_another_card_is_needed(self, book: Book, till: FakeTill, successor: str | None) -> None:
        """And one that can be a card's number."""
        event = happens(till, Happening.REPLACE, CARD, successor)
        till.send(event)
        assert till.verdict(event).code == "card_event_refused"

    def test_a_promise_is_kept_on_the_new_card(self, book: Book, till: FakeTill) -> None:
        """A till that was promised points on the old card uses them after the account has moved."""
        till.send(till.earn(100, OTHER_CARD))
        assert till.ask("a1", 80, OTHER_CARD).granted
        till.send(replaced(till, CARD, OTHER_CARD))
        spent = till.redeem(80, OTHER_CARD, allowance="a1")
        till.send(spent)
        assert (till.verdict(spent).state, till.verdict(spent).code) == (State.POSTED, "posted")
        assert points_of(book, CARD) == 20
        verified(book)


class TestMerger:
    def test_only_the_office_merges(self, book: Book, till: FakeTill) -> None:
        """Unless the retailer lets tills do it."""
        event = happens(till, Happening.MERGE, CARD, OTHER_CARD)
        till.send(event)
        assert till.verdict(event).code == "card_event_refused"

    def test_a_retailer_may_let_tills_merge(self, shelf: Shelfful) -> None:
        """And keep them from anything else."""
        book = shelf.open(Policy(UnknownCards.REGISTER, events_from_tills=frozenset({Happening.MERGE})))
        till = FakeTill(book)
        block = happens(till, Happening.BLOCK, CARD)
        till.send(till.earn(1), till.earn(2, OTHER_CARD), happens(till, Happening.MERGE, CARD, OTHER_CARD), block)
        assert points_of(book, OTHER_CARD) == 3
        assert till.verdict(block).code == "card_event_refused"

    def test_everything_goes_with_the_points(self, book: Book, till: FakeTill) -> None:
        """Promises, overdrafts, what was used of a lot, and whatever comes later under the old number."""
        earned, spent = till.earn(100), till.redeem(30)
        till.send(earned, spent, till.redeem(20, OTHER_CARD))
        assert till.ask("a1", 40).granted
        shown = book.happen(CARD, Happening.MERGE, "anna", "two cards of one customer", OTHER_CARD)
        assert (shown.code, shown.status, shown.stands) == ("posted", "merged", OTHER_CARD)
        assert points_of(book, OTHER_CARD) == 50
        till.send(till.redeem(40, allowance="a1"), till.reverse(spent), till.reverse(earned, 10), till.earn(5))
        assert points_of(book, CARD) == points_of(book, OTHER_CARD) == 35
        assert told(book) == [(CARD, "merged", OTHER_CARD)]
        verified(book)

    def test_mergers_lead_on(self, book: Book, till: FakeTill) -> None:
        """A into B, B into C: and what was taken on A is put back on C."""
        book.register(NEW)
        spent = till.redeem(4)
        till.send(till.earn(10), spent, till.earn(1, OTHER_CARD), till.earn(2, NEW))
        book.happen(CARD, Happening.MERGE, "anna", "", OTHER_CARD)
        book.happen(OTHER_CARD, Happening.MERGE, "anna", "", NEW)
        till.send(till.reverse(spent))
        assert points_of(book, CARD) == points_of(book, NEW) == 13
        verified(book)

    def test_mergers_lead_on_in_one_batch(self, book: Book, till: FakeTill) -> None:
        """Points that have just come from another account go on with all others."""
        for card, points in ((CARD, 10), (OTHER_CARD, 20), (NEW, 40)):
            book.register(card, points)
        till.send(replaced(till, CARD, NEW), replaced(till, OTHER_CARD, CARD), till.redeem(65, NEW))
        assert points_of(book, OTHER_CARD) == 5
        verified(book)

    def test_in_one_batch(self, shelf: Shelfful) -> None:
        """Earned, used, merged, reversed: it is the same when all of it comes at once."""
        book = shelf.open(Policy(UnknownCards.REGISTER, events_from_tills=frozenset(Happening)))
        till = FakeTill(book)
        earned, spent = till.earn(10), till.redeem(4)
        merge = happens(till, Happening.MERGE, CARD, OTHER_CARD)
        till.send(earned, spent, till.earn(1, OTHER_CARD), merge, till.reverse(spent), till.redeem(2), till.earn(3))
        assert points_of(book, CARD) == 12
        verified(book)

    @pytest.mark.parametrize("other", [UNKNOWN, CARD])
    def test_two_accounts_are_needed(self, book: Book, other: str) -> None:
        """Told in words, and nothing is changed."""
        shown = book.happen(CARD, Happening.MERGE, "anna", "", other)
        assert shown.code == "card_event_refused"
        assert shown.detail
        assert book.card(CARD).status == "active"


class TestOffice:
    def test_its_acts_are_entries_of_its_own(self, book: Book) -> None:
        """The log says what happened to the card, by whom and why."""
        shown = book.happen(CARD, Happening.BLOCK, "anna", "reported stolen")
        assert (shown.status, shown.code) == ("blocked", "posted")
        assert shown.entry is not None
        verified(book)

    @pytest.mark.parametrize(
        ("number", "author", "reason", "successor"),
        [
            *(
                ("", "anna", "", None),
                ("x" * 65, "anna", "", None),
                (CARD, "anna", "", "x" * 65),
                ("", "anna", "", CARD),
            ),
            *((CARD, "", "", None), (CARD, "a" * 65, "", None), (CARD, "anna", "r" * 301, None)),
        ],
    )
    def test_nonsense_is_refused(
        self, book: Book, number: str, author: str, reason: str, successor: str | None
    ) -> None:
        """Before anything is written."""
        with pytest.raises(Refused) as refusal:
            book.happen(number, Happening.REPLACE if successor else Happening.BLOCK, author, reason, successor)
        assert refusal.value.problem.code == "malformed"
        assert book.verify().records == 0

    @pytest.mark.parametrize("author", ["a", "a" * 64])
    def test_a_long_reason_and_any_name_are_kept_as_they_were_said(self, book: Book, author: str) -> None:
        """In the entry itself, which is what the log is believed by."""
        book.happen(CARD, Happening.BLOCK, author, "r" * 300)
        ((raw,),) = book._engine.read(lambda tables: tables.rows("SELECT bytes FROM record"))  # type: ignore[attr-defined]
        entry = decode(bytes(raw))
        assert entry.event is not None
        assert (entry.operator, entry.event.reason, entry.terminal) == (author, "r" * 300, "ledger")

    def test_a_card_is_shown_with_what_is_on_it(self, book: Book, till: FakeTill) -> None:
        """Its points, what is promised of them, how worn it is; one that nobody knows has none of that."""
        till.send(till.earn(10, Card(CARD, "qr", None, 40)))
        till.ask("a1", 4)
        shown = book.card(CARD)
        assert (shown.stands, shown.stands_as, shown.points, shown.reserved) == (None, "active", 10, 4)
        assert [(wear.technology, wear.wear) for wear in shown.wear] == [("qr", 40)]
        assert (shown.entry, shown.code, shown.detail) == (None, None, None)
        unknown = book.card(UNKNOWN)
        assert (unknown.status, unknown.stands, unknown.account) == ("inactive", None, None)
        assert (unknown.points, unknown.reserved, unknown.wear) == (None, None, [])


class TestUseOfABlockedCard:
    def test_what_it_earns_is_held_until_it_is_unblocked(self, book: Book, till: FakeTill) -> None:
        """Through a replacement too: the new card is not blocked."""
        held, moved = till.earn(10), till.earn(20, OTHER_CARD)
        till.send(happens(till, Happening.BLOCK, CARD), happens(till, Happening.BLOCK, OTHER_CARD), held, moved)
        assert till.verdict(held).state is State.PARKED
        assert points_of(book) == 0
        till.send(happens(till, Happening.UNBLOCK, CARD), replaced(till, OTHER_CARD, NEW))
        assert (points_of(book), points_of(book, NEW)) == (10, 20)
        verified(book)

    @pytest.mark.parametrize(("hotlist", "code"), [(None, "card_blocked_unknown"), (3, "card_blocked_known")])
    def test_whose_loss_a_redemption_is_follows_from_what_the_till_knew(
        self, book: Book, till: FakeTill, hotlist: int | None, code: str
    ) -> None:
        """The block is the feed's second change, behind the till's own key."""
        till.send(till.earn(10), happens(till, Happening.BLOCK, CARD))
        spent = till.redeem(4, hotlist=hotlist)
        till.send(spent)
        assert (till.verdict(spent).state, till.verdict(spent).code) == (State.CONFLICT, code)
        assert points_of(book) == 6

    def test_in_the_batch_that_blocks_it_nobody_could_know(self, book: Book, till: FakeTill) -> None:
        """The change has no number yet."""
        spent = till.redeem(4, hotlist=10**6)
        till.send(till.earn(10), happens(till, Happening.BLOCK, CARD), spent)
        assert till.verdict(spent).code == "card_blocked_unknown"

    def test_a_replaced_card_is_noted(self, book: Book, till: FakeTill) -> None:
        """The points went to another card: told, and nothing to do."""
        earned = till.earn(5)
        till.send(replaced(till, CARD, NEW), earned)
        assert (till.verdict(earned).state, till.verdict(earned).code) == (State.POSTED, "card_replaced")
