"""The thread that copies unsynced records to another machine or disk, so that a dead disk loses no point.

    durable ──► copied ──► POS answered       with `wait_ms`: the answer waits for the copy, at most so long
       └──────► POS answered ──► copied       without

A copy is never a condition of a sale: a mirror that cannot be reached is a state that people see.
"""

import heapq
import itertools
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from offline_queue.mirror_copy import Keeper, MirrorUnreachable, sealed
from offline_queue.timepiece import Timepiece
from offline_queue.wire import MAX_BATCH, MAX_BATCH_BYTES, StreamHead

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from offline_queue.store import JournalReader, Store

RETRY_S: Final = 5.0
"""A mirror is near: what keeps it away is a cable or a machine that starts again."""
LOOK_S: Final = 30.0
"""How soon copies that the ledger has made needless are given up."""

_STRAYS: Final = (
    "The mirror has records of {} streams that this journal lacks: it was lost or put back. Points in them may be"
    " nowhere else. Bring them to the ledger where they are kept: tilld mirror deliver"
)

log = logging.getLogger(__name__)


class MirrorReport(msgspec.Struct, frozen=True):
    """`behind` records are in the journal alone; `detail` says for people what keeps the mirror away.

    `strays` are streams of which the mirror has records that this journal lacks: it was lost, or put back.
    """

    reachable: bool
    behind: int
    detail: str
    strays: int = 0


class Mirror:
    """Owns its threads between `start` and `stop`. Every other method may be called from any thread at any time."""

    def __init__(
        self,
        store: "Store",
        keeper: Keeper,
        timepiece: Timepiece,
        terminal: str,
        key: "Ed25519PrivateKey",
        *,
        wait_ms: int = 0,
    ) -> None:
        self._store, self._keeper, self._timepiece = store, keeper, timepiece
        self._terminal, self._key, self._wait_ms = terminal, key, wait_ms
        self._held: dict[str, int] | None = None
        self._report = MirrorReport(reachable=True, behind=0, detail="Nothing was copied yet.")
        self._waiting: list[tuple[int, int, str, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._wake = threading.Event()
        self._stopping = False
        self._threads = [
            threading.Thread(target=run, name=name, daemon=True)
            for name, run in (("mirror", self._run), ("mirror-waits", self._release_overdue))
        ]

    @property
    def report(self) -> MirrorReport:
        return self._report

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Whoever waits is released. A copy that hangs is left behind. Safe without `start`, and twice."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._wake.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(RETRY_S)

    def after_copy(self, stream: str, seq: int, then: Callable[[], None]) -> None:
        """There is a new record. Calls `then` once: when it is copied, or when nobody can be asked to wait for that."""
        with self._changed:
            waits = self._wait_ms > 0 and self._report.reachable and not self._stopping
            if waits:
                deadline = self._timepiece.boottime_ms() + self._wait_ms
                heapq.heappush(self._waiting, (deadline, next(self._numbers), stream, seq, then))
                self._changed.notify_all()
        if not waits:
            then()
        self._wake.set()

    def _run(self) -> None:
        journal = self._store.reader()
        try:
            while True:
                self._wake.clear()
                if self._stopping:  # asked after the clearing, which may have swallowed the word of it
                    return
                self._wake.wait(LOOK_S if self._copied_all(journal) else RETRY_S)
        finally:
            journal.close()

    def _copied_all(self, journal: "JournalReader") -> bool:
        """One round; False where the mirror could not be reached."""
        heads: list[StreamHead] = []
        try:
            heads, held = journal.streams(), self._kept()
            for head in heads:
                self._copy(journal, head, held)
                self._release(head.stream, max(held.get(head.stream, 0), head.accepted))
            self._forget(journal, held)
            strays = self._strays(journal, held)
        except MirrorUnreachable as error:
            self._note(heads, str(error))
            return False
        except Exception as error:  # a defect here must be seen, and must not end the second copies
            log.exception("the mirror stumbled")
            self._note(heads, f"tilld itself failed ({error!r})")
            return False
        self._note(heads, None, strays)
        return True

    def _kept(self) -> dict[str, int]:
        """What the mirror has, asked once: nobody else writes there for this till, as far as all is well."""
        if self._held is None:
            held = self._keeper.held(self._terminal)
            with self._changed:
                self._held = held
        return self._held

    def _copy(self, journal: "JournalReader", head: StreamHead, held: dict[str, int]) -> None:
        while (first := max(held.get(head.stream, 0), head.accepted) + 1) <= head.seq:
            records = journal.records(head.stream, first, MAX_BATCH, MAX_BATCH_BYTES // 2)
            if not records:
                return  # given up, and asked for again by books that were put back to before their newest backup
            last = first + len(records) - 1
            end = journal.hash_at(head.stream, last)
            self._keeper.keep(sealed(self._terminal, head.stream, first, records, end, self._key))
            held[head.stream] = last
            self._release(head.stream, last)

    def _release(self, stream: str, last: int) -> None:
        """Those that wait for a record up to this one."""
        with self._changed:
            done = [one for one in self._waiting if one[2] == stream and one[3] <= last]
            self._waiting = [one for one in self._waiting if one not in done]
            heapq.heapify(self._waiting)
        for *_, then in done:
            then()

    def _forget(self, journal: "JournalReader", held: dict[str, int]) -> None:
        """What is wholly with the ledger needs no copy, and should not lie about.

        A journal that was lost or put back does not know how far the ledger holds what it lacks: those copies may be
        the only ones, and stay until they are delivered.
        """
        done = [stream for stream, last in held.items() if last <= journal.accepted(stream)]
        for stream in done:
            self._keeper.forget(self._terminal, stream, held[stream])
            del held[stream]

    def _strays(self, journal: "JournalReader", held: dict[str, int]) -> int:
        return sum(journal.end(stream) < last for stream, last in held.items())

    def _note(self, heads: list[StreamHead], trouble: str | None, strays: int = 0) -> None:
        held = self._held or {}
        behind = sum(max(0, head.seq - max(held.get(head.stream, 0), head.accepted)) for head in heads)
        detail = f"The mirror cannot be reached: {trouble}. Sales go on without a second copy." if trouble else "Fine."
        detail = _STRAYS.format(strays) if strays else detail
        with self._changed:
            before, self._report = self._report, MirrorReport(trouble is None, behind, detail, strays)
        if trouble is not None or strays:
            self._held = None  # asked anew: strays go when somebody has delivered them
        if trouble is not None:
            self._release_all()
        if (before.reachable, before.strays) != (self._report.reachable, strays):
            log.log(logging.WARNING if trouble or strays else logging.INFO, "mirror: %s", detail)

    def _release_all(self) -> None:
        with self._changed:
            late, self._waiting = self._waiting, []
        for *_, then in late:
            then()

    def _release_overdue(self) -> None:
        """A folder of another machine can hang for minutes; no customer waits for it."""
        while True:
            with self._changed:
                if self._stopping:
                    break
                now = self._timepiece.boottime_ms()
                late = [heapq.heappop(self._waiting) for _ in range(sum(one[0] <= now for one in self._waiting))]
                if not late:
                    self._changed.wait((self._waiting[0][0] - now) / 1000 if self._waiting else None)
            for *_, then in late:
                then()
        self._release_all()
