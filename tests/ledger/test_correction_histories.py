"""Random histories with people in them: whatever they decide, in whatever order it arrives, all adds up."""

import tempfile
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts.policy import UnknownCards
from ledger.port.refusals import Refused
from ledger.port.upkeep import Verification
from ledger.sqlite.book import SqliteBook
from offline_queue.entry import Entry, Kind, Resolution
from offline_queue.wire_feeds import Verdict
from tests.ledger.cluster import Cluster
from tests.ledger.fake_till import CARD, FakeTill, FakeTimepiece, points_of
from tests.ledger.test_histories import CARDS, NewBook, Shop, disturbed, in_a_file, moved, on_a_server, policies, sold

which = st.integers(0, 40)
words = st.tuples(st.sampled_from(Resolution), st.none() | st.integers(-60, 60))
decided = st.one_of(
    st.tuples(st.just("correct"), st.none() | st.integers(0, 2), which, words),
    st.tuples(st.just("deliver"), st.integers(0, 2), st.just(9)),
    st.tuples(st.just("office"), which, words),
)
histories = st.lists(st.one_of(sold, moved, disturbed, decided, decided), min_size=12, max_size=50)
Word = tuple[Resolution, int | None]


class TalkingShop(Shop):
    """Tills and the office have their words on what was recorded: sales, reversals, and other words."""

    def correct(self, till: int | None, which: int, word: Word) -> None:
        """By the till that recorded the entry, or by the one that is named."""
        if self.entries:
            of = self.entries[which % len(self.entries)]
            own = next(n for n, each in enumerate(self.tills) if each.terminal == of.terminal)
            number = own if till is None else till
            self._queue(number, self.tills[number].correct(of.id, *word))

    def office(self, which: int, word: Word) -> None:
        if self.entries:
            with suppress(Refused):  # what has not come, or has no account, cannot be settled there
                self.book.resolve(self.entries[which % len(self.entries)].id, *word, "Office", "a check")


def play(
    new: NewBook, steps: Sequence[Sequence[object]], policy: UnknownCards
) -> tuple[list[list[Verdict]], Verification]:
    with new(policy) as book:
        shop = TalkingShop(book)
        for step in steps:
            shop.do(step)
        shop.deliver_all()
        for card in CARDS:
            if book.statement(card) is not None:
                points_of(book, card)
        check_the_last_word_counts(shop)
        return [till.feed() for till in shop.tills], book.verify()


def check_the_last_word_counts(shop: TalkingShop) -> None:
    """As the office sees it; and looking changes nothing."""
    before = shop.book.verify()
    for entry in shop.entries:
        found = shop.book.conflict(entry.id)
        if found is not None and found.words:
            assert found.has == found.words[-1].shall
    assert shop.book.verify() == before


@settings(max_examples=40)
@given(histories, policies)
def test_whatever_people_decide_all_adds_up(steps: list[tuple[object, ...]], policy: UnknownCards) -> None:
    """Words before their entries, on each other, on what waits, doubled and out of order: the invariants hold."""
    assert play(in_a_file, steps, policy)[1].problems == []


@settings(max_examples=10)
@given(histories, policies)
def test_both_engines_settle_alike(postgres: Cluster, steps: list[tuple[object, ...]], policy: UnknownCards) -> None:
    """Any history with people ends in PostgreSQL as in SQLite, word for word."""
    feed, verification = play(partial(on_a_server, postgres), steps, policy)
    assert verification.problems == []
    assert (feed, verification) == play(in_a_file, steps, policy)


sale = st.tuples(st.sampled_from([Kind.EARN, Kind.REDEEM]), st.integers(0, 50))
saying = st.tuples(st.booleans(), st.integers(0, 9), st.integers(-60, 60))


@settings(max_examples=60)
@given(st.lists(sale, min_size=1, max_size=10), st.lists(saying, max_size=15))
def test_the_balance_is_what_the_last_words_say(
    sales: list[tuple[Kind, int]], said: list[tuple[bool, int, int]]
) -> None:
    """Against a model that knows nothing of differences: each entry counts what was said of it last."""
    with tempfile.TemporaryDirectory() as folder:
        book = SqliteBook(Path(folder) / "ledger.db", timepiece=FakeTimepiece())
        with closing(book):
            book.register(CARD)
            till, entries, shall = FakeTill(book), list[Entry](), list[int]()
            for kind, points in sales:
                entries.append(till.entry(kind, points))
                shall.append(points if kind is Kind.EARN else -points)
            till.send(*entries)
            for by_till, number, points in said:
                index = number % len(entries)
                if by_till:
                    till.send(till.correct(entries[index].id, Resolution.HONOUR, points))
                else:
                    book.resolve(entries[index].id, Resolution.REFUSE, points, "Office", "a check")
                shall[index] = points
                assert points_of(book) == sum(shall)
            assert book.verify().problems == []
