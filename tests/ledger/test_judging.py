"""What bears on an entry besides its card and its account, on both engines: its key, receipt, clock, day and policy."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts.codes import Code
from ledger.facts.policy import Limits, Policy, Stance, UnknownCards
from ledger.port.book import Book
from ledger.sqlite.book import SqliteBook
from offline_queue.entry import Clock, Entry, Receipt, State
from offline_queue.timepiece import rfc3339
from offline_queue.wire import OrderCode
from tests.ledger.conftest import Shelfful
from tests.ledger.fake_till import CARD, OTHER_CARD, START, START_MS, FakeTill, FakeTimepiece, points_of

UNKNOWN = "2990000000031"
DAY_MS = 86_400_000
RECEIPT = Receipt("0042", "S001", START)


def told(till: FakeTill, entry: Entry) -> tuple[State, str]:
    verdict = till.verdict(entry)
    return verdict.state, verdict.code


def wanting(shelf: Shelfful, code: Code, stance: Stance) -> FakeTill:
    """A till before books whose retailer has chosen, with two cards registered."""
    return facing(shelf.open(Policy(stances={code: stance})))


def facing(book: Book, number: int = 1) -> FakeTill:
    book.register(CARD)
    book.register(OTHER_CARD)
    return FakeTill(book, number)


def sound(book: Book) -> None:
    found = book.verify()
    assert found.ok, found.problems


class TestRevokedKey:
    def test_what_comes_after_is_kept_without_effect(self, book: Book, till: FakeTill) -> None:
        """What was delivered before stays, and the till is told why the rest does not count."""
        till.send(till.earn(10))
        assert book.revoke(till.terminal, "stolen on 3 May")
        late = till.earn(100)
        assert till.send(late).accepted == 2
        assert told(till, late) == (State.CONFLICT, "key_revoked")
        assert points_of(book) == 10
        assert [order.code for order in till.hello().orders] == [OrderCode.KEY_REVOKED]
        sound(book)

    def test_it_burns_no_key_and_no_receipt(self, book: Book, till: FakeTill) -> None:
        """A thief cannot make another till's sale look like a repetition."""
        book.revoke(till.terminal, "stolen")
        till.send(till.earn(100, key="sale-7", receipt=RECEIPT))
        honest = FakeTill(book, 2)
        sale = honest.earn(10, key="sale-7", receipt=RECEIPT)
        honest.send(sale)
        assert told(honest, sale) == (State.POSTED, "posted")
        assert points_of(book) == 10

    def test_what_had_waited_before_is_credited_after(self, book: Book, till: FakeTill) -> None:
        """It was the till's own when it came; only its card was missing."""
        waiting = till.earn(10, UNKNOWN)
        till.send(waiting)
        book.revoke(till.terminal, "stolen")
        book.register(UNKNOWN)
        assert told(till, waiting) == (State.POSTED, "posted")
        assert points_of(book, UNKNOWN) == 10

    @pytest.mark.parametrize("key", [None, bytes([99]) * 32])
    def test_it_is_let_in_again_by_name_and_key(self, book: Book, till: FakeTill, key: bytes | None) -> None:
        """Under a new key, or the same one when it was revoked by mistake."""
        book.revoke(till.terminal, "by mistake")
        assert book.terminals()[0].revoked == "by mistake"
        assert book.enrol(till.terminal, key or till.key, replace=True)
        assert book.terminals()[0].revoked is None
        till.send(till.earn(10))
        assert points_of(book) == 10

    def test_every_till_hears_of_it(self, book: Book, till: FakeTill) -> None:
        """So that none takes a claim code that this key signed."""
        book.revoke(till.terminal, "stolen")
        keys = [change.key for change in book.changes("r", 0, 100).changes if change.key]
        assert [(key.terminal, key.revoked) for key in keys] == [(till.terminal, False), (till.terminal, True)]

    def test_it_is_promised_nothing(self, book: Book, till: FakeTill) -> None:
        """Its redemptions would have no effect."""
        till.send(till.earn(100))
        book.revoke(till.terminal, "stolen")
        answer = till.ask("a1", 10)
        assert (answer.granted, answer.code) == (False, "key_revoked")

    def test_nobody_revokes_a_stranger_or_the_office(self, book: Book) -> None:
        """The answer says that there is no such till."""
        assert not book.revoke("S009-T09", "?")
        assert not book.revoke("ledger", "?")

    def test_the_retailer_may_want_to_look_at_each_entry(self, shelf: Shelfful) -> None:
        """Under review it waits for a person."""
        till = wanting(shelf, Code.KEY_REVOKED, Stance.REVIEW)
        till.book.revoke(till.terminal, "stolen")
        late = till.earn(10)
        till.send(late)
        assert told(till, late) == (State.PARKED, "key_revoked")


