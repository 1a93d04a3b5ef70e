"""Random lives of cards: whatever happens to them, and in whatever order it arrives, no point is lost or doubled."""

import tempfile
from contextlib import closing
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts.cards import Listing
from ledger.facts.policy import Policy
from ledger.port.book import Book
from ledger.rules.cards import chain
from ledger.sqlite.book import SqliteBook
from offline_queue.entry import CardEvent, Entry, Happening, Kind, State, encode
from tests.ledger.fake_till import FakeTill, FakeTimepiece

CARDS = tuple(f"29900000000{n:02d}" for n in range(5))
ANYTHING = Policy(events_from_tills=frozenset(Happening))

tills, cards = st.integers(0, 2), st.sampled_from(CARDS)
steps = st.one_of(
    st.tuples(st.just("earn"), tills, cards, st.integers(0, 50)),
    st.tuples(st.just("redeem"), tills, cards, st.integers(1, 50)),
    st.tuples(st.sampled_from(Happening), tills, cards, cards),
    st.tuples(st.just("reverse"), tills, st.integers(0, 20), st.just(0)),
    st.tuples(st.just("deliver"), tills, st.integers(1, 6), st.just(0)),
)


class Life:
    """Three tills that write offline and deliver now and then; all that they wrote is known."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.tills = [FakeTill(book, number + 1) for number in range(3)]
        self.due: list[list[Entry]] = [[], [], []]
        self.written: list[Entry] = []

    def take(self, step: tuple[object, ...]) -> None:
        kind, number, what, more = step
        till = self.tills[int(str(number))]
        match kind:
            case "earn":
                self.write(number, till.earn(int(str(more)), str(what)))
            case "redeem":
                self.write(number, till.redeem(int(str(more)), str(what)))
            case "reverse":
                sales = [entry for entry in self.written if entry.kind in (Kind.EARN, Kind.REDEEM)]
                if sales:
                    self.write(number, till.reverse(sales[int(str(what)) % len(sales)]))
            case "deliver":
                self.deliver(int(str(number)), int(str(what)))
            case Happening():
                event = CardEvent(kind, str(more) if kind in (Happening.REPLACE, Happening.MERGE) else None)
                self.write(number, till.entry(Kind.CARD_EVENT, 0, str(what), event=event))

    def write(self, number: object, entry: Entry) -> None:
        self.due[int(str(number))].append(entry)
        self.written.append(entry)

    def deliver(self, number: int, count: int) -> None:
        batch, self.due[number] = self.due[number][:count], self.due[number][count:]
        if batch:
            self.tills[number].send(*batch)

    def end(self) -> None:
        """Everything arrives, nothing is blocked and every card has an account."""
        for number in range(3):
            self.deliver(number, 10_000)
        for card in CARDS:
            self.book.happen(card, Happening.UNBLOCK, "anna", "")
        for card in CARDS:
            self.book.happen(card, Happening.ACTIVATE, "anna", "")


@given(st.lists(steps, max_size=40))
@settings(max_examples=40)
def test_every_point_is_on_exactly_one_account(history: list[tuple[object, ...]]) -> None:
    """The books add up, every earn is in them once, and the sum over accounts is that of what was sold."""
    with tempfile.TemporaryDirectory() as folder:
        book = SqliteBook(Path(folder) / "books.db", policy=ANYTHING, timepiece=FakeTimepiece())
        with closing(book):
            life = Life(book)
            for step in history:
                life.take(step)
            life.end()
            verification = book.verify()
            assert verification.problems == []
            effects = [_effect(life, till) for till in life.tills]
            assert verification.liability == sum(effects) + _reversed(book)
            accounts = {shown.account: shown.points for shown in map(book.card, CARDS)}
            assert None not in accounts
            assert sum(points or 0 for points in accounts.values()) == verification.liability


def _effect(life: Life, till: FakeTill) -> int:
    """What the till was told that its sales and redemptions did, by the last verdict on each."""
    last = {(v.stream, seq): v for v in till.feed() for seq in range(v.first, v.last + 1)}
    entries = {encode(entry): entry for entry in life.written}
    total = 0
    for (_, seq), verdict in last.items():
        entry = entries[till.stream.records[seq - 1]]
        if entry.kind is Kind.EARN:
            assert verdict.state is State.POSTED, verdict
        sign = {Kind.EARN: 1, Kind.REDEEM: -1}.get(entry.kind, 0)
        total += sign * entry.points if verdict.points is None and verdict.state is not State.PARKED else 0
        total += verdict.points or 0 if sign else 0
    return total


def _reversed(book: Book) -> int:
    """What reversals took, as the accounts explain it."""
    statements = {shown.account: book.statement(shown.number) for shown in map(book.card, CARDS)}
    lines = [line for statement in statements.values() if statement for line in statement.entries]
    return sum(line.points for line in lines if line.kind == Kind.REVERSE)


names = st.sampled_from("abcdef")


@given(names, st.dictionaries(names, st.builds(Listing, successor=st.none() | names)))
def test_resolving_a_number_always_ends(number: str, listed: dict[str, Listing]) -> None:
    """Even in books that somebody has bent into a circle."""
    met = chain(number, lambda name: listed.get(name, Listing()))
    assert len(met) == len(set(met)) <= 6
    assert met[0] == number
