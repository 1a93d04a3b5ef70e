"""Two front ends of one PostgreSQL, met in a chosen moment: one has read what the other is just about to change."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager

import pytest

from ledger.port.book import Book
from ledger.postgres.book import PostgresBook
from offline_queue.entry import Receipt, Resolution, State
from tests.ledger.cluster import Cluster
from tests.ledger.fake_till import CARD, FakeTill, FakeTimepiece, points_of
from tests.ledger.test_claims import PUBLIC, claim

RECEIPT = Receipt("815", "S001", "2025-06-15T15:00:00Z")
QUEUED = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = 'postgres'"


@pytest.fixture
def fronts(postgres: Cluster) -> Iterator[list[Book]]:
    """The same books, opened as by three processes."""
    url = postgres.emptied()
    with ExitStack() as stack:
        yield [stack.enter_context(closing(PostgresBook(url, timepiece=FakeTimepiece()))) for _ in range(3)]


@contextmanager
def held_up(postgres: Cluster, terminal: str) -> Iterator[Callable[..., None]]:
    """Whoever has a verdict for this terminal is held up before its commit.

    What it gives starts a call, and comes back when the call waits for a row or has ended. All end in the end.
    """
    started: list[Future[object]] = []

    def start(call: Callable[[], object]) -> None:
        before = postgres.told(QUEUED)
        started.append(pool.submit(call))
        deadline = time.monotonic() + 20
        while not started[-1].done() and postgres.told(QUEUED) == before:
            assert time.monotonic() < deadline, "it neither waits nor ends"

    with ThreadPoolExecutor(4) as pool:
        with postgres.connected() as holder, holder.transaction():
            holder.execute("SELECT 1 FROM terminal WHERE name = %s FOR UPDATE", [terminal])
            yield start
        for call in started:
            call.result(60)


class TestRepetitions:
    """Of a sale that waits, and is being decided: they are told what became of it, and wait for nothing."""

    def test_of_a_sale_that_the_office_settles(self, fronts: list[Book], postgres: Cluster) -> None:
        """Two sales were made on one receipt; the office lets the second count."""
        fronts[0].register(CARD)
        till, other = FakeTill(fronts[0]), FakeTill(fronts[1], 2)
        till.send(till.earn(10, receipt=RECEIPT), sale := till.earn(30, receipt=RECEIPT))
        again = other.earn(30, key=sale.key, receipt=RECEIPT)
        with held_up(postgres, till.terminal) as start:
            start(lambda: fronts[2].resolve(sale.id, Resolution.HONOUR, None, "Anne", "two sales on one receipt"))
            start(lambda: other.send(again))
        assert other.verdict(again).state is State.RESOLVED
        assert points_of(fronts[0]) == 40
        assert fronts[0].verify().problems == []

    def test_of_a_sale_whose_code_is_redeemed(self, fronts: list[Book], postgres: Cluster) -> None:
        """It was made without a card, and waits for its claim."""
        fronts[0].register(CARD)
        till, claimer, other = (FakeTill(front, number, PUBLIC) for number, front in enumerate(fronts, 1))
        sale = till.earn(30, None)
        till.send(sale)
        again = other.earn(30, None, key=sale.key)
        with held_up(postgres, claimer.terminal) as start:
            start(lambda: claimer.send(claim(claimer, sale)))
            start(lambda: other.send(again))
        assert other.verdict(again).state is State.POSTED
        assert points_of(fronts[0]) == 30
        assert fronts[0].verify().problems == []

    def test_of_one_code_that_two_tills_redeem(self, fronts: list[Book], postgres: Cluster) -> None:
        """The sale counts for the first card that came."""
        fronts[0].register(CARD)
        till, claimer, other = (FakeTill(front, number, PUBLIC) for number, front in enumerate(fronts, 1))
        sale = till.earn(30, None)
        till.send(sale)
        first, second = claim(claimer, sale), claim(other, sale)
        with held_up(postgres, claimer.terminal) as start:
            start(lambda: claimer.send(first))
            start(lambda: other.send(second))
        assert (claimer.verdict(first).code, other.verdict(second).code) == ("posted", "duplicate")
        assert points_of(fronts[0]) == 30
        assert fronts[0].verify().problems == []
