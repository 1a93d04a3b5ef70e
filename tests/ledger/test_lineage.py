"""Tills that come back wrong, as the ledger sees them: what a stream says of its parent against what is held of it."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts.codes import Code
from ledger.port.book import Book
from ledger.port.refusals import Refused
from ledger.rules.lineage import Opening, Past, judged, opened, sealed
from offline_queue.entry import Clock, Entry, Genesis, Kind, Lane, Parent, encode
from offline_queue.wire import Hello, StreamHead
from offline_queue.wire_accounts import AllowanceRequest
from tests.ledger.conftest import Shelfful
from tests.ledger.fake_till import CARD, START, FakeStream, FakeTill, points_of


def flag(book: Book, stream: FakeStream) -> str | None:
    """What the books hold against a stream."""
    query = "SELECT flag FROM stream WHERE uid = ? ORDER BY branch"
    rows = book._engine.read(lambda tables: tables.rows(query, stream.uid))  # type: ignore[attr-defined]
    return rows[0][0] if rows else None


class Line:
    """A till with one lane, whose journal is opened, copied and put back as a test says."""

    def __init__(self, book: Book, till: FakeTill, machine: str = "machine-1") -> None:
        self.book, self.till, self.machine = book, till, machine
        self.streams: list[FakeStream] = []
        self.open()

    @property
    def now(self) -> FakeStream:
        return self.streams[-1]

    def open(self) -> None:
        """A start of the daemon."""
        parent = Parent(self.now.uid, len(self.now.records), self.now.hashes[-1].hex()) if self.streams else None
        stream = self.till.new_stream()
        genesis = Genesis(stream.uid, Lane.BULK, self.machine, "fake 1", 1, parent)
        entry = self.till.entry(Kind.GENESIS, card=None, clock=Clock("boot-1", 1, START), genesis=genesis)
        stream.append(encode(entry))
        self.streams.append(stream)

    def copy(self, machine: str | None = None) -> "Line":
        """What a copied or backed-up disk holds."""
        twin = object.__new__(Line)
        twin.book, twin.till, twin.machine = self.book, self.till, machine or self.machine
        twin.streams = [stream.copy() for stream in self.streams]
        return twin

    def sell(self, points: int = 1) -> None:
        self.now.append(encode(self.till.earn(points)))

    def hello(self) -> None:
        heads = [
            StreamHead(s.uid, Lane.BULK, len(s.records), s.hashes[-1].hex(), 0, parent=parent)
            for s, parent in zip(self.streams, self._parents(), strict=True)
        ]
        self.book.hello(Hello("r", self.till.terminal, "", 1, 1, "fake", heads, START))

    def deliver(self) -> None:
        """Everything, from the first record on; what is held is passed over."""
        for stream in self.streams:
            self.till.deliver(stream, 1, len(stream.records))

    def ask(self, name: str) -> str | None:
        """The code of a refused allowance in the present stream."""
        return self.book.allowance(self.till.terminal, AllowanceRequest("r", name, CARD, 1, self.now.uid)).code

    def _parents(self) -> list[Parent | None]:
        before = [None, *self.streams[:-1]]
        return [s and Parent(s.uid, len(s.records), s.hashes[-1].hex()) for s in before]


@pytest.fixture
def line(book: Book, till: FakeTill) -> Line:
    line = Line(book, till)
    line.sell(100)
    line.deliver()
    return line


class TestHonestTills:
    def test_a_restart_is_no_fork(self, book: Book, line: Line) -> None:
        """A till that was sealed, killed or offline between its starts goes on as it should."""
        for _ in range(3):
            line.open()
            line.hello()
            line.sell(10)
            line.deliver()
        assert [flag(book, stream) for stream in line.streams] == [None] * 4
        assert line.ask("a1") is None
        assert points_of(book) == 130

    def test_starts_that_were_offline_arrive_late_and_in_any_order(self, book: Book, line: Line) -> None:
        """The urgent lane's newest stream may come before older ones have."""
        line.sell(10)
        line.open()
        line.sell(20)
        line.open()
        line.hello()
        for stream in reversed(line.streams):
            line.till.deliver(stream, 1, len(stream.records))
        assert [flag(book, stream) for stream in line.streams] == [None] * 3
        assert points_of(book) == 130

    def test_a_seal_is_noted(self, book: Book, line: Line) -> None:
        """Rights of a stream that ended in order may be confirmed."""
        line.now.append(encode(line.till.entry(Kind.SEAL, card=None)))
        line.deliver()
        query = "SELECT sealed FROM stream WHERE uid = ?"
        assert book._engine.read(lambda t: t.rows(query, line.now.uid)) == [(1,)]  # type: ignore[attr-defined]


