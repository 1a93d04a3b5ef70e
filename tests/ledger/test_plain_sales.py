"""The short way of plain sales leads to the same books as the long way past the rules, row by row."""

import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.facts.case import Decision, Item
from ledger.facts.policy import Policy, UnknownCards
from ledger.points.programme import Lifetime, PointsRule, Programme
from ledger.sheet.plain_sales import PlainSales
from ledger.sheet.sheet import Sheet
from ledger.sqlite.book import SqliteBook
from ledger.tables.engine import Tables
from offline_queue.entry import Amount, Card, CardEvent, CardProof, Entry, Happening, Kind, Receipt, Resolution
from offline_queue.timepiece import rfc3339
from tests.ledger.fake_till import CARD, OTHER_CARD, START, START_MS, FakeTill, FakeTimepiece
from tests.ledger.test_claims import PUBLIC, claim

DAY_MS: Final = 86_400_000
THIRD_CARD, UNKNOWN = "2990000000031", "2990000000048"
CARDS: Final = (CARD, OTHER_CARD, THIRD_CARD, UNKNOWN)
RULES: Final = (
    PointsRule("base@1", points=1, per=100),
    PointsRule("month@1", expires=Lifetime(days=30)),
    PointsRule("slow@1", activation_days=14, expires=Lifetime(days=30)),
)
DATED: Final = Programme({rule.id: rule for rule in RULES}, ZoneInfo("Europe/Paris"), write_off_after_days=10)
TO_COME: Final = "01976f00-0000-7000-8000-000000000000"
"""The id of a sale that others may speak of before it is there."""

PLAIN: Final[dict[str, dict[str, object]]] = {
    "nothing": {},
    "the points of its rule": {"points": 7, "rule": "base@1", "amount": Amount(700, "EUR")},
    "points that expire": {"rule": "month@1"},
    "points that wait": {"rule": "slow@1"},
    "a receipt of its own": {"receipt": Receipt("1", "S002", START)},
    "a part of a receipt": {"receipt": Receipt("0042", issued_at=START)},
    "an operator and a hotlist": {"operator": "anna", "hotlist": 900},
}
"""What a sale may say besides its card and its points; these are plain."""
ODD: Final[dict[str, dict[str, object]]] = {
    "other points than its rule gives": {"rule": "base@1", "amount": Amount(99_900, "EUR")},
    "a rule that nobody knows": {"rule": "base@7"},
    "an allowance": {"allowance": "a1"},
    "a clock ten days off": {"occurred_at": rfc3339(START_MS + 10 * DAY_MS)},
    "no card": {"card": None},
    "a card that proves itself": {"card": Card(CARD, proof=CardProof("chip", 7))},
    "no points": {"points": 0},
    "an unknown card": {"card": Card(UNKNOWN)},
    "the name of another till": {"terminal": "S001-T02"},
    "the name of a stranger": {"terminal": "S009-T09"},
}


class Counted:
    """The short way, and how many records took it."""

    def __init__(self, way: PlainSales) -> None:
        self._way, self.taken = way, 0
        self.look_ahead, self.repeats = way.look_ahead, way.repeats

    def post(self, item: Item, entry: Entry | Decision) -> bool:
        plain = self._way.post(item, entry)
        self.taken += plain
        return plain


class Barred:
    """Every record is decided by the rules, and every account held for them."""

    def look_ahead(self, met: object) -> None:
        pass

    def repeats(self, item: Item, entry: Entry) -> bool:
        return False

    def post(self, item: Item, entry: Entry | Decision) -> bool:
        return False


class ShortWay(SqliteBook):
    """Books that tell how many records took the short way in the last batch."""

    way: Counted

    def _sheet(self, tables: Tables) -> Sheet:
        sheet = super()._sheet(tables)
        sheet.plain = self.way = Counted(sheet.plain)  # type: ignore[assignment]
        return sheet


class LongWay(SqliteBook):
    def _sheet(self, tables: Tables) -> Sheet:
        sheet = super()._sheet(tables)
        sheet.plain = Barred()  # type: ignore[assignment]
        return sheet


