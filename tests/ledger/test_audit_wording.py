"""What `verify` says of damage, word for word: where it is and what contradicts what, and nothing beside it."""

from collections.abc import Iterator

import pytest

from ledger.audit import invariants
from ledger.facts.policy import Policy, UnknownCards
from ledger.points.programme import Lifetime, PointsRule, Programme
from ledger.port.book import Book
from ledger.port.upkeep import Verification
from ledger.tables.source import TablesSource
from offline_queue.entry import Happening, Resolution
from tests.ledger.conftest import Shelfful, bent
from tests.ledger.fake_till import CARD, OTHER_CARD, START_MS, FakeTill

FIRST = 1 << 40
"""Where the records of the first stream begin."""
STREAM = "stream 00000000000000010000000000000001 of S001-T01"
BREAKS = f"{STREAM}: the chain breaks at"
TOLD_MORE = f"{STREAM} is held up to 4, and tills were told of more"
SECOND = "record 2 of stream number 2 moved -2 points so that record 2 of stream number 1"
FIELDS = ("earned", "other", "spent", "undone")

DAMAGE = {
    f"UPDATE record SET hash = bytes WHERE no = {FIRST + 2}": [f"{BREAKS} record 2"],
    f"UPDATE record SET hash = bytes WHERE no > {FIRST + 2}": [f"{BREAKS} record 3"],
    f"UPDATE record SET no = no + 9 WHERE no = {FIRST + 4}": [
        f"{BREAKS} record 13",
        "the posting of record 4 of stream number 1 has no entry behind it",
        "record 4 of stream number 1 has taken an idempotency key that is not its own",
    ],
    f"DELETE FROM record WHERE no = {FIRST + 3}": [
        f"{BREAKS} record 4",
        "the posting of record 3 of stream number 1 has no entry behind it",
        "record 3 of stream number 1 has taken an idempotency key that is not its own",
    ],
    f"DELETE FROM record WHERE no = {FIRST + 4}": [
        f"{BREAKS} record 3",
        "the posting of record 4 of stream number 1 has no entry behind it",
        "record 4 of stream number 1 has taken an idempotency key that is not its own",
    ],
    "UPDATE stream SET grown_from = no + 1, base = 0": [
        "the check of chains met what no ledger writes, and could not go on"
    ],
    "UPDATE account SET balance = balance + 1 WHERE no = 1": [
        "account •••• 0017 says 51 points, its entries 50",
        "account •••• 0017 says 51 points, its lots 50",
    ],
    "DELETE FROM account WHERE no = 2": ["the posting of record 2 of stream number 1 is on no account"],
    "UPDATE lot SET remaining = remaining + 1 WHERE account = 2": [
        "account •••• 0024 says 50 points, its lots 51",
        "the lot of record 2 of stream number 1 says 51 points, its moves 50",
    ],
    "UPDATE posting SET points = -21 WHERE original IS NOT NULL": [
        "entry {undone} says reverse 20, the books -21",
        "account •••• 0017 says 50 points, its entries 49",
        "the posting of record 4 of stream number 1 says -21 points, its lot and its moves -20",
    ],
    "UPDATE posting SET points = 20 WHERE original IS NOT NULL": [
        "account •••• 0017 says 50 points, its entries 90",
        "the posting of record 4 of stream number 1 says 20 points, its lot and its moves -20",
        "entry {earned} moved 100 points and its reversals 20",
    ],
    f"UPDATE posting SET original = {FIRST + 2} WHERE original IS NOT NULL": [
        "the posting of record 4 of stream number 1 takes back another entry than it names",
    ],
    "UPDATE account SET reserved = reserved + 1 WHERE no = 1": [
        "account •••• 0017 holds 11 points back, its allowances 10"
    ],
    "UPDATE account SET balance = 9 WHERE no = 1": [
        "account •••• 0017 says 9 points, its entries 50",
        "account •••• 0017 says 9 points, its lots 50",
        "account •••• 0017 has 9 points, 10 promised, and nothing says why",
    ],
    "UPDATE account SET balance = 10 WHERE no = 1": [
        "account •••• 0017 says 10 points, its entries 50",
        "account •••• 0017 says 10 points, its lots 50",
    ],
    "DELETE FROM decision": [
        "record 1 of stream number 1 was taken and never decided",
        "the feed of S001-T01 has 0 decisions from 1 to 0, and its counter says 1",
    ],
    "UPDATE decision SET n = 2": ["the feed of S001-T01 has 1 decisions from 2 to 2, and its counter says 1"],
    "UPDATE decision SET count = count - 1": ["record 4 of stream number 1 was taken and never decided"],
    "UPDATE decision SET record = record + 1": ["record 1 of stream number 1 was taken and never decided"],
    "UPDATE decision SET record = record - 1": ["record 1 of stream number 1 was taken and never decided"],
    "UPDATE terminal SET decided = 2 WHERE name = 'S001-T01'": [
        "the feed of S001-T01 has 1 decisions from 1 to 1, and its counter says 2"
    ],
    f"DELETE FROM claim WHERE record = {FIRST + 1}": [
        "the key of entry {earned} is not kept for it: it could count once more"
    ],
    "UPDATE posting SET entry = 'x' WHERE original IS NOT NULL": [
        "the posting of record 4 of stream number 1 stands under another entry's id"
    ],
    f"UPDATE posting SET account = 2 WHERE record = {FIRST + 3}": [
        "account •••• 0017 says 50 points, its entries 80",
        "account •••• 0024 says 50 points, its entries 20",
        "the points of entry {spent} are not on the account of its card •••• 0017",
    ],
    "UPDATE card SET account = 3 - account": [
        "the points of entry {earned} are not on the account of its card •••• 0017",
        "the points of entry {other} are not on the account of its card •••• 0024",
        "the points of entry {spent} are not on the account of its card •••• 0017",
    ],
    "UPDATE stream SET stable = mark + 1": [TOLD_MORE],
    "UPDATE stream SET stable = -1": [TOLD_MORE],
    "UPDATE stream SET begun = mark + 1": [TOLD_MORE],
    "UPDATE stream SET begun = mark, stable = mark": [],
    "INSERT INTO waiting VALUES (2199023255558, 'review')": ["record 6 of stream number 2 waits and is not here"],
    f"INSERT INTO waiting VALUES ({FIRST + 4}, 'review')": [],
}