class TestComingBackWrong:
    @pytest.mark.parametrize("told", ["hello", "records"])
    def test_a_journal_put_back_from_an_older_copy(self, book: Book, line: Line, told: str) -> None:
        """Its new stream follows a record behind which the ledger holds more: flagged by the first word of it."""
        backup = line.copy()
        line.sell(10)
        line.deliver()
        backup.open()
        backup.sell(20)
        backup.hello() if told == "hello" else backup.deliver()
        assert flag(book, backup.now) == "restored"
        assert backup.ask("a1") == "restored"
        backup.deliver()
        assert points_of(book) == 130
        assert flag(book, line.now) is None

    @pytest.mark.parametrize(("machine", "found"), [("machine-1", "restored"), ("machine-2", "fork")])
    def test_a_second_child(self, book: Book, line: Line, machine: str, found: str) -> None:
        """A disk put back as it was when the till was off, or a copy of it in another machine."""
        backup = line.copy(machine)
        line.open()
        line.deliver()
        backup.open()
        backup.hello()
        assert flag(book, backup.now) is not None
        backup.deliver()
        assert flag(book, backup.now) == found
        assert flag(book, line.now) is None

    def test_two_machines_that_start_from_one_image_at_once(self, book: Book, line: Line) -> None:
        """The second is flagged before it may promise anything; when the first goes on, both are a fork."""
        twin = line.copy()
        for machine in (line, twin):
            machine.open()
            machine.hello()
        assert (line.ask("a1"), twin.ask("a2")) == (None, "restored")
        line.deliver()
        twin.sell(10)
        twin.deliver()
        line.sell(20)
        line.deliver()
        assert (flag(book, line.now), flag(book, twin.now)) == ("fork", "fork")
        assert points_of(book) == 130

    def test_a_parent_that_goes_on(self, book: Book, line: Line) -> None:
        """The copy was started first; the machine that it was taken from had never stopped."""
        copy = line.copy("machine-2")
        copy.open()
        copy.deliver()
        assert (flag(book, copy.now), copy.ask("a1")) == (None, None)
        line.sell(10)
        line.deliver()
        assert (flag(book, line.now), flag(book, copy.now)) == ("fork", "fork")
        assert (line.ask("a2"), copy.ask("a3")) == ("fork", "fork")

    def test_the_lost_end_of_a_journal_comes_from_a_peer(self, book: Book, line: Line) -> None:
        """The copies show that the journal was put back; nobody takes them for a second machine."""
        backup = line.copy()
        line.sell(10)
        backup.open()
        backup.deliver()
        assert flag(book, backup.now) is None
        header, records = line.now.batch(1, len(line.now.records), book.generation)
        book.take(line.till.terminal, msgspec.structs.replace(header, owner=line.till.terminal), records)
        assert (flag(book, line.now), flag(book, backup.now)) == (None, "restored")
        assert points_of(book) == 110

    def test_the_original_starts_again_after_its_copy_was_seen(self, book: Book, line: Line) -> None:
        """It was killed without a further record, and still its next start proves that two machines are alive."""
        copy = line.copy()
        line.open()
        line.deliver()
        copy.open()
        copy.deliver()
        line.open()
        line.hello()
        assert (flag(book, copy.now), flag(book, line.now)) == ("restored", "fork")

    def test_other_records_at_the_same_place(self, book: Book, line: Line) -> None:
        """A copy that went on in the very same stream: both branches are kept, and flagged."""
        copy = line.copy()
        line.sell(10)
        line.deliver()
        copy.sell(20)
        copy.deliver()
        assert flag(book, line.now) == "fork"
        assert points_of(book) == 130

    def test_a_child_of_records_that_never_came(self, book: Book, line: Line) -> None:
        """It names a hash that the ledger has under another record: the past itself is another one."""
        copy = line.copy()
        copy.sell(20)
        copy.open()
        line.sell(10)
        line.deliver()
        copy.hello()
        assert flag(book, copy.now) == "fork"

    def test_a_journal_begun_anew(self, book: Book, line: Line, till: FakeTill) -> None:
        """A lane without a parent, although it had begun before."""
        query = "SELECT lost_at IS NULL FROM terminal WHERE name = ?"
        assert book._engine.read(lambda t: t.rows(query, till.terminal)) == [(1,)]  # type: ignore[attr-defined]
        fresh = Line(book, till)
        fresh.hello()
        assert book._engine.read(lambda t: t.rows(query, till.terminal)) == [(0,)]  # type: ignore[attr-defined]
        assert flag(book, fresh.now) is None

    def test_a_stream_that_was_never_declared_is_promised_nothing(self, book: Book, till: FakeTill) -> None:
        """Whether it is one of two futures, only a hello or its records can tell."""
        with pytest.raises(Refused) as refusal:
            Line(book, till).ask("a1")
        assert refusal.value.problem.code == "generation"

    def test_findings_survive_a_restart(self, shelf: Shelfful, book: Book, line: Line) -> None:
        """They are in the books, not in a process."""
        copy = line.copy()
        line.sell(10)
        line.deliver()
        copy.open()
        copy.hello()
        book.close()
        copy.book = shelf.open()
        assert copy.ask("a1") == "restored"


