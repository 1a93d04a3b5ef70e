"""Entries are pending from their commit to the ledger's first decision, once; later decisions are news, once each."""

import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline_queue.entry import Lane, State
from offline_queue.wire_feeds import Verdict
from terminal.sales.balances import Balances
from terminal.sales.stamps import Stamps
from tests.terminal.rig import CARD, OTHER_CARD, Shop, TillRig

MOST = 7
SALES = st.tuples(st.just("sell"), st.sampled_from([CARD, OTHER_CARD, None]), st.integers(1, 9))
STATES = st.sampled_from([State.POSTED, State.PARKED, State.CONFLICT, State.RESOLVED])
PLACES = st.integers(0, MOST - 1)
WORDS = st.tuples(st.just("say"), PLACES, PLACES, STATES)
STEPS = st.lists(SALES | WORDS | WORDS | st.just(("restart",)), min_size=4, max_size=25)


class Ledger:
    """What a plain list makes of the same steps: sales, each with its number, its points and the ledger's last word."""

    def __init__(self, till: TillRig) -> None:
        self.till = till
        self.stream = till.store.stream(Lane.BULK)
        self.sales: list[tuple[str | None, int, str]] = []
        self.seqs: list[int] = []
        self.words: list[State | None] = []
        self.said = 0
        self.balances = self._balances()

    def _balances(self) -> Balances:
        return Balances(self.till.directory, self.till.journal, Stamps("S001-T01", self.till.timepiece))

    def sell(self, number: str | None, points: int) -> None:
        if len(self.sales) == MOST:
            return
        sold = self.till.sell(f"sale-{len(self.sales)}", points, number)
        found = self.till.journal.find_id(sold.id)
        assert found is not None
        for _ in range(2):
            self.balances.count(found.entry, found.stream, found.seq)
        self.sales.append((number, points, sold.id))
        self.seqs.append(found.seq)
        self.words.append(None)

    def say(self, one: int, other: int, state: State) -> None:
        first, last = sorted((one % len(self.sales), other % len(self.sales)))
        ended = {State.POSTED, State.RESOLVED}
        if first < last and state not in ended and ended.intersection(self.words[first : last + 1]):
            return  # A ledger takes back what it has posted by a word on the entry alone.
        self.said += 1
        verdict = Verdict(self.said, self.stream, self.seqs[first], self.seqs[last], state, state.value)
        heard = sorted(decided.entry.id for decided in self.balances.decide(verdict))
        open_now = {None, State.PARKED, State.CONFLICT}
        news = [n for n in range(first, last + 1) if self.words[n] in open_now or first == last]
        assert heard == sorted(self.sales[n][2] for n in news)
        for n in news:
            self.words[n] = state
        self.till.store.settle([verdict], self.said, "g1")

    def restart(self) -> None:
        self.balances = self._balances()

    def check(self) -> None:
        for card in (CARD, OTHER_CARD):
            undecided = [
                points
                for (number, points, _), word in zip(self.sales, self.words, strict=True)
                if number == card and word is None
            ]
            view = self.balances.view(card)
            assert (view.pending if view else None) == (sum(undecided) if undecided else None)
            assert view is None or (view.points, view.as_of, view.estimate) == (sum(undecided), None, True)


@given(st.lists(SALES, min_size=2, max_size=MOST), STEPS)
@settings(max_examples=40)
def test_every_entry_is_pending_once_and_every_word_is_news_once(
    first: list[tuple[str, ...]], steps: list[tuple[str, ...]]
) -> None:
    """Whatever stretches the ledger's words cover, in whatever order, and wherever the till was started again.

    A word on a stretch is news for what is not finished in it; a word on one entry always is.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Shop(Path(folder))) as shop,
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setattr("terminal.sales.balances.PAGE", 2)
        ledger = Ledger(shop.start())
        for what, *details in [*first, *steps]:
            getattr(ledger, what)(*details)
            ledger.check()
