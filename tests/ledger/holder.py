"""A till as far as rights go: honest, with a disk that can be copied, and a line that it may be cut off from."""

from dataclasses import dataclass, field, replace

from ledger.port.book import Book
from offline_queue.entry import Clock, Entry, Genesis, Kind, Lane, Parent, encode
from offline_queue.wire import Hello, StreamHead, Welcome
from offline_queue.wire_accounts import AllowanceAnswer, AllowanceRequest
from tests.ledger.fake_till import CARD, START, FakeStream, FakeTill


@dataclass
class Start:
    """One start of the daemon: its urgent stream, and the record that it follows."""

    stream: FakeStream
    parent: Parent | None
    sealed: bool = False


@dataclass
class Holder:
    """`rights` are those on its disk that are neither used nor given back, with their points; `valid` ones of them hold
    in this start."""

    book: Book
    till: FakeTill
    machine: str = "machine-1"
    starts: list[Start] = field(default_factory=list)
    rights: dict[str, int] = field(default_factory=dict)
    valid: set[str] = field(default_factory=set)
    generation: str | None = None

    def __post_init__(self) -> None:
        self.generation = self.generation or self.book.generation
        if not self.starts:
            self.start()

    @property
    def now(self) -> FakeStream:
        return self.starts[-1].stream

    def start(self) -> None:
        """A new stream that follows the last one; what was valid is void."""
        last = self.starts[-1].stream if self.starts else None
        parent = Parent(last.uid, len(last.records), last.hashes[-1].hex()) if last else None
        stream = self.till.new_stream()
        genesis = Genesis(stream.uid, Lane.URGENT, self.machine, "fake 1", 1, parent)
        clock = Clock("boot-1", 1, START)
        stream.append(encode(self.till.entry(Kind.GENESIS, card=None, clock=clock, genesis=genesis)))
        self.starts.append(Start(stream, parent))
        self.valid.clear()

    def restart(self, *, sealed: bool = True) -> None:
        if sealed:
            self.write(self.till.entry(Kind.SEAL, card=None))
            self.starts[-1].sealed = True
        self.start()

    def copy(self, machine: str | None = None, *, at_rest: bool = False) -> "Holder":
        """What a copied or backed-up disk holds; it is started where it is put. `at_rest`: before the last start."""
        taken = self.starts[:-1] if at_rest else self.starts
        starts = [replace(start, stream=start.stream.copy()) for start in taken]
        twin = Holder(self.book, self.till, machine or self.machine, starts, dict(self.rights), set(), self.generation)
        twin.start()
        return twin

    def write(self, entry: Entry) -> Entry:
        self.now.append(encode(entry))
        return entry

    def ask(self, name: str, points: int, card: str = CARD, least: int | None = None) -> AllowanceAnswer:
        """The right is on the disk before it is asked for; a granted one of this start holds."""
        answer = self.request(name, points, card, least)
        if answer.granted:
            self.rights[name] = answer.points or points
            self.valid.add(name)
        return answer

    def request(self, name: str, points: int, card: str = CARD, least: int | None = None) -> AllowanceAnswer:
        asked = AllowanceRequest(f"r-{name}", name, card, points, self.now.uid, least)
        return self.book.allowance(self.till.terminal, asked)

    def redeem(self, name: str, points: int, card: str = CARD) -> Entry:
        """Only a right that holds in this start is used."""
        assert name in self.valid
        self.valid.discard(name)
        del self.rights[name]
        return self.write(self.till.redeem(points, card, allowance=name))

    def release(self, name: str) -> Entry:
        self.valid.discard(name)
        del self.rights[name]
        return self.write(self.till.release(name))

    def hello(self) -> Welcome:
        """Declares everything, and takes the ledger's word on its rights."""
        heads = [
            StreamHead(
                s.stream.uid, Lane.URGENT, len(s.stream.records), s.stream.hashes[-1].hex(), 0, s.sealed, s.parent
            )
            for s in self.starts
        ]
        rights = list(self.rights)
        hello = Hello("r", self.till.terminal, "", 1, 1, "fake", heads, START, self.generation, rights)
        welcome = self.book.hello(hello)
        self.generation = welcome.generation
        for name, holds in welcome.rights.items():
            if holds:
                self.valid.add(name)
            else:
                self.release(name)
        return welcome

    def deliver(self) -> None:
        """Everything, the oldest first; what is held is passed over."""
        for start in self.starts:
            self.till.deliver(start.stream, 1, len(start.stream.records))

    def sync(self) -> dict[str, bool]:
        """Hello, everything, and hello again: by then the ledger has told of every right."""
        words = self.hello().rights
        self.deliver()
        words = {**words, **self.hello().rights}
        self.deliver()
        return words


def go_back(book: Book, generation: str = "g-2") -> None:
    """Somebody restores a backup and says so."""
    change = "UPDATE fact SET value = ? WHERE name = 'generation'"
    book._engine.write(lambda tables: tables.change(change, generation))  # type: ignore[attr-defined]
