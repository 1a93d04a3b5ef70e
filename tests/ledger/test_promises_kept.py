"""Tills that are copied, crash, lose answers and go offline, against real books: no promise is ever uncovered.

What the tills do is honest; what happens to their disks and lines is not. Each rule that keeps the promise is taken out
in turn, and the same schedules must show it.
"""

import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts.policy import Policy
from ledger.port.refusals import Refused
from ledger.rules import confirming
from ledger.rules.confirming import Way
from ledger.sheet import rights
from ledger.sqlite.book import SqliteBook
from tests.ledger.fake_till import CARD, FakeTill, FakeTimepiece
from tests.ledger.holder import Holder

OPS: Final = (
    "ask",
    "ask",
    "ask_ahead",
    "ask_lost",
    "redeem",
    "redeem",
    "redeem",
    "release",
    "hello",
    "deliver",
    "deliver_half",
    "sync",
    "sync",
    "restart",
    "crash",
    "copy",
    "copy_at_rest",
)
FLAGGED: Final = ("allowance_void", "allowance_exceeded", "overdrawn")
MEMORY: Final = Path("/dev/shm")
Step = tuple[str, int, int]


@dataclass
class Shops:
    """Two tills and their copies on one account of 200 points."""

    book: SqliteBook
    holders: list[Holder] = field(default_factory=list)
    names: "count[int]" = field(default_factory=count)

    def __post_init__(self) -> None:
        self.book.register(CARD)
        earner = FakeTill(self.book, 9)
        earner.send(earner.earn(200))
        self.holders = [Holder(self.book, FakeTill(self.book, number), f"machine-{number}") for number in (1, 2)]
        for holder in self.holders:
            holder.sync()

    def play(self, steps: Sequence[Step]) -> None:
        """Raises AssertionError at the first uncovered promise; in the end everybody is heard."""
        for op, who, points in steps:
            getattr(self, op)(self.holders[who % len(self.holders)], points)
            self.check()
        for holder in self.holders:
            holder.sync()
            self.check()
        verified = self.book.verify()
        assert verified.problems == []

    def check(self) -> None:
        statement = self.book.statement(CARD)
        assert statement is not None
        assert statement.points >= statement.reserved, "a promise is not covered (I4)"
        codes = [line.code for line in statement.entries if line.code in FLAGGED]
        assert codes == [], "an honest till has used what it had no right to"

    def ask(self, holder: Holder, points: int) -> None:
        self._asked(lambda: holder.ask(f"a{next(self.names)}", points))

    def ask_ahead(self, holder: Holder, points: int) -> None:
        self._asked(lambda: holder.ask(f"a{next(self.names)}", 3 * points, least=1))

    def ask_lost(self, holder: Holder, points: int) -> None:
        """The right is on the disk and reserved; its till never heard so."""
        name = f"a{next(self.names)}"
        holder.rights[name] = points
        self._asked(lambda: holder.request(name, points))

    def redeem(self, holder: Holder, points: int) -> None:
        if holder.valid:
            name = min(holder.valid)
            holder.redeem(name, min(points, holder.rights[name]))

    def release(self, holder: Holder, _: int) -> None:
        if holder.valid:
            holder.release(max(holder.valid))

    def hello(self, holder: Holder, _: int) -> None:
        holder.hello()

    def deliver(self, holder: Holder, _: int) -> None:
        holder.deliver()

    def deliver_half(self, holder: Holder, _: int) -> None:
        """The line goes down in the middle of the newest stream."""
        for start in holder.starts[:-1]:
            holder.till.deliver(start.stream, 1, len(start.stream.records))
        holder.till.deliver(holder.now, 1, (len(holder.now.records) + 1) // 2)

    def sync(self, holder: Holder, _: int) -> None:
        holder.sync()

    def restart(self, holder: Holder, _: int) -> None:
        holder.restart()

    def crash(self, holder: Holder, _: int) -> None:
        holder.restart(sealed=False)

    def copy(self, holder: Holder, points: int) -> None:
        """Of a running till, on its own machine (a disk put back) or another."""
        self._copied(holder, points, at_rest=False)

    def copy_at_rest(self, holder: Holder, points: int) -> None:
        """Of a disk before its last start."""
        if len(holder.starts) > 1:
            self._copied(holder, points, at_rest=True)

    def _copied(self, holder: Holder, points: int, *, at_rest: bool) -> None:
        if len(self.holders) < 5:
            self.holders.append(holder.copy("machine-copy" if points % 2 else None, at_rest=at_rest))

    @staticmethod
    def _asked(ask: Callable[[], object]) -> None:
        try:
            ask()
        except Refused as refusal:
            assert refusal.problem.code == "generation"  # noqa: PT017 - no hello has told of this start yet


def play(steps: Sequence[Step]) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        book = SqliteBook(Path(folder) / "books.db", policy=Policy(), timepiece=FakeTimepiece())
        try:
            Shops(book).play(steps)
        finally:
            book.close()


def schedule(seed: int) -> list[Step]:
    chance = random.Random(seed)
    return [(chance.choice(OPS), chance.randrange(5), chance.randrange(1, 90)) for _ in range(60)]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(OPS), st.integers(0, 4), st.integers(1, 90)), max_size=40))
def test_no_promise_is_ever_uncovered(steps: list[Step]) -> None:
    """Whatever is copied, cut off or put back: what one till was promised is there when it comes."""
    play(steps)


@pytest.mark.parametrize("seed", range(40))
def test_no_schedule_uncovers_a_promise(seed: int) -> None:
    """Longer ones, from a seed."""
    play(schedule(seed))


def crashes_are_believed(patch: pytest.MonkeyPatch) -> None:
    """A right is taken along over an end without a seal."""
    for module in (confirming, rights):
        patch.setattr(module, "believed", lambda found, *_: found in (Way.SEALED, Way.UNSEALED))


def anybody_may_give_back(patch: pytest.MonkeyPatch) -> None:
    """A release frees the points whoever wrote it."""
    patch.setattr(rights.Rights, "believed", lambda *_: (True, None))


def every_way_is_good(patch: pytest.MonkeyPatch) -> None:
    """A right holds wherever it is declared."""
    patch.setattr(confirming, "way", lambda *_: Way.SEALED)


def missing_records_are_not_missed(patch: pytest.MonkeyPatch) -> None:
    """A right is confirmed before the last records of its stream are here."""
    step = confirming._step

    def trusting(child: confirming.Link, parent: confirming.Link) -> Way:
        found = step(child, parent)
        return Way.SEALED if found is Way.UNKNOWN else found

    patch.setattr(confirming, "_step", trusting)


BUGS: Final = (crashes_are_believed, anybody_may_give_back, every_way_is_good, missing_records_are_not_missed)


@pytest.mark.parametrize("bug", BUGS)
def test_each_rule_is_needed(bug: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken out, some schedule breaks a promise."""
    bug(monkeypatch)
    assert any(map(_breaks, range(200)))


def _breaks(seed: int) -> bool:
    try:
        play(schedule(seed))
    except AssertionError:
        return True
    return False
