"""A ledger whose power will be cut: takes batches of several tills and counts the records that it has acknowledged.

Run as `python -m tests.power_cut.ledger_victim BOOKS ACKS THREADS`; acknowledgements as in victim.py.
"""

import mmap
import sys
import threading
from pathlib import Path

from ledger.facts.policy import Policy, UnknownCards
from ledger.sqlite.book import SqliteBook
from tests.ledger.fake_till import FakeTill
from tests.power_cut.victim import COUNTER

POINTS = 3
BATCH = 5


def card(number: int) -> str:
    """Each till sells to a customer of its own."""
    return f"29900000{number:04d}"


def deliver_forever(till: FakeTill, acks: mmap.mmap, thread: int) -> None:
    accepted = 0
    while True:
        accepted = till.send(*(till.earn(POINTS, card(till.number)) for _ in range(BATCH))).accepted
        COUNTER.pack_into(acks, thread * COUNTER.size, accepted)


def main(books: Path, acks: Path, threads: int) -> None:
    with acks.open("r+b") as file:
        memory = mmap.mmap(file.fileno(), threads * COUNTER.size)
    book = SqliteBook(books, policy=Policy(UnknownCards.REGISTER))
    for thread in range(threads):
        till = FakeTill(book, thread + 1)
        threading.Thread(target=deliver_forever, args=(till, memory, thread)).start()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
