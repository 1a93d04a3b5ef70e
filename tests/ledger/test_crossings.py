"""Where features meet: claims, revoked keys, people's words, copies and receipts come to one effect a sale."""

import pytest

from ledger.facts.policy import Policy
from ledger.port.book import Book
from ledger.port.refusals import Refused
from offline_queue.entry import CardEvent, Claim, Entry, Happening, Kind, Receipt, Resolution, State
from tests.ledger.conftest import Shelfful
from tests.ledger.fake_till import CARD, OTHER_CARD, START, FakeTill, points_of
from tests.ledger.test_claims import PUBLIC, STRANGE_KEY, UNKNOWN, claim

HONOUR, REFUSE = Resolution.HONOUR, Resolution.REFUSE
RECEIPT = Receipt("815", "S001", "2025-06-15T15:00:00Z")


@pytest.fixture
def other(book: Book) -> FakeTill:
    """A till that signs claim codes, and may burn or be stolen."""
    return FakeTill(book, 9, PUBLIC)


def word(till: FakeTill, entry: Entry) -> tuple[State, str]:
    verdict = till.verdict(entry)
    return verdict.state, verdict.code


def decide(book: Book, name: str, resolution: Resolution) -> None:
    book.resolve(name, resolution, None, "Anne", "saw the paper receipt")


def sound(book: Book) -> None:
    assert book.verify().problems == []


def event(till: FakeTill, happening: Happening, card: str = CARD) -> Entry:
    return till.entry(Kind.CARD_EVENT, card=card, event=CardEvent(happening))


