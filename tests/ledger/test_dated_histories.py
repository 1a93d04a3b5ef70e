"""Random histories of points that begin and end: whatever comes when, every point is where the entries say."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts.codes import Code
from ledger.facts.policy import Policy, Stance
from ledger.points.programme import Lifetime, PointsRule, Programme
from ledger.rules.instants import moment
from ledger.sqlite.book import SqliteBook
from offline_queue.entry import Entry, Resolution
from offline_queue.wire_accounts import Lot
from tests.ledger.fake_till import CARD, OTHER_CARD, START_MS, FakeTill, FakeTimepiece, points_of
from tests.ledger.test_expiry import DAY_MS, cleared, made_on, sound, statement_of

CARDS = (CARD, OTHER_CARD)
RULES = (
    PointsRule("week@1", expires=Lifetime(days=7)),
    PointsRule("slow@1", activation_days=3, expires=Lifetime(days=10)),
    PointsRule("ever@1"),
)
PROGRAMME = Programme({rule.id: rule for rule in RULES}, write_off_after_days=5)

cards = st.sampled_from(CARDS)
points = st.integers(1, 20)
ages = st.integers(0, 20)
earned = st.tuples(st.just("earn"), cards, st.integers(5, 60), ages, st.sampled_from([rule.id for rule in RULES]))
passing = st.tuples(st.just("pass_days"), st.integers(1, 8))
promised = st.tuples(st.just("promise"), cards, points, st.booleans())
clearing = st.tuples(st.just("clear"))
used = st.tuples(st.just("use"))
offline = st.one_of(
    st.tuples(st.just("redeem"), cards, points, ages),
    st.tuples(st.just("reverse"), st.integers(0, 30), st.integers(0, 50), ages),
    st.tuples(st.just("settle"), st.sampled_from(Resolution)),
)
histories = st.lists(st.one_of(earned, passing, promised, clearing, used, offline), min_size=8, max_size=30)
guaranteed = st.lists(st.one_of(earned, earned, passing, promised, clearing, used), min_size=8, max_size=30)


@dataclass
class Shop:
    """One till that delivers each entry at once; its entries may be `age` days old by then."""

    book: SqliteBook
    timepiece: FakeTimepiece
    till: FakeTill
    day: int = 0
    entries: list[Entry] = field(default_factory=list)
    rights: list[tuple[str, str, int]] = field(default_factory=list)
    asked: int = 0

    def do(self, step: Sequence[object]) -> None:
        what, *rest = step
        getattr(self, str(what))(*rest)

    def pass_days(self, count: int) -> None:
        self.day += count
        self.timepiece.now = START_MS + self.day * DAY_MS

    def earn(self, card: str, count: int, age: int, rule: str) -> None:
        self._send(self.till.earn(count, card, **made_on(self.day - age, rule)))

    def redeem(self, card: str, count: int, age: int) -> None:
        self._send(self.till.redeem(count, card, **made_on(self.day - age, "ever@1")))

    def reverse(self, pick: int, count: int, age: int) -> None:
        if self.entries:
            original = self.entries[pick % len(self.entries)]
            self._send(self.till.reverse(original, count, **made_on(self.day - age, "slow@1")))

    def promise(self, card: str, count: int, used_at_once: bool) -> None:
        self.asked += 1
        if self.till.ask(f"a{self.asked}", count, card).granted:
            self.rights.append((f"a{self.asked}", card, count))
        if used_at_once:
            self.use()

    def use(self) -> None:
        """The oldest right, however long ago it was granted: a guarantee is posted without a word."""
        if self.rights:
            right, card, count = self.rights.pop(0)
            entry = self.till.redeem(count, card, allowance=right, **made_on(self.day, "ever@1"))
            self._send(entry)
            assert self.till.verdict(entry).code == "posted"

    def clear(self) -> None:
        cleared(self.book)
        assert cleared(self.book) == 0

    def settle(self, resolution: Resolution) -> None:
        waiting = [flag.id for flag in self.book.flagged() if flag.id and flag.state == "parked"]
        if waiting:
            self.book.resolve(waiting[0], resolution, None, "Anne", "the customer's word")

    def _send(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.till.send(entry)


@contextmanager
def opened(stance: Stance) -> Iterator[Shop]:
    policy = Policy(programme=PROGRAMME, stances={Code.LOT_EXPIRED: stance})
    timepiece = FakeTimepiece()
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(SqliteBook(Path(folder) / "l.db", policy=policy, timepiece=timepiece)) as book,
    ):
        for card in CARDS:
            book.register(card)
        yield Shop(book, timepiece, FakeTill(book))


def paid_where_possible(lots: Sequence[Lot]) -> bool:
    """Beside an overdraft lie only points that had ended before it was made."""
    debts = [moment(lot.earned_at) or 0 for lot in lots if lot.remaining < 0]
    ends = [lot.expires_at for lot in lots if lot.remaining > 0] if debts else []
    return all(end is not None and (moment(end) or 0) <= debt for end in ends for debt in debts)


@settings(max_examples=60)
@given(histories, st.sampled_from([Stance.HONOUR, Stance.REVIEW]))
def test_every_point_is_explained_whatever_comes_when(steps: list[tuple[object, ...]], stance: Stance) -> None:
    """I3: balance, entries and lots agree, and so do what may be used, waits and has ended; I2, I4, I12 besides."""
    with opened(stance) as shop:
        for step in steps:
            shop.do(step)
            for card in CARDS:
                statement = statement_of(shop.book, card)
                assert statement.points == statement.usable + statement.inactive + statement.expired
                assert statement.points == points_of(shop.book, card)
                assert paid_where_possible(statement.lots)
        sound(shop.book)


@settings(max_examples=60)
@given(guaranteed)
def test_nothing_is_overdrawn_where_all_redemptions_are_promised(steps: list[tuple[object, ...]]) -> None:
    """I4, with points that end and leave the books between a promise and its use."""
    with opened(Stance.REVIEW) as shop:
        for step in steps:
            shop.do(step)
            assert all(statement_of(shop.book, card).points >= statement_of(shop.book, card).reserved for card in CARDS)
        while shop.rights:
            shop.use()
        for card in CARDS:
            statement = statement_of(shop.book, card)
            assert statement.reserved == 0
            assert all(lot.remaining > 0 for lot in statement.lots)
        sound(shop.book)
