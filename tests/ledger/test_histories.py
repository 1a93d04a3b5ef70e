"""Random histories of three tills: whatever order things arrive in, the invariants hold and the feed is the same."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts.policy import Policy, UnknownCards
from ledger.port.book import Book
from ledger.port.upkeep import Verification
from ledger.postgres.book import PostgresBook
from ledger.sqlite.book import SqliteBook
from offline_queue.entry import Entry, encode
from offline_queue.wire_feeds import Verdict
from tests.ledger.cluster import Cluster
from tests.ledger.fake_till import FakeStream, FakeTill, FakeTimepiece

CARDS = ("2990000000017", "2990000000024", "2990000000031")
"""The first is registered from the start, the others when the history says so."""

tills = st.integers(0, 2)
cards = st.integers(0, 2)
points = st.integers(0, 50)
earlier = st.integers(0, 30)

sold = st.one_of(
    st.tuples(st.just("earn"), tills, cards, points),
    st.tuples(st.just("redeem"), tills, cards, points),
    st.tuples(
        st.just("promised"), tills, cards, st.integers(1, 50), st.sampled_from(["used", "less", "more", "back", "kept"])
    ),
)
disturbed = st.one_of(
    st.tuples(st.just("reverse"), tills, earlier, points),
    st.tuples(st.just("same key"), tills, earlier, st.booleans()),
    st.tuples(st.just("garbage"), tills, st.binary(min_size=1, max_size=20)),
    st.tuples(st.just("register"), cards),
    st.tuples(st.just("new stream"), tills),
)
moved = st.one_of(
    st.tuples(st.just("deliver"), tills, st.integers(1, 5)),
    st.tuples(st.just("again"), tills, st.integers(0, 10), st.integers(1, 5)),
)
histories = st.lists(st.one_of(sold, moved, disturbed), max_size=60)
safe = st.one_of(
    st.tuples(st.just("earn"), tills, cards, points),
    st.tuples(st.just("promised"), tills, cards, st.integers(1, 50), st.sampled_from(["used", "less", "back", "kept"])),
    moved,
)
policies = st.sampled_from(UnknownCards)
Steps = list[tuple[object, ...]]
NewBook = Callable[[UnknownCards], AbstractContextManager[Book]]


@dataclass
class Shop:
    """Three tills on one book; entries queue at their till until the history delivers them."""

    book: Book
    tills: list[FakeTill] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    streams: list[tuple[FakeTill, FakeStream]] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    asked: int = 0

    def __post_init__(self) -> None:
        self.tills = [FakeTill(self.book, number) for number in (1, 2, 3)]
        self.streams = [(till, till.stream) for till in self.tills]
        self.book.register(CARDS[0])

    def do(self, step: Sequence[object]) -> None:
        what, *rest = step
        getattr(self, str(what).replace(" ", "_"))(*rest)

    def earn(self, till: int, card: int, points: int) -> None:
        self._queue(till, self.tills[till].earn(points, CARDS[card]))

    def redeem(self, till: int, card: int, points: int) -> None:
        self._queue(till, self.tills[till].redeem(points, CARDS[card]))

    def promised(self, till: int, card: int, points: int, then: str) -> None:
        """Asks; a granted promise is used, partly used, overstretched, given back or kept."""
        who, self.asked = self.tills[till], self.asked + 1
        name = f"a{self.asked}"
        if not who.ask(name, points, CARDS[card]).granted or then == "kept":
            return
        if then == "back":
            self._queue(till, who.release(name))
        else:
            used = {"used": points, "less": points // 2, "more": points + 7}[then]
            self._queue(till, who.redeem(used, CARDS[card], allowance=name))

    def reverse(self, till: int, which: int, points: int) -> None:
        if self.entries:
            self._queue(till, self.tills[till].reverse(self.entries[which % len(self.entries)], points))

    def same_key(self, till: int, which: int, other: bool) -> None:
        """The POS repeats a sale here, or uses its key for another one."""
        if self.entries:
            first = self.entries[which % len(self.entries)]
            who = self.tills[till]
            again = msgspec.structs.replace(first, id=who.earn(0).id, terminal=who.terminal, allowance=None)
            self._queue(till, msgspec.structs.replace(again, points=first.points + 1) if other else again)

    def garbage(self, till: int, raw: bytes) -> None:
        self.tills[till].stream.append(raw)

    def register(self, card: int) -> None:
        self.book.register(CARDS[card])

    def new_stream(self, till: int) -> None:
        who = self.tills[till]
        who.stream = who.new_stream()
        self.streams.append((who, who.stream))

    def deliver(self, till: int, count: int) -> None:
        who = self.tills[till]
        self._deliver(who, who.stream, self.sent[who.stream.uid] + 1, count)

    def again(self, till: int, back: int, count: int) -> None:
        """From further back than necessary, as after a lost answer."""
        who = self.tills[till]
        self._deliver(who, who.stream, max(1, self.sent[who.stream.uid] + 1 - back), count)

    def deliver_all(self) -> None:
        for who, stream in self.streams:
            self._deliver(who, stream, self.sent[stream.uid] + 1, len(stream.records))

    def _deliver(self, who: FakeTill, stream: FakeStream, first: int, count: int) -> None:
        count = min(count, len(stream.records) - first + 1)
        if count > 0:
            self.sent[stream.uid] = who.deliver(stream, first, count).accepted

    def _queue(self, till: int, entry: Entry) -> None:
        self.entries.append(entry)
        self.tills[till].stream.append(encode(entry))

    def available(self) -> list[int]:
        accounts = [self.book.account("r", card) for card in CARDS]
        return [a.balance.points - a.balance.reserved for a in accounts if a is not None]


def play(
    new: NewBook, steps: Sequence[Sequence[object]], policy: UnknownCards
) -> tuple[list[list[Verdict]], Verification]:
    """The whole history on new books, everything delivered in the end."""
    with new(policy) as book:
        shop = Shop(book)
        for step in steps:
            shop.do(step)
        shop.deliver_all()
        check_every_record_is_decided(shop)
        check_every_key_counts_once(shop)
        return [till.feed() for till in shop.tills], book.verify()


def check_every_record_is_decided(shop: Shop) -> None:
    """I1: posted or kept with a reason, and the till was told."""
    told = {(v.stream, seq) for till in shop.tills for v in till.feed() for seq in range(v.first, v.last + 1)}
    assert told == {(stream.uid, seq) for _, stream in shop.streams for seq in range(1, len(stream.records) + 1)}


def check_every_key_counts_once(shop: Shop) -> None:
    """I2 and I3, from the statements alone."""
    keys = {entry.id: entry.key for entry in shop.entries}
    counted: Counter[str] = Counter()
    for card in CARDS:
        statement = shop.book.statement(card)
        if statement is not None:
            counted.update(keys[line.id] for line in statement.entries)
            assert statement.points == sum(line.points for line in statement.entries)
            assert statement.points == sum(lot.remaining for lot in statement.lots)
            assert len({lot.remaining > 0 for lot in statement.lots}) < 2
    assert set(counted.values()) <= {1}


@contextmanager
def in_a_file(policy: UnknownCards) -> Iterator[Book]:
    with tempfile.TemporaryDirectory() as folder:
        book = SqliteBook(Path(folder) / "ledger.db", policy=Policy(policy), timepiece=FakeTimepiece())
        with closing(book):
            yield book


@contextmanager
def on_a_server(cluster: Cluster, policy: UnknownCards) -> Iterator[Book]:
    with closing(PostgresBook(cluster.emptied(), policy=Policy(policy), timepiece=FakeTimepiece())) as book:
        yield book


@settings(max_examples=60)
@given(histories, policies)
def test_invariants_hold_in_any_history(steps: Steps, policy: UnknownCards) -> None:
    """Doubled batches, reordered tills, reversals before originals, reused keys, garbage: I1 to I5 and I12 hold."""
    assert play(in_a_file, steps, policy)[1].problems == []


@settings(max_examples=25)
@given(histories, policies)
def test_the_feed_follows_from_what_was_sent(steps: Steps, policy: UnknownCards) -> None:
    """I10: two ledgers that hear the same say the same, word for word."""
    assert play(in_a_file, steps, policy)[0] == play(in_a_file, steps, policy)[0]


@settings(max_examples=20)
@given(histories, policies)
def test_both_engines_say_the_same(postgres: Cluster, steps: Steps, policy: UnknownCards) -> None:
    """Any history ends in PostgreSQL as in SQLite, word for word, and all adds up."""
    feed, verification = play(partial(on_a_server, postgres), steps, policy)
    assert verification.problems == []
    assert (feed, verification) == play(in_a_file, steps, policy)


def keeps_its_promises(new: NewBook, steps: Steps) -> None:
    with new(UnknownCards.PARK) as book:
        shop = Shop(book)
        for card in CARDS:
            book.register(card)
        for step in steps:
            shop.do(step)
            assert min(shop.available()) >= 0
        shop.deliver_all()
        assert min(shop.available()) >= 0
        assert book.flagged() == []


@settings(max_examples=40)
@given(st.lists(safe, max_size=60))
def test_promises_alone_never_overdraw(steps: Steps) -> None:
    """I4: at every moment what is promised is there, and no such redemption is flagged."""
    keeps_its_promises(in_a_file, steps)


@settings(max_examples=8)
@given(st.lists(safe, max_size=60))
def test_promises_alone_never_overdraw_on_a_server(postgres: Cluster, steps: Steps) -> None:
    """I4 in PostgreSQL."""
    keeps_its_promises(partial(on_a_server, postgres), steps)