class TestRevokedKeys:
    def test_a_claim_that_waited_is_still_proven(self, book: Book, till: FakeTill, other: FakeTill) -> None:
        """It was proven when it came, and holds its sale's key: the end of the till's key loses no points."""
        sale = other.earn(30, None)
        redeemed = claim(till, sale, UNKNOWN)
        till.send(redeemed)
        book.revoke(other.terminal, "stolen")
        book.register(UNKNOWN)
        assert word(till, redeemed) == (State.POSTED, "posted")
        assert points_of(book, UNKNOWN) == 30
        book.enrol(other.terminal, bytes(32), replace=True)
        other.send(sale)
        assert word(other, sale) == (State.POSTED, "duplicate")
        assert points_of(book, UNKNOWN) == 30
        sound(book)

    def test_a_sale_that_a_person_let_count_is_not_claimed_again(
        self, book: Book, till: FakeTill, other: FakeTill
    ) -> None:
        """What was signed by a revoked key takes its idempotency key when it comes to count."""
        sale = other.earn(30)
        book.revoke(other.terminal, "stolen")
        other.send(sale)
        (flagged,) = book.flagged()
        decide(book, flagged.name, HONOUR)
        assert points_of(book) == 30
        book.enrol(other.terminal, PUBLIC, replace=True)
        redeemed = claim(till, sale)
        till.send(redeemed)
        assert word(till, redeemed) == (State.RESOLVED, "duplicate")
        assert points_of(book) == 30
        sound(book)

    def test_what_came_behind_the_last_breach_leaves_its_name(self, shelf: Shelfful) -> None:
        """The sale comes again when its till is trusted again, counts then, and can be taken back."""
        book = shelf.open(Policy(breaches=1))
        book.register(CARD, 50)
        till = FakeTill(book)
        assert till.ask("a1", 10).granted
        sale = till.earn(30)
        till.send(till.redeem(10, allowance="a1"), till.redeem(10, allowance="a1"), sale)
        assert word(till, sale) == (State.CONFLICT, "key_revoked")
        book.enrol(till.terminal, bytes(32), replace=True)
        till.stream = till.new_stream()
        undone = till.reverse(sale)
        till.send(sale, undone)
        assert word(till, undone) == (State.POSTED, "posted")
        assert points_of(book) == 30
        sound(book)

    def test_what_waited_for_the_last_breach_itself(self, shelf: Shelfful) -> None:
        """The redemption that costs the till its key is in the books: its reversal and a word on it are heard."""
        book = shelf.open(Policy(breaches=1))
        book.register(CARD, 50)
        till, second = FakeTill(book), FakeTill(book, 2)
        assert till.ask("a1", 10).granted
        last = till.redeem(10, allowance="a1")
        undone, said = second.reverse(last), second.correct(last.id, REFUSE)
        second.send(undone, said)
        till.send(till.redeem(10, allowance="a1"), last)
        assert word(second, undone) == (State.POSTED, "posted")
        assert word(second, said) == (State.CONFLICT, "resolution_refused")
        assert points_of(book) == 40
        sound(book)

    def test_a_word_that_was_said_before(self, book: Book, till: FakeTill, other: FakeTill) -> None:
        """It has waited for its sale, as a reversal does: it is heard, and so is who repeats it."""
        sale = till.earn(30)
        said = other.correct(sale.id, REFUSE)
        again = till.correct(sale.id, REFUSE, key=said.key)
        other.send(said)
        till.send(again)
        book.revoke(other.terminal, "stolen")
        till.send(sale)
        assert word(other, said) == (State.CONFLICT, "resolution_refused")
        assert word(till, again) == (State.CONFLICT, "duplicate")
        assert points_of(book) == 30
        sound(book)

    def test_a_revoked_till_s_claim_is_no_name_of_the_sale(self, book: Book, till: FakeTill, other: FakeTill) -> None:
        """Its id is nobody's word: a word on it waits, whatever became of the sale."""
        sale, third = other.earn(30), FakeTill(book, 3)
        other.send(sale)
        book.revoke(third.terminal, "stolen")
        redeemed = claim(third, sale)
        third.send(redeemed)
        said = till.correct(redeemed.id, REFUSE)
        till.send(said)
        assert word(till, said) == (State.PARKED, "original_unknown")
        assert points_of(book) == 30
        sound(book)

    def test_a_sale_that_a_person_let_count_and_that_comes_again(self, book: Book, till: FakeTill) -> None:
        """It counts once, whichever way people name it, and can be taken back."""
        sale = till.earn(30)
        book.revoke(till.terminal, "stolen")
        till.send(sale)
        (flagged,) = book.flagged()
        decide(book, flagged.name, HONOUR)
        book.enrol(till.terminal, bytes(32), replace=True)
        till.stream = till.new_stream()
        till.send(sale)
        decide(book, sale.id, HONOUR)
        till.send(till.correct(sale.id, HONOUR))
        assert points_of(book) == 30
        undone = till.reverse(sale)
        till.send(undone)
        assert word(till, undone) == (State.POSTED, "posted")
        assert points_of(book) == 0
        sound(book)


