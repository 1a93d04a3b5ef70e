"""Whatever happens in whatever order: every request is answered once, and every point counted once."""

import tempfile
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from offline_queue.entry import Kind
from offline_queue.journal import AllowanceState
from terminal.inbox import AllowanceAnswered, Answered, ReadAbandoned, Stop
from terminal.pos import Refusal
from tests.terminal.rig import CARD, OTHER_CARD, Shop, TillRig, said

KEYS = st.sampled_from(["k1", "k2", "k3"])
NUMBERS = st.sampled_from([CARD, OTHER_CARD, None, "4111111111111111"])
SALES = st.tuples(st.just("sale"), KEYS, st.sampled_from(["earn", "redeem"]), NUMBERS, st.integers(1, 2))
REVERSALS = st.tuples(st.just("reversal"), KEYS, st.integers(0, 3))
WORDS = st.tuples(st.just("word"), st.integers(0, 5), st.sampled_from(["yes", "no", "silence"]))
READS = st.sampled_from([("wait",), ("present",), ("abandon",)])
STEPS = st.one_of(SALES, SALES, WORDS, REVERSALS, READS, st.just(("catch up",)), st.just(("restart",)))


class Story:
    """What has happened so far to one shop, and what everybody was told."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.till: TillRig = shop.start()
        self.asked: list[tuple[str, Future[Answered]]] = []
        self.reads: list[Future[Any]] = []
        self.wishes: list[str] = []
        self.sold: list[str] = []

    def step(self, what: str, *details: Any) -> None:
        getattr(self, what.replace(" ", "_"))(*details)

    def sale(self, key: str, kind: str, number: str | None, points: int) -> None:
        self.asked.append((key, self.till.ask(key, kind, number, points=points)))

    def reversal(self, key: str, which: int) -> None:
        self.catch_up()
        if which < len(self.sold):
            self.asked.append((key, self.till.ask(key, "reverse", None, reverses=self.sold[which])))

    def word(self, which: int, word: str) -> None:
        self.catch_up()
        if which >= len(self.wishes):
            return
        if word == "silence":
            self.till.send(AllowanceAnswered(self.wishes[which], None))
        else:
            self.till.grant(
                next(a for a in self.till.journal.allowances() if a.id == self.wishes[which]), granted=word == "yes"
            )

    def wait(self) -> None:
        self.reads.append(self.till.wait_for_card())

    def present(self) -> None:
        self.till.present(CARD)

    def abandon(self) -> None:
        self.till.send(ReadAbandoned("aborted"))

    def catch_up(self) -> None:
        self.till.catch_up()
        while not self.till.inquiries.allowances.empty():
            self.wishes.append(self.till.inquiries.allowances.get().id)
        self.sold = [
            found.entry.id for found in self.till.journal.list(None, 100) if found.entry.kind is not Kind.RELEASE
        ]

    def restart(self) -> None:
        """A clean end: what was taken is answered first."""
        self.catch_up()
        self.till.send(Stop())
        self.till.settle()
        self.till = self.shop.restart()

    def end(self) -> None:
        self.restart()
        self.catch_up()
        for wish in {a.id for a in self.till.journal.allowances(AllowanceState.ASKED)}:
            self.word_on(wish)
        self.till.settle()

    def word_on(self, wish: str) -> None:
        """The ledger's late grant."""
        self.till.grant(next(a for a in self.till.journal.allowances() if a.id == wish))


@given(steps=st.lists(STEPS, max_size=30))
@settings(max_examples=60)
def test_every_request_is_answered_once_and_every_point_counted_once(steps: list[tuple[Any, ...]]) -> None:
    """Random sales, repeats, reversals, words of the ledger, cards and restarts."""
    with tempfile.TemporaryDirectory() as folder, closing(Shop(Path(folder))) as shop:
        story = Story(shop)
        for step in steps:
            story.step(*step)
        story.end()
        check_answers(story)
        check_rights(story.till)
        check_balances(story.till)


def check_answers(story: Story) -> None:
    """Nobody waits; whoever heard of a record finds it; each key has one record and one answer."""
    assert all(reply.done() for _, reply in story.asked)
    assert all(reply.done() for reply in story.reads)
    recorded = [found for found in story.till.journal.list(None, 1000) if found.entry.kind is not Kind.RELEASE]
    heard = {key: reply.result() for key, reply in story.asked if reply.exception() is None}
    assert {found.entry.key for found in recorded} == heard.keys()
    assert len(recorded) == len(heard)
    for key, reply in story.asked:
        if reply.exception() is None:
            assert reply.result().body == heard[key].body
            found = story.till.journal.find_key(key)
            assert found is not None
            assert found.entry.id == said(reply.result()).id
        else:
            assert isinstance(reply.exception(), Refusal)
    firsts = [key for key, reply in story.asked if reply.exception() is None and not reply.result().replayed]
    assert len(firsts) == len(set(firsts))


def check_rights(till: TillRig) -> None:
    """Each right is used by one redemption, or given back by one release, or was refused."""
    entries = [found.entry for found in till.journal.list(None, 1000)]
    for allowance in till.journal.allowances():
        users = [entry.kind for entry in entries if entry.allowance == allowance.id]
        expected = {
            AllowanceState.CONSUMED: [Kind.REDEEM],
            AllowanceState.RELEASED: [Kind.RELEASE],
            AllowanceState.REFUSED: [],
        }
        assert users == expected[allowance.state]
    assert all(entry.allowance for entry in entries if entry.kind is Kind.REDEEM)


def check_balances(till: TillRig) -> None:
    """What the till shows is the sum of what it has recorded."""
    entries = {found.entry.id: found.entry for found in till.journal.list(None, 1000)}
    for number in (CARD, OTHER_CARD):
        total = 0
        for entry in entries.values():
            if entry.card is None or entry.card.number != number:
                continue
            undone = entries[entry.reverses].kind if entry.reverses else None
            sign = {Kind.EARN: 1, Kind.REDEEM: -1, Kind.REVERSE: 1 if undone is Kind.REDEEM else -1}.get(entry.kind, 0)
            total += sign * entry.points
        till.timepiece.now_ms += 60_000
        till.present(number)
        view = till.told("card_read")[-1]["balance"]
        assert (view["pending"] if view else 0) == total
