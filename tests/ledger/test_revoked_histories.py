"""Random histories of tills that lose their keys and are trusted again: cut into batches or not, all adds up."""

import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.facts.policy import Policy
from ledger.port.upkeep import Verification
from ledger.sqlite.book import SqliteBook
from tests.ledger.fake_till import FakeStream, FakeTill, FakeTimepiece
from tests.ledger.test_correction_histories import TalkingShop, decided
from tests.ledger.test_histories import CARDS, disturbed, moved, points, sold, tills

trusted = st.one_of(
    st.tuples(st.just("revoke"), tills),
    st.tuples(st.just("trust"), tills),
    st.tuples(st.just("trust"), tills),
    st.tuples(st.just("in another's name"), tills, tills, points),
)
broken = st.tuples(st.just("promised"), tills, st.just(0), st.integers(1, 9), st.sampled_from(["used", "more"]))
histories = st.lists(st.one_of(sold, moved, disturbed, decided, trusted, broken), min_size=12, max_size=50)
Seen = dict[tuple[str, str, int], tuple[object, ...]]


@dataclass
class DoubtfulShop(TalkingShop):
    """Tills whose keys are revoked, by head office or for their breaches; `apart` delivers each record on its own."""

    apart: bool = False

    def do(self, step: Sequence[object]) -> None:
        what, *rest = step
        super().do([str(what).replace("'", ""), *rest])

    def revoke(self, till: int) -> None:
        self.book.revoke(self.tills[till].terminal, "stolen")

    def trust(self, till: int) -> None:
        """Its stream is sent once more, as by a mirror or a disk that was put back."""
        who = self.tills[till]
        assert self.book.enrol(who.terminal, who.key, replace=True)
        again = FakeStream(who.new_stream().uid)
        for record in who.stream.records:
            again.append(record)
        who.stream = again
        self.streams.append((who, again))

    def in_anothers_name(self, till: int, other: int, count: int) -> None:
        sale = self.tills[till].earn(count, CARDS[0])
        self._queue(till, replace(sale, terminal=self.tills[other].terminal))

    def _deliver(self, who: FakeTill, stream: FakeStream, first: int, count: int) -> None:
        step = 1 if self.apart else max(count, 1)
        for place in range(first, first + count, step):
            super()._deliver(who, stream, place, step)

    def last_words(self) -> Seen:
        return {
            (till.terminal, verdict.stream, seq): (verdict.state, verdict.code, verdict.points)
            for till in self.tills
            for verdict in till.feed()
            for seq in range(verdict.first, verdict.last + 1)
        }


def play(steps: Sequence[Sequence[object]], breaches: int, *, apart: bool) -> tuple[Seen, Verification]:
    with tempfile.TemporaryDirectory() as folder:
        policy = Policy(breaches=breaches)
        book = SqliteBook(Path(folder) / "ledger.db", policy=policy, timepiece=FakeTimepiece())
        with closing(book):
            shop = DoubtfulShop(book, apart=apart)
            for step in steps:
                shop.do(step)
            shop.deliver_all()
            return shop.last_words(), book.verify()


@settings(max_examples=25)
@given(histories, st.integers(1, 3))
def test_batches_do_not_matter(steps: list[tuple[object, ...]], breaches: int) -> None:
    """Each record has the same verdict in the end, and the books the same liability, in whatever company it came."""
    words, verification = play(steps, breaches, apart=False)
    assert verification.problems == []
    alone, verified = play(steps, breaches, apart=True)
    assert (words, verification.liability, verified.problems) == (alone, verified.liability, [])