class TestBreaches:
    @staticmethod
    def breach(till: FakeTill, name: str) -> Entry:
        """More than was granted."""
        assert till.ask(name, 1).granted
        return till.redeem(2, allowance=name)

    def test_the_third_breach_costs_the_key(self, book: Book, till: FakeTill) -> None:
        """Each is applied and flagged; what comes behind the third is without effect, also in the same batch."""
        till.send(till.earn(100))
        broken = [self.breach(till, name) for name in ("a1", "a2", "a3")]
        behind = till.earn(50, key="sale-7", receipt=RECEIPT)
        till.send(*broken, behind)
        assert [told(till, entry)[1] for entry in broken] == ["allowance_exceeded"] * 3
        assert told(till, behind) == (State.CONFLICT, "key_revoked")
        assert "3 times" in (book.terminals()[0].revoked or "")
        assert points_of(book) == 94
        honest = FakeTill(book, 2)
        honest.send(honest.earn(7, key="sale-7", receipt=RECEIPT))
        assert points_of(book) == 101
        sound(book)

    def test_the_count_goes_over_batches_and_starts_anew_with_a_new_key(self, book: Book, till: FakeTill) -> None:
        """A repetition counts once."""
        till.send(till.earn(100))
        for name in ("a1", "a2"):
            entry = self.breach(till, name)
            till.send(entry)
            till.send(entry)
        assert book.terminals()[0].revoked is None
        till.send(self.breach(till, "a3"))
        assert book.terminals()[0].revoked is not None
        book.enrol(till.terminal, till.key, replace=True)
        till.send(self.breach(till, "a4"))
        assert book.terminals()[0].revoked is None

    def test_a_till_is_not_blamed_for_what_the_books_forgot(self, book: Book, till: FakeTill) -> None:
        """Rights that they never heard of may have been granted before a restore."""
        till.send(till.earn(100))
        till.send(*(till.redeem(1, allowance=f"unheard-{number}") for number in range(5)))
        assert book.terminals()[0].revoked is None

    def test_no_number_of_breaches_when_the_retailer_says_so(self, shelf: Shelfful) -> None:
        """0 is never."""
        till = facing(shelf.open(Policy(breaches=0)))
        till.send(till.earn(100))
        till.send(*(self.breach(till, f"a{number}") for number in range(5)))
        assert till.book.terminals()[0].revoked is None


class TestReceipts:
    def test_a_receipt_earns_once_whatever_the_keys(self, book: Book, till: FakeTill) -> None:
        """One stands; the other waits for a person, also from another till and in another batch."""
        first, second = till.earn(10, receipt=RECEIPT), till.earn(10, receipt=RECEIPT)
        till.send(first, second)
        other = FakeTill(book, 2)
        third = other.earn(10, OTHER_CARD, receipt=RECEIPT)
        other.send(third)
        assert told(till, first) == (State.POSTED, "posted")
        assert told(till, second) == told(other, third) == (State.PARKED, "receipt_duplicate")
        assert (points_of(book), points_of(book, OTHER_CARD)) == (10, 0)
        sound(book)

    def test_reversing_the_first_frees_nothing(self, book: Book, till: FakeTill) -> None:
        """The goods came back; whoever earns on that receipt again is to be looked at."""
        first, again = till.earn(10, receipt=RECEIPT), till.earn(10, receipt=RECEIPT)
        till.send(first, till.reverse(first), again)
        assert told(till, again) == (State.PARKED, "receipt_duplicate")
        assert points_of(book) == 0

    @pytest.mark.parametrize(
        "receipt", [None, Receipt("0042", "S001"), Receipt("0042", None, START), Receipt("", "S001", START)]
    )
    def test_a_receipt_must_be_named_whole(self, book: Book, till: FakeTill, receipt: Receipt | None) -> None:
        """Numbers begin anew in every store and every year."""
        till.send(till.earn(10, receipt=receipt), till.earn(10, receipt=receipt))
        assert points_of(book) == 20

    @pytest.mark.parametrize(
        "other", [Receipt("0043", "S001", START), Receipt("0042", "S002", START), Receipt("0042", "S001", "2025-06-16")]
    )
    def test_another_receipt_is_another_sale(self, book: Book, till: FakeTill, other: Receipt) -> None:
        """Any of the three tells them apart."""
        till.send(till.earn(10, receipt=RECEIPT), till.earn(10, receipt=other), till.redeem(5, receipt=RECEIPT))
        assert points_of(book) == 15

    def test_a_sale_that_has_no_key_has_no_receipt(self, book: Book, till: FakeTill) -> None:
        """What is parked for its used key does not stand in the way of the sale that it names."""
        till.send(till.earn(1, key="k"), till.earn(10, key="k", receipt=RECEIPT), till.earn(10, receipt=RECEIPT))
        assert points_of(book) == 11

    def test_one_that_waits_for_its_card_has_the_receipt(self, book: Book, till: FakeTill) -> None:
        """It came first, and is credited when it can be."""
        waiting, second = till.earn(10, UNKNOWN, receipt=RECEIPT), till.earn(10, receipt=RECEIPT)
        till.send(waiting)
        till.send(second)
        book.register(UNKNOWN)
        assert told(till, waiting) == (State.POSTED, "posted")
        assert told(till, second)[1] == "receipt_duplicate"

    def test_the_retailer_may_honour_both(self, shelf: Shelfful) -> None:
        """It is flagged all the same."""
        till = wanting(shelf, Code.RECEIPT_DUPLICATE, Stance.HONOUR)
        second = till.earn(10, receipt=RECEIPT)
        till.send(till.earn(10, receipt=RECEIPT), second)
        assert told(till, second) == (State.CONFLICT, "receipt_duplicate")
        assert points_of(till.book) == 20


