"""Cards that count their presentations, at tills that know nothing of each other: the books see the copy."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.facts.case import Case, Shown
from ledger.facts.codes import Code
from ledger.facts.policy import Policy, Stance
from ledger.port.book import Book
from ledger.rules.proofs import copied, proof_of
from ledger.sheet.card_counts import CardCounts
from offline_queue.entry import Card, CardProof, Clock, Entry, Kind, State
from offline_queue.timepiece import rfc3339
from tests.ledger.conftest import Shelfful
from tests.ledger.fake_till import CARD, START_MS, FakeTill, points_of

HOUR_MS = 3_600_000
CHIP = "0f" * 16


def shown(till: FakeTill, counter: int, points: int = 10, at: int = START_MS, **more: Any) -> Entry:
    """A sale with a card that proves itself, as the till writes it; `at` in ms."""
    wall = rfc3339(at)
    kind, number = more.pop("kind", Kind.EARN), more.pop("number", CARD)
    entry = till.entry(kind, points, occurred_at=wall, clock=Clock("boot", 1, wall), **more)
    return msgspec.structs.replace(entry, card=Card(number, "type4", "contactless", None, CardProof(CHIP, counter)))


def told(till: FakeTill, entry: Entry) -> tuple[State, str]:
    verdict = till.verdict(entry)
    return verdict.state, verdict.code


@pytest.fixture
def tills(book: Book) -> tuple[FakeTill, FakeTill]:
    return FakeTill(book), FakeTill(book, 2)


FLAGGED, FINE = (State.CONFLICT, "card_copied"), (State.POSTED, "posted")


def test_a_message_that_two_tills_took_offline_is_seen(book: Book, tills: tuple[FakeTill, FakeTill]) -> None:
    """Whoever is heard second is flagged: it counts, and head office sees that the card was copied."""
    first, second = (shown(till, 61) for till in tills)
    for till, sale in zip(tills, (first, second), strict=True):
        till.send(sale)
    assert (told(tills[0], first), told(tills[1], second)) == (FINE, FLAGGED)
    assert points_of(book) == 20
    (flag,) = book.flagged()
    assert tills[0].terminal in (flag.detail or "")
    assert CHIP not in (flag.detail or "")
    assert book.verify().ok


def test_what_one_presentation_pays_for_is_no_copy(tills: tuple[FakeTill, FakeTill]) -> None:
    """A sale that redeems and earns carries the same count twice."""
    till, _ = tills
    earned, used = shown(till, 61), shown(till, 61, 5, kind=Kind.REDEEM)
    till.send(earned)
    till.send(used)
    assert (told(till, earned), told(till, used)) == (FINE, FINE)


def test_a_sale_that_only_comes_late_is_no_copy(tills: tuple[FakeTill, FakeTill]) -> None:
    """A till that was offline since this morning has a lower count and an earlier time."""
    tills[0].send(shown(tills[0], 62, at=START_MS))
    late = shown(tills[1], 61, at=START_MS - HOUR_MS)
    tills[1].send(late)
    assert told(tills[1], late) == FINE


def test_an_old_count_that_is_shown_after_a_later_one_is_a_copy(
    shelf: Shelfful, book: Book, tills: tuple[FakeTill, FakeTill]
) -> None:
    """Kept by a thief who read the card once, and used when its owner had been in the shop again."""
    tills[0].send(shown(tills[0], 62))
    shelf.timepiece.now = START_MS + HOUR_MS
    old = shown(tills[1], 61, at=START_MS + HOUR_MS)
    tills[1].send(old)
    assert told(tills[1], old) == FLAGGED
    honest = shown(tills[1], 63, at=START_MS + HOUR_MS)
    tills[1].send(honest)
    assert told(tills[1], honest) == FINE


@pytest.mark.parametrize(
    ("stance", "state"), [(Stance.REVIEW, State.PARKED), (Stance.REFUSE, State.CONFLICT)], ids=["review", "refuse"]
)
def test_the_retailer_may_want_otherwise(shelf: Shelfful, stance: Stance, state: State) -> None:
    """Then the second one has no effect until a person has decided, or at all."""
    book = shelf.open(Policy(stances={Code.CARD_COPIED: stance}))
    book.register(CARD)
    one, other = FakeTill(book), FakeTill(book, 2)
    one.send(shown(one, 61))
    second = shown(other, 61)
    other.send(second)
    assert told(other, second) == (state, "card_copied")
    assert points_of(book) == 10


def test_a_revoked_till_moves_no_count(book: Book, tills: tuple[FakeTill, FakeTill]) -> None:
    """Else whoever has its key could make every card of the shop look copied."""
    book.revoke(tills[0].terminal, "stolen")
    tills[0].send(shown(tills[0], 10**6))
    sale = shown(tills[1], 61)
    tills[1].send(sale)
    assert told(tills[1], sale) == FINE


def test_what_waited_for_its_card_is_no_copy_of_itself(book: Book) -> None:
    """It is decided again when the card is registered, and finds its own count."""
    till = FakeTill(book)
    early = shown(till, 61, number="2990000000031")
    till.send(early)
    assert told(till, early) == (State.PARKED, "card_unknown")
    book.register("2990000000031")
    assert told(till, early) == FINE


@pytest.mark.parametrize("kind", list(Kind))
def test_only_sales_show_a_card(kind: Kind) -> None:
    """A reversal, a claim or an event names one that nobody held to the reader."""
    entry = Entry("e", "k", kind, "T1", "d", "x", Clock("b", 1, "x"), 1, card=Card(CARD, proof=CardProof(CHIP, 7)))
    assert (proof_of(entry) is not None) == (kind in (Kind.EARN, Kind.REDEEM))
    assert proof_of(msgspec.structs.replace(entry, card=Card(CARD))) is None
    assert proof_of(msgspec.structs.replace(entry, card=None)) is None


SALES = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 6), st.integers(0, 5)), max_size=12)
"""Till, count, hour."""


class NothingBefore:
    def shown(self, _: object) -> dict[str, Shown]:
        return {}


@given(SALES)
def test_only_what_was_shown_before_is_a_copy(sales: list[tuple[int, int, int]]) -> None:
    """In whatever order the tills are heard: a flagged sale has an equal count elsewhere, or a later one earlier."""
    counts, heard = CardCounts(NothingBefore()), list[tuple[str, int, int]]()  # type: ignore[arg-type]
    for number, counter, hour in sales:
        terminal, at = f"S001-T{number:02d}", hour * HOUR_MS
        card = Card(CARD, proof=CardProof(CHIP, counter))
        entry = Entry("e", "k", Kind.EARN, terminal, "2025-06-15", "x", Clock("b", 1, "x"), 1, card=card)
        case = Case(1, entry, terminal, shown=counts.greatest(entry), at=at)
        if copied(case):
            assert any((c == counter and t != terminal) or (c > counter and when < at) for t, c, when in heard)
        counts.note(entry, at)
        heard.append((terminal, counter, at))
    greatest = counts.changed.get(CHIP)
    assert (greatest.counter if greatest else None) == max((c for _, c, _ in heard), default=None)