class Street:
    """Three tills whose batches mix all that tills write; the same steps write the same entries."""

    def __init__(self, book: SqliteBook, clock: FakeTimepiece) -> None:
        self.book, self._clock = book, clock
        for card in (CARD, OTHER_CARD, THIRD_CARD):
            book.register(card)
        self.tills = [FakeTill(book, 1), FakeTill(book, 2), FakeTill(book, 3, PUBLIC)]
        self._written: list[Entry] = []

    def do(self, step: Sequence[Any]) -> None:
        what, *rest = step
        getattr(self, what)(*rest)

    def batch(self, number: int, records: Sequence[Sequence[Any]]) -> None:
        till = self.tills[number]
        till.send(*[self._record(till, *record) for record in records])

    def days_pass(self, days: int) -> None:
        self._clock.now += days * DAY_MS
        self.book.expire()

    def register(self, card: str) -> None:
        self.book.register(card)

    def ask(self, number: int, card: str) -> None:
        till = self.tills[number]
        till.ask(right_of(till, card), 3, card)

    def revoke(self, number: int) -> None:
        self.book.revoke(self.tills[number].terminal, "stolen")

    def fork(self, number: int, points: int) -> None:
        """A copy of the till's disk goes on by itself; from now on all of the stream is suspect."""
        till = self.tills[number]
        copy = till.stream.copy()
        if copy.records:
            del copy.records[-1], copy.hashes[-1]
        till.send(till.earn(points), stream=copy)

    def _record(self, till: FakeTill, kind: str, card: str, points: int, which: int, says: str) -> Entry | bytes:
        if kind == "garbage":
            return b"garbage %d" % which
        told = {"points": points, "card": Card(card), "occurred_at": rfc3339(self._clock.now), **(PLAIN | ODD)[says]}
        entry = self._entry(till, kind, replace(till.earn(points), **told), which)
        self._written.append(entry)
        return entry

    def _entry(self, till: FakeTill, kind: str, sale: Entry, which: int) -> Entry:
        earlier = self._written[which % len(self._written)] if self._written else sale
        if kind in SPOILT:
            return replace(sale, **SPOILT[kind](earlier))
        return OTHERS[kind](till, sale, earlier)


