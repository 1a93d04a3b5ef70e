"""Sales that come again in another stream: told in few words, for less work than they cost the first time."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from ledger.port.book import Book
from ledger.postgres.book import PostgresBook
from tests.ledger.cluster import Cluster
from tests.ledger.fake_till import CARD, OTHER_CARD, FakeTill, points_of

NEW_CARD = "2990000000031"


class Counting(psycopg.Connection[Any]):
    """A connection that notes what it is asked to do."""

    asked: list[str] = []  # noqa: RUF012 - one for all connections of a test

    def execute(self, query: Any, *rest: Any, **options: Any) -> Any:
        self.asked.append(" ".join((query.decode() if isinstance(query, bytes) else str(query)).split()))
        return super().execute(query, *rest, **options)


@pytest.fixture
def counted(postgres: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Book]:
    """Books of which every statement is noted."""
    url = postgres.emptied()
    monkeypatch.setattr(psycopg, "connect", Counting.connect)
    with closing(PostgresBook(url)) as book:
        for card in (CARD, OTHER_CARD):
            book.register(card)
        yield book


def again_elsewhere(till: FakeTill) -> list[str]:
    """The codes of what the till says of its whole journal, delivered in a new stream (as after a restore)."""
    before, copy = len(till.feed()), till.new_stream()
    till.send(*till.stream.records, stream=copy)
    return [verdict.code for verdict in till.feed()[before:]]


def test_one_verdict_tells_of_all(book: Book, till: FakeTill) -> None:
    """For a thousand sales of a restored till it is one line, not a thousand; their points count once."""
    till.send(*(till.earn(10, card) for card in (CARD, OTHER_CARD) * 5))
    assert again_elsewhere(till) == ["duplicate"]
    verdict = till.feed()[-1]
    assert (verdict.first, verdict.last, verdict.points) == (1, 10, 0)
    assert verdict.detail == "this very entry is already in the books: posted"
    assert points_of(book) == points_of(book, OTHER_CARD) == 50
    assert book.verify().problems == []


def test_another_id_is_told_which_entry_stands(book: Book, till: FakeTill) -> None:
    """Then the words differ from sale to sale, and each has its own verdict."""
    sales = [till.earn(10), till.earn(20)]
    till.send(*sales)
    till.send(*(till.earn(sale.points, key=sale.key) for sale in sales))
    details = [verdict.detail or "" for verdict in till.feed()[-2:]]
    assert [sale.id in detail for sale, detail in zip(sales, details, strict=True)] == [True, True]


def test_what_people_may_settle_is_told_one_by_one(book: Book, till: FakeTill) -> None:
    """Though the same is said of each of them."""
    till.send(*(till.earn(10, NEW_CARD) for _ in range(3)))
    assert [verdict.state for verdict in till.feed()] == ["parked"] * 3


def test_repetitions_cost_fewer_statements_than_first_sales(counted: Book) -> None:
    """No account is held for them, no id is written, no posting, no lot; each thing is asked for all at once."""
    till = FakeTill(counted)
    sales = [till.earn(10, card) for card in (CARD, OTHER_CARD) * 20]
    Counting.asked.clear()
    till.send(*sales)
    firsts = list(Counting.asked)
    Counting.asked.clear()
    till.send(*sales, stream=till.new_stream())
    repeated = list(Counting.asked)
    assert len(repeated) < len(firsts)
    written = {statement.split()[2] for statement in repeated if statement.startswith("INSERT")}
    assert written == {"record", "claim", "decision", "stream"}, "a stream, custody and one verdict"
    assert not any("FROM account" in statement for statement in repeated)


def test_a_stock_of_waiting_sales_is_known_again(book: Book, till: FakeTill) -> None:
    """They are credited together when their card is registered; from then on none of them waits, and none is new."""
    sales = [till.earn(10, NEW_CARD) for _ in range(3)]
    till.send(*sales)
    book.register(NEW_CARD)
    assert book.flagged() == []
    assert again_elsewhere(till) == ["duplicate"]
    assert till.feed()[-1].state == "posted"
    assert points_of(book, NEW_CARD) == 30
    assert book.verify().problems == []
