"""A till whose power will be cut: appends from several threads and counts what was acknowledged.

Run as `python -m tests.power_cut.victim JOURNAL ACKS SYNCHRONOUS THREADS`. ACKS is a file that outlives the
cut, mapped into memory: after each acknowledged append of thread t its number goes to the t-th 8 bytes.
"""

import mmap
import struct
import sys
import threading
from pathlib import Path

from offline_queue.store import Store
from tests.offline_queue.sales import DIGEST, ORIGIN, StoppedTimepiece, sale

COUNTER = struct.Struct("=Q")


def key(thread: int, number: int) -> str:
    return f"thread-{thread}-{number}"


def append_forever(store: Store, acks: mmap.mmap, thread: int) -> None:
    number = 0
    while True:
        number += 1
        store.append(sale(key=key(thread, number)), b"{}", DIGEST)
        COUNTER.pack_into(acks, thread * COUNTER.size, number)


def main(journal: Path, acks: Path, synchronous: str, threads: int) -> None:
    with acks.open("r+b") as file:
        memory = mmap.mmap(file.fileno(), threads * COUNTER.size)
    store = Store.open(journal, origin=ORIGIN, timepiece=StoppedTimepiece(-1), synchronous=synchronous)  # type: ignore[arg-type]
    for thread in range(threads):
        threading.Thread(target=append_forever, args=(store, memory, thread)).start()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