@pytest.fixture
def names(book: Book, till: FakeTill) -> dict[str, str]:
    """The ids of four entries, the first records of the first stream; ten points of CARD are promised."""
    earned = till.earn(100)
    sent = (earned, till.earn(50, OTHER_CARD), till.redeem(30), till.reverse(earned, 20))
    till.send(*sent)
    till.ask("a1", 10)
    assert book.verify().ok
    return dict(zip(FIELDS, (entry.id for entry in sent), strict=True))


@pytest.mark.parametrize("damage", DAMAGE)
def test_each_problem_is_told_once_where_it_is(book: Book, names: dict[str, str], damage: str) -> None:
    """All that contradicts each other is named, and nothing beside it."""
    said = [problem.split(" (")[0] for problem in bent(book, damage).problems]
    assert said == [problem.format(**names) for problem in DAMAGE[damage]]


class TestWords:
    """People's words on an entry are numbered, and add up to the last of them."""

    @pytest.fixture
    def spoken(self, book: Book, till: FakeTill) -> Book:
        """Record 2 repeats a key; a person gave it 5 points, another 3 of them."""
        first = till.earn(100)
        again = till.earn(5, key=first.key)
        till.send(first, again)
        assert book.resolve(again.id, Resolution.HONOUR, None, "anna", "saw both receipts").effect == 5
        assert book.resolve(again.id, Resolution.HONOUR, 3, "anna", "counted again").effect == -2
        assert book.verify().problems == []
        return book

    @pytest.mark.parametrize(
        ("change", "problems"),
        [
            (
                "had = had + 1 WHERE n = 1",
                ["record 1 of stream number 2 moved 5 points so that record 2 of stream number 1 has 5 instead of 1"],
            ),
            (
                "shall = 4 WHERE n = 2",
                [
                    "record 2 of stream number 1 shall have 4 points by the last word on it and has 3",
                    f"{SECOND} has 4 instead of 5",
                ],
            ),
            (
                "n = 3 WHERE n = 2",
                [f"{SECOND} has 3 instead of 5"],
            ),
            (
                "n = n + 5",
                [
                    "record 1 of stream number 2 moved 5 points so that record 2 of stream number 1 has 5 instead of 0",
                    f"{SECOND} has 3 instead of 5",
                ],
            ),
        ],
    )
    def test_a_word_that_was_bent_is_found(self, spoken: Book, change: str, problems: list[str]) -> None:
        """In what it had, in what it made of it, and in its place."""
        assert bent(spoken, f"UPDATE correction SET {change}").problems == problems

    def test_what_a_word_moved_is_what_was_posted(self, spoken: Book) -> None:
        """The difference, neither more nor less."""
        problems = bent(spoken, "UPDATE correction SET points = 6, shall = 6 WHERE n = 1").problems
        assert any("says correction 0, the books 5" in problem for problem in problems)