class TestClock:
    @staticmethod
    def at(real: int, off: int = 0) -> dict[str, Any]:
        """What a till writes at that moment of the ledger, in ms, with a clock that is off by so much."""
        wall = rfc3339(real + off)
        return {"occurred_at": wall, "clock": Clock("boot-1", real - START_MS + 1_000_000, wall)}

    def greeted(self, book: Book, till: FakeTill, off: int = 0) -> None:
        clock = self.at(START_MS, off)["clock"]
        till.hello(clock=clock)

    @pytest.mark.parametrize("off", [-10 * DAY_MS, 10 * DAY_MS])
    def test_a_clock_wrong_by_ten_days_changes_no_lot(
        self, shelf: Shelfful, book: Book, till: FakeTill, off: int
    ) -> None:
        """The sale is dated by what its machine counted since the hello; the wrong clock is noted."""
        self.greeted(book, till, off)
        shelf.timepiece.now = START_MS + DAY_MS
        sale = till.earn(10, **self.at(START_MS + 60_000, off))
        till.send(sale)
        assert told(till, sale) == (State.POSTED, "clock_implausible")
        account = book.account("r", CARD)
        assert account is not None
        assert [lot.earned_at for lot in account.lots] == [rfc3339(START_MS + 60_000)]
        assert points_of(book) == 10

    def test_the_first_hello_of_a_boot_anchors_it(self, shelf: Shelfful, book: Book, till: FakeTill) -> None:
        """A second one moves no sale that was placed by the first."""
        self.greeted(book, till)
        shelf.timepiece.now = START_MS + 3 * DAY_MS
        till.hello(clock=Clock("boot-1", 1_000_001, START))
        sale = till.earn(10, **self.at(START_MS + DAY_MS))
        till.send(sale)
        assert told(till, sale) == (State.POSTED, "posted")

    def test_clocks_of_a_day_share_a_verdict(self, shelf: Shelfful, book: Book, till: FakeTill) -> None:
        """A till with a wrong clock sends as many sales as any other."""
        self.greeted(book, till)
        shelf.timepiece.now = START_MS + DAY_MS
        till.send(*(till.earn(1, **self.at(START_MS + 1000 * second, -DAY_MS)) for second in range(20)))
        assert [(verdict.first, verdict.last, verdict.code) for verdict in till.feed()] == [
            (1, 20, "clock_implausible")
        ]

    def test_a_clock_that_makes_no_sense_anchors_nothing(self, book: Book, till: FakeTill) -> None:
        """No number that a till may send breaks the books."""
        for monotonic in (-1, 2**200):
            till.hello(clock=Clock("x" * 5000, monotonic, "?"))
        sale = till.earn(10, clock=Clock("x" * 5000, 2**200, START))
        till.send(sale)
        assert told(till, sale) == (State.POSTED, "posted")

    def test_the_retailer_may_want_to_look(self, shelf: Shelfful) -> None:
        """Under review the points wait."""
        till = wanting(shelf, Code.CLOCK_IMPLAUSIBLE, Stance.REVIEW)
        sale = till.earn(10, occurred_at=rfc3339(START_MS + DAY_MS))
        till.send(sale)
        assert told(till, sale) == (State.PARKED, "clock_implausible")
        assert points_of(till.book) == 0


