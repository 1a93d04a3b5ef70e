"""Tills that die: for each number a child that SIGKILL ends before that statement of its writer.

Run as `python -m tests.offline_queue.doomed FOLDER NUMBER…`. The child for NUMBER lives in FOLDER/NUMBER, opens
the journal twice, and appends a key to `acks` for everything the journal has called durable. A child that lives
to its end writes how many statements that took to `statements`.
"""

import os
import signal
import sys
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.books.receipts import Signer
from offline_queue import writer
from offline_queue.entry import Claim, Correction, Entry, Kind, Lane, Resolution, State
from offline_queue.opening import open_to_write
from offline_queue.receipts import Receipt
from offline_queue.steps import TakeChanges
from offline_queue.store import Store
from offline_queue.wire import Marks
from offline_queue.wire_feeds import CardChange, Change
from terminal.cards.directory import Directory
from tests.offline_queue.sales import DIGEST, ORIGIN, StoppedTimepiece, redemption, reversal, right, sale, verdict

LEDGER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
LATER = "2030-01-01T00:00:00.000Z"
COVERED = 9
"""The last record that the ledger holds, has signed for, and has decided."""
PAGE = 2
"""Changes on a page of the feed."""

# A life is short: the index and a checkpoint must still happen within it.
writer.RUN = 8  # type: ignore[misc]
writer.RUNS_PER_CHECKPOINT = 2  # type: ignore[misc]


class Till:
    """Does a bit of everything that a journal is for."""

    def __init__(self, folder: Path, fatal: int) -> None:
        self.folder = folder
        self.fatal = fatal
        self.statements = 0
        self.acks = os.open(folder / "acks", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def live(self) -> None:
        for start in range(2):
            path = self.folder / "journal.db"
            connection = open_to_write(path, "full")
            connection.set_trace_callback(self.watch)
            self.directory = Directory.open(self.folder / "directory.db", f"start {start}")
            self.directory._connection.set_trace_callback(self.watch)
            with (
                closing(self.directory),
                closing(Store(path, connection, ORIGIN, StoppedTimepiece(-1 - start))) as self.store,
                closing(self.store.reader()) as self.reader,
            ):
                self.work_day(start)
        (self.folder / "statements").write_text(str(self.statements))

    def watch(self, _: str) -> None:
        self.statements += 1
        if self.statements == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def work_day(self, start: int) -> None:
        for number in range(6):
            entry = self.done(sale())
            self.done(reversal(entry, 24))
            allowance = right(f"right {start}.{number}")
            self.store.ask_allowance(allowance)
            self.store.answer_allowance(allowance.id, granted=True)
            given_back = sale(kind=Kind.RELEASE, allowance=allowance.id, points=0)
            self.done(redemption(allowance.id) if number % 2 else given_back)
        group = [sale() for _ in range(6)]
        for entry, future in [(entry, self.store.submit(entry, b"{}", DIGEST)) for entry in group]:
            future.result(60)
            self.acknowledge(entry)
        word = Correction("Anne", "rung up twice", group[0].id, Resolution.REFUSE)
        self.done(sale(kind=Kind.CORRECTION, correction=word, points=0, card=None))
        self.done(sale(kind=Kind.CLAIM, claim=Claim("S009-T01", f"id {start}", "TILLD1:CODE")))
        self.hear_ledger(start)

    def hear_ledger(self, start: int) -> None:
        """Custody with a receipt, decisions, changes; and what need not be kept any more goes."""
        bulk = self.store.stream(Lane.BULK)
        head = self.reader.hash_at(bulk, COVERED)
        custody = LEDGER.custody(ORIGIN.terminal, bulk, COVERED, head, LATER)
        receipt = Receipt(custody, ORIGIN.terminal, LEDGER.public_key, "g1")
        self.store.mark({bulk: Marks(COVERED, COVERED)}, "g1", {bulk: receipt})
        self.store.settle([verdict(bulk, 2, COVERED, State.POSTED)], start + 1, "g1")
        for _ in range(3):
            self.store.trim(LATER)
        for after in range(start * 3 * PAGE, (start + 1) * 3 * PAGE, PAGE):
            told = [Change(after + n + 1, CardChange(f"card {after + n}", "blocked")) for n in range(PAGE)]
            self.directory.hotlist.take(TakeChanges(after, told, after + PAGE, "g1", more=True))

    def done(self, entry: Entry) -> Entry:
        self.store.append(entry, b"{}", DIGEST)
        self.acknowledge(entry)
        return entry

    def acknowledge(self, entry: Entry) -> None:
        os.write(self.acks, f"{entry.key}\n".encode())


def main(folder: Path, numbers: list[int]) -> None:
    for number in numbers:
        (folder / str(number)).mkdir()
        child = os.fork()
        if child == 0:
            Till(folder / str(number), number).live()
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(number) for number in sys.argv[2:]])