@settings(max_examples=60)
@given(
    mark=st.integers(0, 5),
    seq=st.integers(1, 5),
    agrees=st.booleans(),
    others=st.lists(st.sampled_from(["machine-1", "machine-2", None]), max_size=3),
    overtaken=st.booleans(),
)
def test_only_a_single_future_of_what_is_held_is_clean(
    mark: int, seq: int, agrees: bool, others: list[str | None], overtaken: bool
) -> None:
    """Whatever else is known, a stream is unsuspected just when it is the one child of its parent's end."""
    opening = Opening("s", Lane.BULK, Parent("p", seq, "00"), "machine-1")
    found = judged(opening, Past(mark, agrees, others, overtaken))
    clean = not overtaken and not others and (mark < seq or (mark == seq and agrees))
    assert (found is None) == clean
    assert found in (None, Code.FORK, Code.RESTORED)


def hostile() -> list[Callable[[], bytes]]:
    clock = Clock("b", 1, START)
    seal = Entry("i", "k", Kind.SEAL, "T", "2025-06-15", START, clock)
    return [
        lambda: b"",
        lambda: b'"kind":"genesis"',
        lambda: encode(seal),
        lambda: encode(Entry("i", "k", Kind.GENESIS, "T", "2025-06-15", START, clock)),
        lambda: encode(
            Entry("i", "k", Kind.GENESIS, "T", "d", START, clock, genesis=Genesis("other", Lane.BULK, "m", "s", 1))
        ),
    ]


@pytest.mark.parametrize("record", hostile())
def test_what_is_no_genesis_of_the_stream_opens_nothing(record: Callable[[], bytes]) -> None:
    """Garbage, another kind, a genesis that says nothing or names another stream."""
    assert opened("stream", record()) is None
    assert sealed(record()) == (b"seal" in record())