def test_no_more_than_anybody_reads_is_told_of_one_kind(book: Book, till: FakeTill) -> None:
    """A hundred, of which each is as good as the next."""
    till.send(*(till.earn(1) for _ in range(102)))
    problems = bent(book, "DELETE FROM claim").problems
    assert len(problems) == 100


class TestMoments:
    """What may be used of what is owed, to the millisecond."""

    WHOLE = PointsRule("base@1", points=1, per=100, activation_days=2, expires=Lifetime(days=30))
    LASTING = PointsRule("bonus@1", points=1, per=100, activation_days=2)

    @pytest.mark.parametrize(
        ("moment", "expired", "inactive"),
        [("active_at - 1", 0, 33), ("active_at", 0, 0), ("expires_at - 1", 0, 0), ("expires_at", 25, 0)],
    )
    def test_lots_begin_with_their_first_moment_and_end_before_their_last(
        self, shelf: Shelfful, moment: str, expired: int, inactive: int
    ) -> None:
        """Those without an end are only inactive before their beginning; those without dates are always usable."""
        programme = Programme({rule.id: rule for rule in (self.WHOLE, self.LASTING)})
        book = shelf.open(Policy(UnknownCards.REGISTER, programme=programme))
        till = FakeTill(book)
        dated = [till.earn(points, rule="base@1") for points in (24, 1)]
        till.send(*dated, *(till.earn(points, rule="bonus@1") for points in (7, 1)), till.earn(4))
        query = f"SELECT {moment} FROM lot WHERE expires_at IS NOT NULL"
        ((now,), _) = book._engine.read(lambda tables: tables.rows(query))  # type: ignore[attr-defined]
        shelf.timepiece.now = now
        assert now > START_MS
        told = book.verify()
        assert (told.expired, told.inactive, told.usable) == (expired, inactive, 37 - expired - inactive)
        assert (told.ok, told.records, told.streams, told.accounts, told.postings) == (True, 5, 1, 1, 5)
        assert (told.liability, told.problems) == (37, [])
        assert CARD not in str(told)

    def test_new_books_owe_nothing(self, shelf: Shelfful) -> None:
        """And nothing is wrong with them."""
        nothing = dict.fromkeys(("records", "streams", "accounts", "postings", "liability"), 0)
        assert shelf.open().verify() == Verification(ok=True, problems=[], **nothing)


class TestExcuses:
    """More than there is may be taken or undone where somebody was told; without that it is a problem."""

    @pytest.mark.parametrize("merged", [False, True])
    def test_an_overdraft_is_as_good_as_the_flag_on_its_entry(self, book: Book, till: FakeTill, merged: bool) -> None:
        """Also on the account that it was merged into since."""
        till.send(till.earn(10), till.redeem(30))
        if merged:
            book.happen(CARD, Happening.MERGE, "anna", "of one household", OTHER_CARD)
        assert book.verify().problems == []
        card = "0024" if merged else "0017"
        assert bent(book, "UPDATE posting SET code = 'posted'").problems == [
            f"account •••• {card} has -20 points, 0 promised, and nothing says why"
        ]

    @pytest.mark.parametrize(("points", "wrong"), [(31, True), (30, False), (20, False), (0, False), (-1, True)])
    def test_a_redemption_is_undone_up_to_itself(self, book: Book, till: FakeTill, points: int, wrong: bool) -> None:
        """Its points come back, no more of them than it took."""
        spent = till.redeem(30)
        till.send(till.earn(50), spent, till.reverse(spent, 20))
        found = bent(book, f"UPDATE posting SET points = {points} WHERE original IS NOT NULL").problems
        assert (f"entry {spent.id} moved -30 points and its reversals {points}" in found) == wrong

    def test_what_a_person_said_may_be_more(self, book: Book, till: FakeTill) -> None:
        """A reversal that takes more than there was counts by a word on it; both are the office's to answer for."""
        sale = till.earn(10)
        back, more = till.reverse(sale, 8), till.reverse(sale, 5)
        till.send(sale, back, more)
        book.resolve(more.id, Resolution.HONOUR, None, "anna", "the goods are all back")
        assert book.verify().problems == []


def test_nothing_is_computed_from_a_broken_file() -> None:
    """What its pages hold is not to be believed: the storage's own damage is told, and nothing else."""

    class Damaged:
        def damage(self) -> Iterator[str]:
            yield from (f"page {number} is broken" for number in range(1, 200))

    said = invariants.verify(Damaged(), START_MS, Programme(), TablesSource.key_hash)  # type: ignore[arg-type]
    broken = [f"page {number} is broken" for number in range(1, 101)]
    assert said == Verification(False, 0, 0, 0, 0, 0, broken)