class TestLimits:
    def test_more_at_once_than_is_allowed_offline_is_flagged(self, shelf: Shelfful) -> None:
        """It is applied all the same: the customer has the goods. An allowance is no offline redemption."""
        till = facing(shelf.open(Policy(limits=Limits(per_transaction=20))))
        till.send(till.earn(100))
        assert till.ask("a1", 30).granted
        fine, promised, breach = till.redeem(20), till.redeem(30, allowance="a1"), till.redeem(21)
        till.send(fine, promised, breach)
        assert [told(till, entry)[1] for entry in (fine, promised, breach)] == ["posted", "posted", "limit_breach"]
        assert told(till, breach)[0] is State.CONFLICT
        assert points_of(till.book) == 29
        sound(till.book)

    def test_the_day_counts_over_batches_and_tills(self, shelf: Shelfful) -> None:
        """By the business day that the shops wrote, over all redemptions of the account."""
        book = shelf.open(Policy(limits=Limits(per_card_and_day=50)))
        till = facing(book)
        other = FakeTill(book, 2)
        till.send(till.earn(200), till.redeem(20))
        other.send(other.redeem(30))
        breach, next_day = till.redeem(1), till.redeem(50, business_day="2025-06-16")
        till.send(breach, next_day)
        assert [told(till, entry)[1] for entry in (breach, next_day)] == ["limit_breach", "posted"]
        assert "after 50 that day" in (till.verdict(breach).detail or "")

    def test_a_breach_does_not_hide_an_overdraft(self, shelf: Shelfful) -> None:
        """Both are named; the balance is negative as a state."""
        till = facing(shelf.open(Policy(limits=Limits(per_transaction=20))))
        breach = till.redeem(30)
        till.send(breach)
        assert (till.verdict(breach).detail or "").startswith("limit_breach, overdrawn: ")
        assert points_of(till.book) == -30
        sound(till.book)

    def test_what_was_refused_has_used_nothing_of_the_day(self, shelf: Shelfful) -> None:
        """It had no effect."""
        limits, stances = Limits(per_card_and_day=50), {Code.LIMIT_BREACH: Stance.REFUSE}
        till = facing(shelf.open(Policy(limits=limits, stances=stances)))
        till.send(till.earn(100), till.redeem(60))
        fine = till.redeem(50)
        till.send(fine)
        assert told(till, fine) == (State.POSTED, "posted")
        assert points_of(till.book) == 50


class TestStances:
    @pytest.mark.parametrize(
        ("stance", "state", "points"),
        [(Stance.HONOUR, State.CONFLICT, -30), (Stance.REFUSE, State.CONFLICT, 0), (Stance.REVIEW, State.PARKED, 0)],
    )
    def test_an_overdraft_is_as_the_retailer_wills(
        self, shelf: Shelfful, stance: Stance, state: State, points: int
    ) -> None:
        """A negative balance, no effect for good, or none until a person has looked."""
        till = wanting(shelf, Code.OVERDRAWN, stance)
        taken = till.redeem(30)
        till.send(taken)
        assert told(till, taken) == (state, "overdrawn")
        assert points_of(till.book) == points
        sound(till.book)

    @pytest.mark.parametrize("stance", [Stance.REFUSE, Stance.REVIEW])
    def test_a_redemption_without_effect_ends_its_right(self, shelf: Shelfful, stance: Stance) -> None:
        """The points are free again, for they were not taken; the right cannot be used twice."""
        till = wanting(shelf, Code.ALLOWANCE_EXCEEDED, stance)
        till.send(till.earn(100))
        assert till.ask("a1", 60).granted
        till.send(till.redeem(70, allowance="a1"))
        statement = till.book.statement(CARD)
        assert statement is not None
        assert (statement.points, statement.reserved) == (100, 0)
        sound(till.book)

    def test_its_repetition_waits_with_it(self, shelf: Shelfful) -> None:
        """A record under review is decided once, however often it is sent."""
        till = wanting(shelf, Code.OVERDRAWN, Stance.REVIEW)
        taken = till.redeem(30)
        till.send(taken)
        till.new_stream()
        other = FakeTill(till.book, 2)
        again = other.redeem(30, key=taken.key)
        other.send(again)
        assert told(other, again) == (State.PARKED, "duplicate")
        sound(till.book)

    def test_what_is_reversed_waits_until_it_stands(self, shelf: Shelfful) -> None:
        """A reversal of what is under review is no loss."""
        till = wanting(shelf, Code.OVERDRAWN, Stance.REVIEW)
        taken = till.redeem(30)
        back = till.reverse(taken)
        till.send(taken, back)
        assert told(till, back) == (State.PARKED, "original_unknown")
        assert points_of(till.book) == 0


