"""A till that keeps its own streams in memory and speaks to a book directly: honest unless a test makes it lie."""

import itertools
from dataclasses import dataclass, field

from ledger.port.book import Book
from offline_queue.entry import (
    GENESIS_HASH,
    Card,
    Clock,
    Correction,
    Entry,
    Kind,
    Lane,
    Resolution,
    chain,
    encode,
    uuid7,
)
from offline_queue.wire import BatchAnswer, BatchHeader, Hello, StreamHead, Welcome
from offline_queue.wire_accounts import AllowanceAnswer, AllowanceRequest
from offline_queue.wire_feeds import Verdict

CARD = "2990000000017"
OTHER_CARD = "2990000000024"
START_MS = 1_750_000_000_000
START = "2025-06-15T15:06:40.000Z"


class FakeTimepiece:
    """A clock that moves when told to, and randomness that is counted."""

    boot_id = "00000000-0000-0000-0000-00000000b007"

    def __init__(self) -> None:
        self.now = START_MS
        self._counter = itertools.count(1)

    def unix_ms(self) -> int:
        return self.now

    def boottime_ms(self) -> int:
        return self.now - START_MS

    def random(self, count: int) -> bytes:
        return next(self._counter).to_bytes(count, "big")


@dataclass
class FakeStream:
    """Records as a till has them: their bytes and the hash after each."""

    uid: str
    records: list[bytes] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=lambda: [GENESIS_HASH])

    def append(self, record: bytes) -> int:
        self.records.append(record)
        self.hashes.append(chain(self.hashes[-1], record))
        return len(self.records)

    def copy(self) -> "FakeStream":
        """What a cloned disk holds."""
        return FakeStream(self.uid, list(self.records), list(self.hashes))

    def batch(self, first: int, count: int, generation: str) -> tuple[BatchHeader, list[bytes]]:
        last = first - 1 + count
        header = BatchHeader(f"r-{self.uid}-{first}", self.uid, first, count, self.hashes[last].hex(), generation)
        return header, self.records[first - 1 : last]


class FakeTill:
    """Enrols itself, with a key nobody can sign by unless one is given. `number` keeps ids and keys of tills apart."""

    def __init__(self, book: Book, number: int = 1, key: bytes | None = None) -> None:
        self.book = book
        self.number = number
        self.terminal = f"S001-T{number:02d}"
        self.key = key or bytes([number]) * 32
        self.known = book.generation
        assert book.enrol(self.terminal, self.key)
        self._ids = itertools.count(1)
        self.stream = self.new_stream()

    def new_stream(self) -> FakeStream:
        return FakeStream(f"{self.number:016x}{next(self._ids):016x}")

    def entry(self, kind: Kind, points: int = 0, card: str | Card | None = CARD, **fields: object) -> Entry:
        count = next(self._ids)
        told: dict[str, object] = {
            "id": uuid7(START_MS + count, bytes([self.number]) * 10),
            "key": f"key-{self.number}-{count}",
            "terminal": self.terminal,
            "business_day": "2025-06-15",
            "occurred_at": START,
            "clock": Clock(FakeTimepiece.boot_id, count, START),
            "card": Card(card) if isinstance(card, str) else card,
            **fields,
        }
        return Entry(kind=kind, points=points, **told)  # type: ignore[arg-type]

    def earn(self, points: int, card: str | None = CARD, **fields: object) -> Entry:
        return self.entry(Kind.EARN, points, card, **fields)

    def redeem(self, points: int, card: str | None = CARD, **fields: object) -> Entry:
        return self.entry(Kind.REDEEM, points, card, **fields)

    def reverse(self, original: Entry, points: int = 0, **fields: object) -> Entry:
        return self.entry(Kind.REVERSE, points, None, reverses=original.id, **fields)

    def release(self, allowance: str, **fields: object) -> Entry:
        return self.entry(Kind.RELEASE, 0, None, allowance=allowance, **fields)

    def correct(self, of: str, resolution: Resolution, points: int | None = None, **fields: object) -> Entry:
        correction = Correction("Anne", "saw both receipts", of, resolution, points)
        return self.entry(Kind.CORRECTION, 0, None, correction=correction, **fields)

    def send(self, *entries: Entry | bytes, stream: FakeStream | None = None) -> BatchAnswer:
        """Journals the entries and delivers them in one batch."""
        stream = stream or self.stream
        first = len(stream.records) + 1
        for entry in entries:
            self.journal(entry, stream)
        return self.deliver(stream, first, len(entries))

    def journal(self, entry: Entry | bytes, stream: FakeStream | None = None) -> None:
        (stream or self.stream).append(encode(entry) if isinstance(entry, Entry) else entry)

    def deliver(self, stream: FakeStream, first: int, count: int) -> BatchAnswer:
        return self.book.take(self.terminal, *stream.batch(first, count, self.book.generation))

    def ask(self, name: str, points: int, card: str = CARD) -> AllowanceAnswer:
        """In the present stream, which the ledger has been told of before."""
        self.hello(self.stream)
        request = AllowanceRequest(f"r-{name}", name, card, points, self.stream.uid)
        return self.book.allowance(self.terminal, request)

    def hello(self, *streams: FakeStream, accepted: int = 0, clock: Clock | None = None) -> Welcome:
        heads = [
            StreamHead(s.uid, Lane.BULK, len(s.records), s.hashes[-1].hex(), accepted)
            for s in streams or (self.stream,)
        ]
        hello = Hello("r-hello", self.terminal, "", 1, 1, "fake 1", heads, START, self.known, clock=clock)
        return self.book.hello(hello)

    def feed(self) -> list[Verdict]:
        """Every verdict so far, fetched in small pages."""
        verdicts: list[Verdict] = []
        after, more = 0, True
        while more:
            page = self.book.decisions(self.terminal, "r-feed", after, 3)
            verdicts += page.verdicts
            after, more = page.next, page.more
        return verdicts

    def verdict(self, entry: Entry | bytes) -> Verdict:
        """The last word on a record of the current stream."""
        raw = encode(entry) if isinstance(entry, Entry) else entry
        seq = self.stream.records.index(raw) + 1
        return [v for v in self.feed() if v.stream == self.stream.uid and v.first <= seq <= v.last][-1]


def points_of(book: Book, card: str = CARD) -> int:
    """The balance, with the lots and entries that must explain it."""
    statement = book.statement(card)
    assert statement is not None
    assert statement.points == sum(lot.remaining for lot in statement.lots)
    assert statement.points == sum(line.points for line in statement.entries)
    return statement.points