SPOILT: Final[dict[str, Callable[[Entry], dict[str, object]]]] = {
    "earn": lambda _: {},
    "earn under a used key": lambda earlier: {"key": earlier.key},
    "earn under a used id": lambda earlier: {"id": earlier.id},
    "earn on a used receipt": lambda _: {"receipt": Receipt("0042", "S001", START)},
    "earn that was spoken of": lambda _: {"id": TO_COME},
}
OTHERS: Final[dict[str, Callable[[FakeTill, Entry, Entry], Entry]]] = {
    "repeat": lambda till, sale, earlier: replace(earlier, id=sale.id, terminal=till.terminal),
    "the very same": lambda _till, _sale, earlier: earlier,
    "redeem": lambda till, sale, _: till.redeem(sale.points, number_of(sale), occurred_at=sale.occurred_at),
    "redeem by right": lambda till, sale, _: till.redeem(
        sale.points, number_of(sale), allowance=right_of(till, number_of(sale))
    ),
    "reverse": lambda till, sale, earlier: till.reverse(earlier, sale.points // 2),
    "reverse what comes": lambda till, sale, _: till.reverse(replace(sale, id=TO_COME)),
    "claim": lambda till, sale, earlier: claim(till, earlier, number_of(sale)) if has_code(earlier) else sale,
    "correct": lambda till, _, earlier: till.correct(earlier.id, Resolution.REFUSE),
    "correct what comes": lambda till, *_: till.correct(TO_COME, Resolution.HONOUR),
    "block": lambda till, sale, _: happening(till, sale, CardEvent(Happening.BLOCK)),
    "unblock": lambda till, sale, _: happening(till, sale, CardEvent(Happening.UNBLOCK)),
    "replace": lambda till, sale, earlier: happening(till, sale, CardEvent(Happening.REPLACE, number_of(earlier))),
    "merge": lambda till, sale, earlier: happening(till, sale, CardEvent(Happening.MERGE, number_of(earlier))),
}


def has_code(entry: Entry) -> bool:
    return entry.kind is Kind.EARN and entry.points > 0


def right_of(till: FakeTill, card: str) -> str:
    return f"{till.terminal}:{card}"


def number_of(entry: Entry) -> str:
    return entry.card.number if entry.card else THIRD_CARD


def happening(till: FakeTill, sale: Entry, event: CardEvent) -> Entry:
    return till.entry(Kind.CARD_EVENT, 0, number_of(sale), event=event)


tills, cards, points = st.integers(0, 2), st.sampled_from(CARDS), st.integers(0, 30)
sold = st.sampled_from(CARDS[:3])
plain = st.tuples(st.just("earn"), sold, st.integers(1, 30), st.just(0), st.sampled_from([*PLAIN]))
strange = st.tuples(st.just("earn"), cards, points, st.just(0), st.sampled_from([*ODD]))
kinds = st.sampled_from([*SPOILT, *OTHERS, "garbage"])
other = st.tuples(kinds, cards, points, st.integers(0, 12), st.just("nothing"))
batches = st.tuples(
    st.just("batch"), tills, st.lists(st.one_of(plain, plain, strange, other, other), min_size=1, max_size=12)
)
between = st.one_of(
    st.tuples(st.just("days_pass"), st.sampled_from([1, 20, 40, 60])),
    st.tuples(st.just("register"), st.just(UNKNOWN)),
    st.tuples(st.just("ask"), tills, cards),
    st.tuples(st.just("fork"), tills, points),
    st.tuples(st.just("revoke"), tills),
)
histories = st.lists(st.one_of(batches, batches, batches, between), min_size=1, max_size=10)
policies = st.builds(
    Policy,
    unknown_cards=st.sampled_from(UnknownCards),
    programme=st.sampled_from([Programme(), DATED]),
    events_from_tills=st.just(frozenset(Happening)),
    breaches=st.sampled_from([1, 3]),
)


def books_after(way: type[SqliteBook], steps: Sequence[Sequence[Any]], policy: Policy) -> dict[str, list[Any]]:
    """Every row of every table."""
    with tempfile.TemporaryDirectory() as folder:
        path, clock = Path(folder) / "books.db", FakeTimepiece()
        with closing(way(path, policy=policy, timepiece=clock)) as book:
            street = Street(book, clock)
            for step in steps:
                street.do(step)
            assert book.verify().problems == []
        with closing(sqlite3.connect(path)) as tables:
            names = [name for (name,) in tables.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            return {name: sorted(map(repr, tables.execute(f"SELECT * FROM {name}"))) for name in names}


@settings(max_examples=100)
@given(histories, policies)
def test_both_ways_lead_to_the_same_books(steps: list[tuple[Any, ...]], policy: Policy) -> None:
    """Whatever comes before, between and after plain sales, in the same batch or in others."""
    assert books_after(ShortWay, steps, policy) == books_after(LongWay, steps, policy)


@pytest.fixture
def street(tmp_path: Path) -> Street:
    clock = FakeTimepiece()
    return Street(ShortWay(tmp_path / "books.db", policy=Policy(programme=DATED), timepiece=clock), clock)


def taken(street: Street) -> int:
    """How many records of the last batch took the short way."""
    assert isinstance(street.book, ShortWay)
    return street.book.way.taken


@pytest.mark.parametrize("says", PLAIN)
def test_an_ordinary_sale_takes_the_short_way(street: Street, says: str) -> None:
    """Nearly every record of a backlog does."""
    street.batch(0, [("earn", card, 20, 0, "nothing") for card in CARDS[:3]] + [("earn", CARD, 20, 0, says)])
    assert taken(street) == 4


@pytest.mark.parametrize("says", ODD)
def test_what_a_rule_may_object_to_takes_the_long_way(street: Street, says: str) -> None:
    """And the plain ones around it do not go with it."""
    street.batch(0, [("earn", CARD, 20, 0, what) for what in ("nothing", says, "nothing")])
    assert taken(street) == 2


def test_a_till_that_takes_another_s_name_posts_nothing(street: Street) -> None:
    """Though it also takes the key and the id of a sale of its own, which comes behind."""
    till = street.tills[0]
    own = till.earn(20)
    till.send(replace(own, terminal="S001-T02"), own)
    assert taken(street) == 1
    assert till.verdict(own).state == "posted"


def test_a_sale_that_stands_is_repeated_the_short_way(street: Street) -> None:
    """In the same batch or later, from the same till or another; one that waits for its card is not."""
    street.batch(0, [("earn", CARD, 20, 0, "nothing"), ("repeat", CARD, 1, 0, "nothing")])
    assert taken(street) == 2
    street.batch(1, [("repeat", CARD, 1, 0, "nothing"), ("earn", UNKNOWN, 20, 0, "nothing")])
    assert taken(street) == 1
    street.batch(1, [("the very same", CARD, 1, 2, "nothing")])
    assert taken(street) == 1
    street.batch(2, [("repeat", CARD, 1, 3, "nothing"), ("earn under a used key", CARD, 21, 0, "nothing")])
    assert taken(street) == 0
    assert [verdict.code for verdict in street.tills[1].feed()] == ["duplicate", "card_unknown", "duplicate"]


def test_an_account_that_owes_takes_the_long_way(street: Street) -> None:
    """Its debt is repaid; what comes then is plain again."""
    street.batch(0, [("redeem", CARD, 30, 0, "nothing")])
    street.batch(0, [("earn", CARD, 20, 0, "nothing")] * 3)
    assert taken(street) == 1
