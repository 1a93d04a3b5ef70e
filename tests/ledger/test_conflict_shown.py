"""What a person is shown of an entry before deciding on it: all that bears on it, word for word."""

from contextlib import closing
from pathlib import Path

import pytest

from ledger.port.book import Book
from ledger.port.conflicts import Conflict, Flagged, Outcome, Settled, Told
from ledger.port.refusals import Refused
from ledger.port.statements import Line
from ledger.sqlite.book import SqliteBook
from offline_queue.entry import Entry, Happening, Receipt, Resolution
from tests.ledger.fake_till import CARD, OTHER_CARD, START, FakeTill, points_of

UNKNOWN = "2990000000444"
NO_ACCOUNT = "card •••• 0444: no account to post the correction on; it takes effect when the card is registered"


def shown(book: Book, name: str) -> Conflict:
    found = book.conflict(name)
    assert found is not None
    return found


def line(entry: Entry, points: int, asked: int, receipt: str | None) -> Line:
    return Line(entry.id, str(entry.kind), points, asked, "posted", entry.terminal, START, None, receipt)


def test_a_sale_that_uses_a_key_again_is_shown_beside_the_first(book: Book, till: FakeTill) -> None:
    """With both receipts, what the account has, and what each word would make of that."""
    first = till.earn(100, receipt=Receipt("R-1"))
    again = till.earn(5, key=first.key, receipt=Receipt("R-2"))
    till.send(till.earn(1), first, again, till.earn(2))
    till.ask("a1", 10)
    assert shown(book, again.id) == Conflict(
        record=Flagged(
            *(till.terminal, till.stream.uid, 3, "parked", "key_mismatch"),
            detail=f"the key {first.key!r} was used before for another sale (entry {first.id}), which stands;"
            " look at both receipts",
            id=again.id,
            kind="earn",
            points=5,
            card="•••• 0017",
            name=again.id,
        ),
        occurred_at=START,
        receipt="R-2",
        asked=5,
        has=0,
        undone=0,
        balance=103,
        reserved=10,
        first=line(first, 100, 100, "R-1"),
        words=[],
        honour=Outcome(5, 5, 108),
        refuse=Outcome(0, 0, 103),
    )
    assert points_of(book) == 103
    assert book.verify().records == 4


def test_each_record_of_a_batch_has_its_own_reason(book: Book, till: FakeTill) -> None:
    """That of its last decision, whichever stand before and behind it."""
    first = till.earn(100)
    sent = [first, *(till.earn(5 + n, key=first.key) for n in range(3)), till.redeem(500), till.earn(3)]
    till.send(*sent)

    def reasons() -> list[str]:
        return [shown(book, entry.id).record.detail or "" for entry in sent]

    details = reasons()
    assert [first.id in detail for detail in details] == [False, True, True, True, False, False]
    assert "500 points taken" in details[4]
    book.resolve(sent[2].id, Resolution.HONOUR, None, "anna", "two receipts")
    same = [now == before for now, before in zip(reasons(), details, strict=True)]
    assert same == [True, True, False, True, True, True]


def test_an_entry_that_nobody_can_read_is_shown_by_its_place(book: Book, till: FakeTill) -> None:
    """There is a reason why, and nothing else."""
    till.send(till.earn(1), b"\xff")
    found = shown(book, place := f"{till.stream.uid}:2")
    assert (found.record.name, found.record.id, found.record.kind, found.record.points, found.record.card) == (
        *(place, None, None, None, None),
    )
    assert (found.record.state, found.record.code) == ("parked", "undecodable")
    assert (found.occurred_at, found.receipt, found.first, found.balance, found.reserved) == (None,) * 5


def test_a_reversal_is_shown_beside_what_it_takes_back(book: Book, till: FakeTill) -> None:
    """And what is undone of a sale beside the sale."""
    sale = till.earn(100, receipt=Receipt("R-1"))
    back, more = till.reverse(sale, 80), till.reverse(sale, 30)
    till.send(sale, back, more)
    found = shown(book, more.id)
    assert (found.first, found.record.card, found.receipt) == (line(sale, 100, 100, "R-1"), None, None)
    assert (found.asked, found.has) == (-30, -20)
    assert (found.honour, found.refuse) == (Outcome(-30, -10, -10), Outcome(0, 20, 20))
    assert (shown(book, sale.id).undone, shown(book, sale.id).first) == (-100, None)


def test_where_there_is_no_account_the_word_waits(book: Book, till: FakeTill) -> None:
    """It says why it cannot be said yet, and the office hears the same."""
    sale = till.earn(9, UNKNOWN)
    till.send(sale)
    found = shown(book, sale.id)
    assert (found.balance, found.reserved, found.record.card) == (None, None, "•••• 0444")
    assert (found.honour, found.refuse) == (Outcome(0, 0, why_not=NO_ACCOUNT), Outcome(0, 0))
    with pytest.raises(Refused, match="no account to post") as refusal:
        book.resolve(sale.id, Resolution.HONOUR, None, "anna", "by hand")
    assert refusal.value.problem.code == "no_account"


def test_each_word_that_was_said_is_told_with_who_said_it(book: Book, till: FakeTill) -> None:
    """In their order; the same word again is none, and one that comes back after another is."""
    first = till.earn(100)
    again = till.earn(5, key=first.key)
    till.send(first, again)
    honoured = book.resolve(again.id, Resolution.HONOUR, None, "anna", "two receipts")
    assert (honoured.id, honoured.effect, honoured.code, honoured.repeated) == (again.id, 5, "posted", False)
    repeated = book.resolve(again.id, Resolution.HONOUR, None, "bert", "two receipts")
    assert repeated == Settled(again.id, honoured.correction, 0, "posted", None, repeated=True)
    refused = book.resolve(again.id, Resolution.REFUSE, None, "carl", "one sale")
    third = book.resolve(again.id, Resolution.HONOUR, None, "anna", "no, two")
    assert not third.repeated
    assert shown(book, again.id).words == [
        Told(honoured.correction, "anna", "two receipts", "ledger", 0, 5),
        Told(refused.correction, "carl", "one sale", "ledger", 5, 0),
        Told(third.correction, "anna", "no, two", "ledger", 0, 5),
    ]


def test_what_is_no_entry_is_not_shown(book: Book, till: FakeTill) -> None:
    """Neither a name that nobody gave, nor a place beyond the stream's end."""
    till.send(till.earn(1))
    for name in ("nothing", f"{till.stream.uid}:2", f"{till.stream.uid}:0", f"{till.stream.uid}:"):
        assert book.conflict(name) is None
        with pytest.raises(Refused, match="neither an entry's id nor a place") as refusal:
            book.resolve(name, Resolution.REFUSE, None, "anna", "why")
        assert refusal.value.problem.code == "entry_unknown"


def test_what_may_not_be_settled_is_not_for_want_of_an_account(tmp_path: Path) -> None:
    """A half of a merger is the office's own: the refusal is another one, and says why."""
    with closing(SqliteBook(tmp_path / "books.db")) as book:
        for number in (CARD, OTHER_CARD):
            book.register(number, 7)
        book.happen(OTHER_CARD, Happening.MERGE, "anna", "of one household", CARD)
        statement = book.statement(CARD)
        assert statement is not None
        half = next(one.id for one in statement.entries if one.kind == "correction")
        with pytest.raises(Refused) as refusal:
            book.resolve(half, Resolution.REFUSE, None, "anna", "why")
        assert refusal.value.problem.code == "not_settled"
