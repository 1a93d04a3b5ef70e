"""A ledger on PostgreSQL that loses its server's process, or dies itself, before a statement of its choice.

Run as `python -m tests.ledger.doomed_ledger URL NUMBER…` it has a till of each number deliver its batch, and is ended
by SIGKILL before the statement of that number. It tells how many of these tills had an answer.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any, Final

import psycopg

from ledger.facts.policy import Policy, UnknownCards
from ledger.postgres.book import PostgresBook
from tests.ledger.fake_till import FakeTill

POLICY: Final = Policy(UnknownCards.REGISTER)
EFFECT: Final = 6
"""Points that a batch leaves on the card."""


AFTER_COMMIT: Final = -1
"""Instead of a statement's number: before the answer to the next COMMIT."""


class Fate:
    """Counts statements from when it is armed, and `strikes` before number `at`; the end of a COMMIT counts as one.

    A strike is told whether it falls there.
    """

    def __init__(self, strike: Callable[["Watched", bool], None]) -> None:
        self._strike, self._at, self._times, self._count = strike, 0, 0, 0

    def arm(self, at: int, times: int = 1) -> None:
        """So many connections meet it, one after the other."""
        self._at, self._times, self._count = at, times, 0

    @property
    def is_met(self) -> bool:
        """Whether every strike has fallen."""
        return self._times == 0

    def pass_by(self, connection: "Watched", *, committed: bool = False) -> None:
        self._count += 1
        if self._times and (self._count == self._at or (committed and self._at == AFTER_COMMIT)):
            self._count, self._times = 0, self._times - 1
            self._strike(connection, committed)


class Watched(psycopg.Connection[Any]):
    """A connection with a `fate`, once one was given to the class."""

    fate: Fate | None = None

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        if self.fate is not None:
            self.fate.pass_by(self)
        done = super().execute(query, params, **options)
        if self.fate is not None and query == "COMMIT":
            with suppress(psycopg.ProgrammingError):  # there are no rows to wait for, only the end
                done.fetchone()
            self.fate.pass_by(self, committed=True)
            super().execute("SELECT 'whether the answer can still be heard'")
        return done


def batch(till: FakeTill) -> None:
    """Journals a bit of everything that a batch may do: opens, posts, repeats, redeems, reverses, finds no sense."""
    sold = till.earn(10)
    again = till.earn(10, key=sold.key)
    for entry in (sold, again, till.earn(4), till.redeem(3), till.reverse(sold, 5)):
        till.journal(entry)
    till.journal(b"no record")


def deliver(url: str, number: int) -> None:
    with closing(PostgresBook(url, policy=POLICY)) as book:
        till = FakeTill(book, number)
        batch(till)
        Watched.fate = Fate(lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        Watched.fate.arm(number)
        till.deliver(till.stream, 1, len(till.stream.records))


def main(url: str, numbers: list[int]) -> None:
    psycopg.connect = Watched.connect  # type: ignore[assignment]
    answered = 0
    for number in numbers:
        child = os.fork()
        if child == 0:
            deliver(url, number)
            os._exit(0)
        answered += os.waitpid(child, 0)[1] == 0
    sys.stdout.write(str(answered))


if __name__ == "__main__":
    main(sys.argv[1], [int(number) for number in sys.argv[2:]])