class TestUnprovenClaims:
    @pytest.mark.parametrize(("words", "points"), [([HONOUR], 30), ([REFUSE], 30), ([HONOUR, REFUSE], 30)])
    def test_the_sale_comes_after_a_persons_word(
        self, book: Book, till: FakeTill, other: FakeTill, words: list[Resolution], points: int
    ) -> None:
        """A claim that was let count is the sale; one that was not leaves the sale its key."""
        sale = other.earn(30)
        till.send(claim(till, sale, CARD, STRANGE_KEY))
        (flagged,) = book.flagged()
        for said in words:
            decide(book, flagged.name, said)
        other.send(sale)
        assert points_of(book) == points
        sound(book)

    def test_two_tills_let_the_same_code_count(self, book: Book, till: FakeTill, other: FakeTill) -> None:
        """The second word moves nothing: the sale has its points. Refused, it takes nothing from the first."""
        sale, second = other.earn(30), FakeTill(book, 3)
        claims = [claim(asked, sale, CARD, STRANGE_KEY) for asked in (till, second)]
        for asked, code in zip((till, second), claims, strict=True):
            asked.send(code)
            asked.send(asked.correct(f"{asked.stream.uid}:1", HONOUR))
        assert points_of(book) == 30
        second.send(second.correct(f"{second.stream.uid}:1", REFUSE))
        other.send(sale)
        assert points_of(book) == 30
        assert book.flagged() == []
        sound(book)

    def test_a_word_of_nobody_who_may_leaves_the_sale_its_key(
        self, book: Book, till: FakeTill, other: FakeTill
    ) -> None:
        """Another till has no word on the claim, and by trying it takes no points from the sale."""
        sale, stranger = other.earn(30), FakeTill(book, 3)
        till.send(claim(till, sale, CARD, STRANGE_KEY))
        said = stranger.correct(f"{till.stream.uid}:1", HONOUR)
        stranger.send(said)
        assert word(stranger, said) == (State.CONFLICT, "resolution_refused")
        other.send(sale)
        assert points_of(book) == 30
        sound(book)

    def test_the_office_is_shown_the_sale(self, book: Book, till: FakeTill, other: FakeTill) -> None:
        """Whoever decides on an unproven claim sees that its sale is in the books already."""
        sale = other.earn(30)
        other.send(sale)
        till.send(claim(till, sale, CARD, STRANGE_KEY))
        conflict = book.conflict(f"{till.stream.uid}:1")
        assert conflict is not None
        assert conflict.first is not None
        assert conflict.first.id == sale.id


class TestLentCards:
    def test_a_sale_on_a_receipt_that_earned_before(self, book: Book, till: FakeTill, other: FakeTill) -> None:
        """The claim of a sale without a card does not pass by the person who has to look at its receipt."""
        sale = other.earn(10, None, receipt=RECEIPT)
        redeemed = claim(till, sale)
        till.send(till.earn(10, OTHER_CARD, receipt=RECEIPT))
        other.send(sale)
        till.send(redeemed)
        assert word(other, sale) == (State.PARKED, "receipt_duplicate")
        assert word(till, redeemed) == (State.PARKED, "duplicate")
        assert points_of(book) == 0
        sound(book)

    @pytest.mark.parametrize(("said", "points"), [(HONOUR, 10), (REFUSE, 0)])
    def test_a_person_decides_with_the_claims_card(
        self, book: Book, till: FakeTill, other: FakeTill, said: Resolution, points: int
    ) -> None:
        """The card of the claim is not forgotten while its sale is in review."""
        sale = other.earn(10, None, receipt=RECEIPT)
        redeemed, again = claim(till, sale), claim(till, sale, OTHER_CARD, key="claim:again")
        till.send(till.earn(10, OTHER_CARD, receipt=RECEIPT))
        other.send(sale)
        till.send(redeemed, again)
        decide(book, sale.id, said)
        assert word(other, sale) == (State.RESOLVED, "receipt_duplicate")
        assert word(till, redeemed) == (State.RESOLVED, "duplicate")
        assert points_of(book) == points
        assert [flagged.code for flagged in book.flagged()] == ["claim_unproven"]
        sound(book)


class TestRepetitions:
    def test_what_repeats_a_sale_in_dispute_is_settled_with_it(
        self, book: Book, till: FakeTill, other: FakeTill
    ) -> None:
        """No repetition waits for ever for an entry that a person has settled."""
        sale = other.earn(10, receipt=RECEIPT)
        redeemed = claim(till, sale)
        till.send(till.earn(10, OTHER_CARD, receipt=RECEIPT))
        other.send(sale)
        till.send(redeemed)
        decide(book, sale.id, HONOUR)
        assert word(till, redeemed) == (State.RESOLVED, "duplicate")
        assert (points_of(book), book.flagged()) == (10, [])
        sound(book)

    def test_a_repetition_of_a_copied_till_is_not_honoured_beside_the_first(self, book: Book, till: FakeTill) -> None:
        """A word on it is a word on the entry that stands, also where the copy is told before the repetition."""
        first = till.redeem(50)
        till.send(till.earn(10), first)
        twin = till.stream.copy()
        till.send(till.earn(1))
        again = till.redeem(50, key=first.key)
        till.send(again, stream=twin)
        decide(book, again.id, HONOUR)
        assert points_of(book) == -39
        sound(book)


