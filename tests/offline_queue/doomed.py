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

from offline_queue import writer
from offline_queue.entry import Entry, Kind, Lane, State
from offline_queue.opening import open_to_write
from offline_queue.store import Store
from offline_queue.wire import Marks
from tests.offline_queue.sales import DIGEST, ORIGIN, StoppedTimepiece, redemption, reversal, right, sale, verdict

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
            with closing(Store(path, connection, ORIGIN, StoppedTimepiece(-1 - start))) as self.store:
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
            future.result(10)
            self.acknowledge(entry)
        bulk = self.store.stream(Lane.BULK)
        self.store.mark({bulk: Marks(9, 1)}, "g1")
        self.store.settle([verdict(bulk, 2, 9, State.POSTED)], start + 1, "g1")

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
