"""PostgreSQL's process, or the ledger, killed before each statement of a batch: it is wholly there or not at all."""

import itertools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from ledger.port.refusals import NotRecorded
from ledger.postgres.book import PostgresBook
from ledger.postgres.schema import TABLES
from tests.ledger.cluster import Cluster
from tests.ledger.doomed_ledger import AFTER_COMMIT, EFFECT, POLICY, Fate, Watched, batch
from tests.ledger.fake_till import FakeTill, points_of

ROOT = Path(__file__).parents[2]
STATEMENTS = 30
"""A batch has at least so many; less would mean that the blow falls elsewhere."""
CODES = ["posted", "duplicate", "posted", "posted", "posted", "undecodable"]
COUNTS = ", ".join(f"(SELECT count(*) FROM {table})" for table in TABLES)
WHOLE = f"SELECT row({COUNTS}, (SELECT sum(balance) FROM account), (SELECT sum(mark) FROM stream))::text"
"""Changes with every row that a batch leaves."""


class Killer:
    """Ends the server's process behind a connection, and looks at what others see of the books then."""

    def __init__(self, server: Cluster) -> None:
        self._eyes = server.connected()
        self.seen: list[tuple[bool, object]] = []
        """Of the books after each strike, with whether that fell behind a COMMIT."""

    def strike(self, connection: Watched, committed: bool) -> None:
        gone = self._eyes.execute("SELECT pg_terminate_backend(%s, 10000)", [connection.info.backend_pid]).fetchone()
        assert gone == (True,)
        self.seen.append((committed, self.look()))

    def look(self) -> object:
        return self._eyes.execute(WHOLE.encode()).fetchone()

    def close(self) -> None:
        self._eyes.close()


@pytest.fixture
def killer(postgres: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Killer]:
    """All connections made from here on can be watched, but for its own."""
    postgres.emptied()
    with closing(Killer(postgres)) as killer:
        monkeypatch.setattr(psycopg, "connect", Watched.connect)
        yield killer
        Watched.fate = None


@pytest.mark.parametrize(("times", "step"), [(1, 1), (2, 4)])
def test_the_server_s_process_ends_before_each_statement(
    postgres: Cluster, killer: Killer, times: int, step: int
) -> None:
    """Once, and the ledger itself goes on with another connection; twice, and the till sends again.

    Nobody ever sees a part of a batch, and it has the same answer and effect as one that nothing happened to.
    """
    with closing(PostgresBook(postgres.url, policy=POLICY)) as book:
        till, refused, committed = FakeTill(book), 0, 0
        for batches, number in enumerate(itertools.chain([AFTER_COMMIT], itertools.count(1, step)), 1):
            before, killer.seen = killer.look(), []
            first = len(till.stream.records) + 1
            batch(till)
            Watched.fate = Fate(killer.strike)
            Watched.fate.arm(number, times)
            try:
                answer = till.deliver(till.stream, first, len(CODES))
            except NotRecorded:
                refused += 1
                answer = till.deliver(till.stream, first, len(CODES))
            after, met, Watched.fate = killer.look(), Watched.fate.is_met, None
            assert answer.accepted == len(till.stream.records)
            assert points_of(book) == EFFECT * batches
            assert all(seen == (after if whole else before) for whole, seen in killer.seen)
            committed += any(whole for whole, _ in killer.seen)
            if not met:
                break
        assert [verdict.code for verdict in till.feed()] == told(batches)
        assert book.verify().problems == []
    assert number > STATEMENTS
    assert refused == (batches - 1 if times == 2 else 0)
    assert committed > 0, "the first strike has fallen between the COMMIT and its answer"


def told(batches: int) -> list[str]:
    """Verdicts of so many batches; neighbours that say the same are one within a batch."""
    return [code for code, _ in itertools.groupby(CODES)] * batches


def test_the_ledger_is_killed_before_each_statement(postgres: Cluster) -> None:
    """Its till finds another one, sends again, and what counts is one batch of each till."""
    postgres.emptied()
    numbers = range(1, 2 * STATEMENTS, 4)
    command = [sys.executable, "-m", "tests.ledger.doomed_ledger", postgres.url, *map(str, numbers)]
    ran = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=110)
    assert 0 < int(ran.stdout) < len(numbers) / 2, "only the last tills have their answer before the blow"
    with closing(PostgresBook(postgres.url, policy=POLICY)) as book:
        for number in numbers:
            till = FakeTill(book, number)
            batch(till)
            assert till.deliver(till.stream, 1, len(CODES)).accepted == len(CODES)
            assert [verdict.code for verdict in till.feed()] == told(1)
        assert points_of(book) == EFFECT * len(numbers)
        assert book.verify().problems == []