def test_an_operators_long_name_does_not_spoil_a_merger(book: Book, till: FakeTill) -> None:
    """The office's own entries stay readable, whatever a till writes."""
    replaced = till.entry(
        Kind.CARD_EVENT, card=CARD, event=CardEvent(Happening.REPLACE, OTHER_CARD), operator="x" * 100
    )
    till.send(till.earn(5), till.earn(7, OTHER_CARD), replaced)
    assert points_of(book) == 12
    sound(book)


def test_a_record_behind_the_last_breach_can_be_settled(book: Book, till: FakeTill) -> None:
    """Its key fell within one batch: what came behind is listed under a name that a person can decide on."""
    breaches = [till.redeem(10, allowance="used") for _ in range(4)]
    till.send(*breaches, till.earn(7))
    *_, flagged = book.flagged()
    assert flagged.code == "key_revoked"
    decide(book, flagged.name, HONOUR)
    assert points_of(book) == -33
    sound(book)


def test_a_word_on_a_repetition_that_had_no_effect(book: Book, till: FakeTill) -> None:
    """It comes in a later batch, names the repetition, and is heard: the sale that stands is corrected."""
    sale = till.earn(30)
    again = till.earn(30, key=sale.key)
    till.send(sale, again)
    said = till.correct(again.id, REFUSE)
    till.send(said)
    assert word(till, said) == (State.POSTED, "posted")
    assert points_of(book) == 0
    sound(book)


def test_a_word_on_a_claim_that_lent_its_card(book: Book, till: FakeTill, other: FakeTill) -> None:
    """It is a word on the sale, which has the points; honoured, they are not credited once more."""
    sale = other.earn(30, None)
    redeemed = claim(till, sale)
    other.send(sale)
    till.send(redeemed)
    decide(book, redeemed.id, HONOUR)
    assert points_of(book) == 30
    decide(book, redeemed.id, REFUSE)
    assert points_of(book) == 0
    sound(book)


def test_a_reversal_that_a_person_took_back_is_no_damage(book: Book, till: FakeTill) -> None:
    """The sale is reversed again afterwards; what was taken of it is never more than it gave."""
    sale = till.earn(10)
    back = till.reverse(sale)
    till.send(sale, back, till.correct(back.id, REFUSE), till.reverse(sale))
    assert points_of(book) == 0
    sound(book)


@pytest.mark.parametrize("together", [True, False])
def test_mergers_in_a_row_leave_nothing_behind(book: Book, till: FakeTill, together: bool) -> None:
    """In one batch or in two: the points of the first account are on the last one, in lots that can be used."""
    book.register(UNKNOWN)
    till.send(till.earn(10, UNKNOWN), till.redeem(4, UNKNOWN), till.earn(5, OTHER_CARD))
    steps = [(OTHER_CARD, UNKNOWN), (CARD, OTHER_CARD)]
    mergers = [till.entry(Kind.CARD_EVENT, card=a, event=CardEvent(Happening.REPLACE, b)) for a, b in steps]
    for batch in [mergers] if together else [[merger] for merger in mergers]:
        till.send(*batch)
    assert points_of(book, UNKNOWN) == 11
    sound(book)


