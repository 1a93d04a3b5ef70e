"""The hello of a till that was started thousands of times without a line: it costs the books little, and is taken."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.http.bodies import MAX_HELLO_BYTES, MAX_JSON_BYTES
from ledger.http.gate import Enrolment
from ledger.port.book import Book
from ledger.port.refusals import Refused
from ledger.sqlite.book import SqliteBook
from ledger.tables.engine import Tables
from offline_queue.entry import GENESIS_HASH, Genesis, Kind, Lane, Parent, encode
from offline_queue.wire import Hello, Marks, StreamHead
from tests.ledger.client import Client
from tests.ledger.fake_till import START, FakeStream, FakeTill, FakeTimepiece

LINEAGE = "SELECT uid, lane, parent, parent_seq, machine, followed, flag FROM stream ORDER BY no"
ASKED = ("rows", "many", "scan", "change", "insert", "update")


class Counting:
    """Tables that count what is asked of them."""

    def __init__(self, tables: Tables, counts: Counter[str]) -> None:
        self._tables, self._counts = tables, counts

    def __getattr__(self, name: str) -> Any:
        if name in ASKED:
            self._counts[name] += 1
        return getattr(self._tables, name)


def counted(book: Book, hello: Hello) -> Counter[str]:
    """What the books ask of their tables for this hello."""
    counts: Counter[str] = Counter()
    engine = book._engine  # type: ignore[attr-defined]
    write: Callable[..., Any] = engine.write
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "write", lambda work: write(lambda tables: work(Counting(tables, counts))))
        book.hello(hello)
    return counts


class Starts:
    """A till whose every start opens a stream for each lane and seals none."""

    def __init__(self, till: FakeTill) -> None:
        self.till = till
        self.streams: list[tuple[FakeStream, Lane, Parent | None]] = []

    def start(self, times: int) -> None:
        for lane in (*Lane,) * times:
            last = next((stream for stream, other, _ in reversed(self.streams) if other is lane), None)
            parent = Parent(last.uid, len(last.records), last.hashes[-1].hex()) if last else None
            stream = self.till.new_stream()
            genesis = Genesis(stream.uid, lane, "machine-1", "fake 1", 1, parent)
            stream.append(encode(self.till.entry(Kind.GENESIS, card=None, genesis=genesis)))
            self.streams.append((stream, lane, parent))

    def hello(self) -> Hello:
        heads = [
            StreamHead(stream.uid, lane, len(stream.records), stream.hashes[-1].hex(), 0, parent=parent)
            for stream, lane, parent in self.streams
        ]
        return Hello("r", self.till.terminal, "", 1, 1, "fake", heads, START, self.till.book.generation)


@pytest.mark.parametrize("delivered", ["nothing", "all", "more"])
def test_a_hello_costs_as_many_statements_for_ten_streams_as_for_two_hundred(
    book: Book, till: FakeTill, delivered: str
) -> None:
    """Also where everything is held, and where the ledger has more than a till that was put back."""
    asked = []
    for number, starts in enumerate((5, 100), 2):
        line = Starts(FakeTill(book, number))
        line.start(starts)
        first = counted(book, line.hello())
        for stream, _, _ in line.streams if delivered != "nothing" else ():
            if delivered == "more":
                stream.append(encode(line.till.earn(1)))
            line.till.deliver(stream, 1, len(stream.records))
            if delivered == "more":
                stream.records.pop()
                stream.hashes.pop()
        asked.append((first, counted(book, line.hello())))
    assert asked[0] == asked[1]
    assert asked[0][1]["insert"] == asked[0][1]["update"] == 0


def test_a_hello_of_thousands_of_streams_is_answered_for_each(book: Book, till: FakeTill) -> None:
    """The first time and again; what of it comes later is known to be expected."""
    line = Starts(till)
    line.start(1500)
    hello = line.hello()
    uids = {head.stream for head in hello.streams}
    assert book.hello(hello).streams == dict.fromkeys(uids, Marks(0, 0))
    oldest = line.streams[0][0]
    till.deliver(oldest, 1, 1)
    assert book.hello(hello).streams == dict.fromkeys(uids, Marks(0, 0)) | {oldest.uid: Marks(1, 0)}
    assert not book.hello(hello).orders


Told = tuple[int | None, int, bool]
"""Of which earlier stream a new one says that it follows it, after which record, and whether the hash is right."""
trees = st.lists(st.tuples(st.none() | st.integers(0, 5), st.integers(0, 3), st.booleans()), min_size=1, max_size=8)


def heads_of(till: FakeTill, told: Sequence[Told], held: Sequence[int]) -> list[StreamHead]:
    """Streams of three records, of which as many are delivered as `held` says."""
    streams: list[FakeStream] = []
    heads = []
    for (which, seq, right), count in zip(told, held, strict=False):
        stream = till.new_stream()
        followed = streams[which] if which is not None and which < len(streams) else None
        digest = followed.hashes[seq] if followed and right else GENESIS_HASH
        parent = Parent(followed.uid, seq, digest.hex()) if followed else None
        for _ in range(3):
            stream.append(encode(till.earn(1)))
        if count:
            till.deliver(stream, 1, count)
        streams.append(stream)
        heads.append(StreamHead(stream.uid, Lane.BULK, 3, stream.hashes[-1].hex(), 0, parent=parent))
    return heads


@settings(max_examples=25)
@given(trees, st.lists(st.integers(0, 3), min_size=8, max_size=8), st.sampled_from([1, -1]))
def test_all_at_once_means_the_same_as_one_after_the_other(told: list[Told], held: list[int], order: int) -> None:
    """Whatever streams say of their parents, in whatever order, and whatever is held of these: the same findings."""
    found = []
    for together in (True, False):
        with TemporaryDirectory() as folder:
            book = SqliteBook(Path(folder) / "books.db", timepiece=FakeTimepiece())
            till = FakeTill(book)
            heads = heads_of(till, told, held)[::order]
            for some in [heads] if together else [[head] for head in heads]:
                welcome = book.hello(Hello("r", till.terminal, "", 1, 1, "fake", some, START, book.generation))
            rows = book._engine.read(lambda tables: tables.rows(LINEAGE))
            found.append((rows, welcome.orders))
            book.close()
    assert found[0] == found[1]


@pytest.mark.parametrize("seq", [-1, 2**40, 2**70])
def test_a_parent_that_no_stream_can_have(book: Book, till: FakeTill, seq: int) -> None:
    """In hello it is malformed; a record that names it is kept like any other, for its till has no other."""
    line = Starts(till)
    line.start(1)
    hello, nowhere = line.hello(), Parent("elsewhere", seq, "00" * 32)
    wrong = msgspec.structs.replace(hello.streams[0], parent=nowhere)
    with pytest.raises(Refused, match="no stream can have"):
        book.hello(msgspec.structs.replace(hello, streams=[wrong]))
    stream = till.new_stream()
    genesis = Genesis(stream.uid, Lane.BULK, "machine-1", "fake 1", 1, nowhere)
    assert till.send(till.entry(Kind.GENESIS, card=None, genesis=genesis), stream=stream).accepted == 1


def test_a_long_hello_is_taken(book: Book, served: Callable[..., str]) -> None:
    """White space stands for the streams of a long time without a line."""
    client = Client(served(book, enrolment=Enrolment.OPEN))
    hello = Hello("r", client.terminal, client.public_key, 1, 1, "fake", [], START)
    body = msgspec.json.encode(hello)
    for length, status in ((MAX_JSON_BYTES + 1, 200), (MAX_HELLO_BYTES, 200), (MAX_HELLO_BYTES + 1, 413)):
        assert client.request("POST", "/v1/hello", body.ljust(length)).status == status
    client.close()