@contextmanager
def fresh(policy: Policy) -> Iterator[FakeTill]:
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        book = SqliteBook(Path(folder) / "ledger.db", policy=policy, timepiece=FakeTimepiece())
        yield facing(stack.enter_context(closing(book)))


kinds = st.sampled_from(["earn", "redeem", "breach", "reverse", "garbage"])
steps = st.lists(
    st.tuples(kinds, st.sampled_from([CARD, OTHER_CARD, UNKNOWN]), st.integers(0, 30), st.integers(0, 3)),
    min_size=1,
    max_size=12,
)
cuts = st.lists(st.integers(1, 5), min_size=12, max_size=12)
policies = st.builds(
    Policy,
    unknown_cards=st.sampled_from(UnknownCards),
    stances=st.fixed_dictionaries(
        {},
        optional={
            code: st.sampled_from(Stance)
            for code in (Code.OVERDRAWN, Code.LIMIT_BREACH, Code.ALLOWANCE_EXCEEDED, Code.RECEIPT_DUPLICATE)
        },
    ),
    limits=st.sampled_from([Limits(), Limits(10, 25)]),
    breaches=st.sampled_from([0, 1, 2]),
)


def records(till: FakeTill, plan: list[tuple[str, str, int, int]]) -> list[Entry | bytes]:
    """The same for the same plan; keys and receipts are often used again."""
    made: list[Entry | bytes] = []
    entries: list[Entry] = []
    for number, (kind, card, points, again) in enumerate(plan):
        key = f"key-{number % 3 if again == 1 else number}"
        receipt = RECEIPT if again == 2 else None
        if kind == "garbage":
            made.append(b"garbage %d" % number)
            continue
        if kind == "breach":
            till.ask(f"a{number}", 1, card)
            entry = till.redeem(points + 2, card, key=key, allowance=f"a{number}")
        elif kind == "reverse" and entries:
            entry = till.reverse(entries[points % len(entries)], again, key=key)
        elif kind == "redeem":
            entry = till.redeem(points, card, key=key, receipt=receipt)
        else:
            entry = till.earn(points, card, key=key, receipt=receipt)
        made.append(entry)
        entries.append(entry)
    return made


def outcome(policy: Policy, plan: list[tuple[str, str, int, int]], lengths: list[int]) -> list[object]:
    """The last word on every record, and the balances, when the records come in batches of these lengths."""
    with fresh(policy) as till:
        till.send(till.earn(40), till.earn(20, OTHER_CARD))
        made, start = records(till, plan), 0
        for length in lengths:
            if batch := made[start : start + length]:
                till.send(*batch)
            start += length
        last = {seq: (v.state, v.code, v.detail, v.points) for v in till.feed() for seq in range(v.first, v.last + 1)}
        found = till.book.verify()
        assert found.ok, found.problems
        lines = [
            statement and [(line.id, line.points) for line in statement.entries]
            for statement in map(till.book.statement, (CARD, OTHER_CARD, UNKNOWN))
        ]
        return [sorted(last.items()), lines]


@settings(max_examples=40)
@given(policies, steps, cuts)
def test_the_outcome_does_not_depend_on_how_records_are_cut_into_batches(
    policy: Policy, plan: list[tuple[str, str, int, int]], lengths: list[int]
) -> None:
    """A till that halves its batches on a bad line gets the same decisions; only the records tell."""
    assert outcome(policy, plan, lengths) == outcome(policy, plan, [12])


@pytest.mark.parametrize(
    ("text", "code"), [("a\\u0000b", "posted"), ("a\\\\u0000", "posted"), ("a\x00b", "undecodable")]
)
def test_only_a_true_nul_cannot_be_kept(book: Book, till: FakeTill, text: str, code: str) -> None:
    """Behind an escaped backslash u0000 are five characters like any others."""
    entry = till.earn(10, receipt=Receipt(text))
    till.send(entry)
    assert till.verdict(entry).code == code
    assert points_of(book) == (10 if code == "posted" else 0)
