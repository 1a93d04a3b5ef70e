"""Ledgers that die: for each number a child that SIGKILL ends before that statement of its books.

Run as `python -m tests.ledger.doomed_books FOLDER NUMBER…`. The child for NUMBER lives in FOLDER/NUMBER and appends a
byte to `acks` for every call that the books have called done. A child that lives to its end writes how many statements
that took to `statements`, and what the books said after each call to `seen`.
"""

import hashlib
import io
import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from ledger.facts.policy import Policy, UnknownCards
from ledger.points.programme import Lifetime, PointsRule, Programme
from ledger.port.book import Book
from ledger.sqlite import file
from ledger.sqlite.book import SqliteBook
from offline_queue.entry import Happening, Resolution
from tests.ledger.fake_till import CARD, OTHER_CARD, FakeTill, FakeTimepiece

RULE = PointsRule("base@1", points=1, per=100, expires=Lifetime(days=1))
POLICY = Policy(UnknownCards.REGISTER, programme=Programme({RULE.id: RULE}, write_off_after_days=1))
DAY_MS = 86_400_000
CARDS = (CARD, OTHER_CARD, "2990000000031")


def opened(folder: Path, timepiece: FakeTimepiece | None = None) -> Book:
    return SqliteBook(folder / "ledger.db", policy=POLICY, timepiece=timepiece or FakeTimepiece())


def seen(book: Book) -> str:
    """All that the books say, in one hash."""
    out = io.BytesIO()
    book.export(out)
    told = [book.explanation(card) for card in CARDS], book.flagged(), book.allowances(), book.terminals()
    timeless = [explanation and msgspec.structs.replace(explanation, as_of="") for explanation in told[0]]
    without_dates = [
        explanation and msgspec.structs.replace(explanation, usable=0, expired=0, inactive=0)
        for explanation in timeless
    ]
    changes = book.changes("r", 0, 1000).changes
    return hashlib.sha256(
        out.getvalue() + msgspec.json.encode([without_dates, *told[1:], changes, book.verify().liability])
    ).hexdigest()


class Ledger:
    """Does a bit of everything that books are for, each call in its turn."""

    def __init__(self, folder: Path, fatal: int) -> None:
        self.folder, self.fatal, self.statements = folder, fatal, 0
        self.acks = os.open(folder / "acks", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self.heard: list[str] = []

    def live(self) -> None:
        """The child whose number no statement has also looks at its books after each call."""
        timepiece = FakeTimepiece()
        connect = sqlite3.connect

        def watched(*arguments: object, **options: object) -> sqlite3.Connection:
            connection = connect(*arguments, **options)  # type: ignore[call-overload]
            connection.set_trace_callback(self.watch)
            return connection  # type: ignore[no-any-return]

        file.sqlite3.connect = watched  # type: ignore[assignment]
        with closing(opened(self.folder, timepiece)) as book:
            self.note(book)
            for call in calls(book, timepiece):
                call()
                self.note(book)
        (self.folder / "statements").write_text(str(self.statements))
        (self.folder / "seen").write_text("\n".join(self.heard))

    def note(self, book: Book) -> None:
        os.write(self.acks, b".")
        if not self.fatal:
            so_far = self.statements
            self.heard.append(seen(book))
            self.statements = so_far

    def watch(self, _: str) -> None:
        self.statements += 1
        if self.statements == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def calls(book: Book, timepiece: FakeTimepiece) -> Iterator[Callable[[], object]]:
    """Whatever moves points, cards and rights, in an order in which each finds something to do."""
    yield lambda: book.register(CARD, 100)
    yield lambda: book.register(OTHER_CARD)
    till = FakeTill.__new__(FakeTill)
    yield lambda: till.__init__(book)  # type: ignore[misc]
    sold = till.earn(40, rule="base@1")
    disputed = till.redeem(500)
    yield lambda: till.hello(till.stream)
    yield lambda: till.send(sold, till.earn(7, CARDS[2]), till.reverse(sold, 5), disputed, b"no record")
    yield lambda: book.resolve(disputed.id, Resolution.REFUSE, None, "Anne", "typed wrongly")
    yield lambda: till.ask("right", 20)
    yield lambda: till.send(till.redeem(20, allowance="right"))
    yield lambda: book.happen(OTHER_CARD, Happening.BLOCK, "Anne", "lost")
    yield lambda: till.send(till.earn(9, OTHER_CARD))
    yield lambda: book.happen(OTHER_CARD, Happening.UNBLOCK, "Anne", "found again")
    yield lambda: book.happen(CARDS[2], Happening.MERGE, "Anne", "one customer", CARD)
    timepiece.now += 5 * DAY_MS
    yield book.expire
    yield lambda: book.revoke(till.terminal, "stolen")
    yield lambda: till.send(till.earn(3))


def main(folder: Path, numbers: list[int]) -> None:
    for number in numbers:
        (folder / str(number)).mkdir()
        child = os.fork()
        if child == 0:
            Ledger(folder / str(number), number).live()
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(number) for number in sys.argv[2:]])