class TestClaimsThatWait:
    """A claim on a blocked card waits with its sale's key: it is known by two ids, and its till knows its own alone."""

    def test_a_person_lets_it_count_as_its_sale(self, book: Book, till: FakeTill, other: FakeTill) -> None:
        """On the sale's day, under the sale's id: so the sale can be taken back, by whichever name."""
        sale = other.earn(30, None, rule="base@1")
        redeemed = claim(till, sale, occurred_at="2025-06-16T10:00:00.000Z")
        till.send(event(till, Happening.BLOCK), redeemed)
        assert word(till, redeemed) == (State.PARKED, "card_blocked_unknown")
        decide(book, redeemed.id, HONOUR)
        statement = book.statement(CARD)
        assert statement is not None
        assert [(lot.earned_at, lot.remaining) for lot in statement.lots] == [(START, 30)]
        sound(book)
        other.send(sale, other.reverse(sale))
        assert points_of(book) == 0
        sound(book)

    @pytest.mark.parametrize("together", [True, False])
    def test_its_tills_word_is_heard(self, book: Book, till: FakeTill, other: FakeTill, together: bool) -> None:
        """Before and after it counts, in the same batch or in a later one."""
        redeemed = claim(till, other.earn(30, None))
        blocked, said = event(till, Happening.BLOCK), till.correct(redeemed.id, HONOUR, 20)
        for batch in [[blocked, redeemed, said]] if together else [[blocked], [redeemed], [said]]:
            till.send(*batch)
        assert word(till, said) == (State.POSTED, "posted")
        assert points_of(book) == 20
        again = till.correct(redeemed.id, REFUSE)
        till.send(again)
        assert word(till, again) == (State.POSTED, "posted")
        assert points_of(book) == 0
        sound(book)

    def test_a_word_on_one_that_was_posted_at_once(self, book: Book, till: FakeTill, other: FakeTill) -> None:
        """It stands under the id of its sale, which its own till need never have heard of."""
        redeemed = claim(till, other.earn(30, None))
        till.send(redeemed)
        said = till.correct(redeemed.id, REFUSE)
        till.send(said)
        assert word(till, said) == (State.POSTED, "posted")
        assert points_of(book) == 0
        sound(book)

    def test_a_code_that_nobody_can_read_counts_by_a_persons_word(self, book: Book, till: FakeTill) -> None:
        """The customer's slip was torn: the books can be checked, explained and corrected all the same."""
        torn = till.entry(Kind.CLAIM, 30, CARD, key="claim:torn", claim=Claim(till.terminal, "x", "TILLD1:TORN"))
        till.send(torn)
        (flagged,) = book.flagged()
        decide(book, flagged.name, HONOUR)
        sound(book)
        explained = book.explanation(CARD)
        assert explained is not None
        assert explained.by_entries == explained.by_lots == 30
        till.send(till.entry(Kind.CLAIM, 30, CARD, key="claim:torn", claim=torn.claim))
        assert book.conflict(flagged.name) is not None
        decide(book, flagged.name, REFUSE)
        assert points_of(book) == 0
        sound(book)


def test_what_waited_is_heard_in_one_order(book: Book, till: FakeTill, other: FakeTill) -> None:
    """Of two reversals the same one counts, whether one has come in this very batch or before."""
    sale = other.earn(30)
    till.hello(till.stream)
    first, second = till.reverse(sale), other.reverse(sale)
    other.send(second)
    till.send(first, till.earn(30, id=sale.id, key=sale.key))
    assert word(till, first) == (State.POSTED, "posted")
    assert word(other, second)[1] == "reversed_twice"
    sound(book)


@pytest.mark.parametrize("resolution", list(Resolution))
def test_nobody_undoes_one_half_of_a_merger(book: Book, till: FakeTill, resolution: Resolution) -> None:
    """Its two entries explain where points went; the one alone taken back would leave them on both sides."""
    till.send(till.earn(30), till.earn(5, OTHER_CARD))
    book.happen(CARD, Happening.MERGE, "Anne", "one customer", OTHER_CARD)
    statement = book.statement(OTHER_CARD)
    assert statement is not None
    halves = [line.id for line in statement.entries if line.kind is Kind.CORRECTION]
    assert len(halves) == 2
    for half in halves:
        with pytest.raises(Refused, match=r"the ledger's own|neither an entry"):
            decide(book, half, resolution)
    assert points_of(book, OTHER_CARD) == 35
    sound(book)
