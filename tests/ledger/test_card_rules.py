"""What happens to cards, on bare values: whatever comes in which order, every card leads to one account."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.facts.cards import CardStatus, Listing
from ledger.rules.cards import NOTHING, Plan, account_of, chain, is_merger, objection, plan
from ledger.rules.own_entries import OFFICE
from offline_queue.entry import Card, CardEvent, Clock, Correction, Entry, Happening, Kind

EVERYTHING = frozenset(Happening)
NUMBERS = ["1111-0001", "1111-0002", "1111-0003", "1111-0004", "1111-0005"]
ONE, TWO, THREE, FOUR, _ = NUMBERS


def entry(event: CardEvent | None, number: str | None) -> Entry:
    card = Card(number) if number is not None else None
    clock = Clock("boot", 1, "2025-06-15T12:00:00Z")
    return Entry("e1", "k1", Kind.CARD_EVENT, "T1", "2025-06-15", "2025-06-15T12:00:00Z", clock, card=card, event=event)


@dataclass
class Cards:
    """The listings, as the books keep them."""

    listed: dict[str, Listing] = field(default_factory=dict)
    opened: int = 0

    def find(self, number: str) -> Listing:
        return self.listed.get(number, Listing())

    def why_not(self, happening: Happening, number: str, successor: str | None = None) -> str | None:
        return objection(entry(CardEvent(happening, successor), number), self.find, EVERYTHING)

    def plan(self, happening: Happening, number: str, successor: str | None = None) -> Plan:
        return plan(number, CardEvent(happening, successor), self.find)

    def happen(self, happening: Happening, number: str, successor: str | None = None) -> Plan:
        assert self.why_not(happening, number, successor) is None
        found = self.plan(happening, number, successor)
        self.listed.update(found.listings)
        if found.opens is not None:
            self.opened += 1
            self.listed[found.opens] = replace(self.find(found.opens), account=self.opened)
        if found.merges is not None:
            giver, taker = found.merges
            assert giver != taker
            self.listed = {
                card: replace(told, account=taker) if told.account == giver else told
                for card, told in self.listed.items()
            }
        return found

    def final(self, number: str) -> str:
        return chain(number, self.find)[-1]

    def account(self, number: str) -> int | None:
        return account_of(number, self.find)

    def are_sound(self) -> None:
        """Each card is found where the last that stands for it is, and each account by one such card."""
        for card, told in self.listed.items():
            assert (told.successor is not None) == (told.marked in (CardStatus.REPLACED, CardStatus.MERGED))
            assert self.find(self.final(card)).successor is None
            assert self.account(card) == self.find(self.final(card)).account
            assert told.account in (None, self.account(card))
        standing = [told.account for told in self.listed.values() if told.successor is None and told.account]
        assert len(standing) == len(set(standing))


events = st.tuples(st.sampled_from(Happening), st.sampled_from(NUMBERS), st.sampled_from(NUMBERS))


@settings(max_examples=150)
@given(st.lists(events, max_size=25))
def test_every_card_leads_to_one_account_whatever_happens(steps: list[tuple[Happening, str, str]]) -> None:
    """What the books took over holds at once, holds once, and takes no account from anybody."""
    cards = Cards()
    for happening, number, other in steps:
        successor = other if happening in (Happening.REPLACE, Happening.MERGE) else None
        if cards.why_not(happening, number, successor) is not None:
            continue
        had = {card: cards.account(card) for card in NUMBERS}
        marked = {card: cards.find(card).marked for card in NUMBERS}
        found = cards.happen(happening, number, successor)
        cards.are_sound()
        assert all(cards.account(card) is not None for card, account in had.items() if account is not None)
        told = cards.find(number).marked
        match happening:
            case Happening.ACTIVATE:
                assert cards.account(number) is not None
            case Happening.BLOCK:
                assert told is (CardStatus.BLOCKED if cards.find(number).successor is None else marked[number])
            case Happening.UNBLOCK:
                assert told is not CardStatus.BLOCKED
            case Happening.REPLACE | Happening.MERGE:
                assert cards.final(number) == cards.final(other)
                assert cards.account(number) == cards.account(other)
        if happening is Happening.REPLACE and had[number] is not None:
            assert cards.account(number) == had[number], "the account stays, and the new card gets it"
        if happening is Happening.MERGE:
            assert cards.account(number) == had[other], "the account is emptied into the other one"
        if found != NOTHING:
            again = cards.why_not(happening, number, successor)
            assert again is not None or cards.plan(happening, number, successor) == NOTHING


def test_what_waits_is_looked_at_again_where_it_may_count_now() -> None:
    """For the card itself, or for the one that stands for it; a block wakes nobody."""
    cards = Cards()
    assert cards.happen(Happening.ACTIVATE, ONE).wakes == (ONE,)
    assert cards.happen(Happening.BLOCK, ONE).wakes == ()
    assert cards.happen(Happening.UNBLOCK, ONE).wakes == (ONE,)
    assert cards.happen(Happening.REPLACE, ONE, TWO).wakes == (ONE, TWO)
    cards.happen(Happening.ACTIVATE, THREE)
    assert cards.happen(Happening.MERGE, ONE, THREE).wakes == (TWO,), "the card whose account it is"
    assert cards.happen(Happening.REPLACE, FOUR, ONE).wakes == (FOUR, THREE)


def test_points_that_are_on_the_new_card_join_those_of_the_old() -> None:
    """The other way round than in a merger; a card that never had an account takes over the new one's."""
    cards = Cards()
    for card in (ONE, TWO):
        cards.happen(Happening.ACTIVATE, card)
    assert cards.happen(Happening.REPLACE, ONE, TWO).merges == (2, 1)
    found = cards.happen(Happening.REPLACE, THREE, TWO)
    assert (found.merges, cards.find(THREE).account) == (None, 1)
    assert cards.happen(Happening.REPLACE, FOUR, ONE).merges is None, "both lead to one account already"


def test_a_merger_that_is_one_already_moves_nothing() -> None:
    """Neither into itself, nor again, nor between cards of one account."""
    cards = Cards()
    for card in (ONE, TWO):
        cards.happen(Happening.ACTIVATE, card)
    cards.happen(Happening.REPLACE, ONE, THREE)
    assert cards.plan(Happening.MERGE, ONE, THREE) == NOTHING
    assert cards.plan(Happening.MERGE, THREE, ONE) == NOTHING
    assert cards.happen(Happening.MERGE, ONE, TWO).merges == (1, 2)
    assert cards.plan(Happening.MERGE, THREE, TWO) == NOTHING


@pytest.mark.parametrize(
    ("before", "event", "why"),
    [
        ([], (Happening.MERGE, ONE, TWO), "0001 has no account"),
        ([(Happening.ACTIVATE, ONE)], (Happening.MERGE, ONE, TWO), "0002 has no account"),
        ([(Happening.ACTIVATE, TWO)], (Happening.MERGE, ONE, TWO), "0001 has no account"),
        (
            [(Happening.ACTIVATE, ONE), (Happening.ACTIVATE, TWO), (Happening.BLOCK, ONE)],
            (Happening.MERGE, ONE, TWO),
            "0001 is blocked: unblock",
        ),
        (
            [(Happening.ACTIVATE, ONE), (Happening.ACTIVATE, TWO), (Happening.BLOCK, TWO)],
            (Happening.MERGE, ONE, TWO),
            "0002 is blocked: unblock",
        ),
        ([(Happening.BLOCK, TWO)], (Happening.REPLACE, ONE, TWO), "0002 is blocked and cannot"),
        (
            [(Happening.REPLACE, TWO, THREE), (Happening.BLOCK, THREE)],
            (Happening.REPLACE, ONE, TWO),
            "0002 is blocked and cannot",
        ),
        ([(Happening.REPLACE, ONE, THREE)], (Happening.REPLACE, ONE, TWO), "replaced by •••• 0003 before"),
        ([(Happening.REPLACE, ONE, TWO)], (Happening.REPLACE, TWO, ONE), "each would stand for the other"),
        ([], (Happening.REPLACE, ONE, ONE), "names no other card"),
        ([], (Happening.REPLACE, ONE, ""), "names no other card"),
        ([], (Happening.REPLACE, ONE, None), "names no other card"),
        ([], (Happening.REPLACE, ONE, "2" * 65), "names no other card"),
        ([(Happening.BLOCK, ONE)], (Happening.ACTIVATE, ONE), "is blocked: unblock it"),
        ([(Happening.REPLACE, ONE, TWO), (Happening.BLOCK, TWO)], (Happening.ACTIVATE, ONE), "is blocked: unblock it"),
        ([], (Happening.BLOCK, ""), "names no card"),
        ([], (Happening.BLOCK, "3" * 65), "names no card"),
    ],
)
def test_what_cannot_be_is_told_to_the_office(
    before: list[tuple[Happening, str, str]], event: tuple[Happening, str, str], why: str
) -> None:
    """With the card that stands in the way, masked, and what to do."""
    cards = Cards()
    for step in before:
        cards.happen(*step)
    assert why in (cards.why_not(*event) or "")


def test_an_event_needs_a_card_and_something_that_happened() -> None:
    """From wherever it comes; and a till says only what the retailer lets it say."""
    find = Cards().find
    for nothing in (entry(None, ONE), entry(CardEvent(Happening.BLOCK), None)):
        assert "names no card" in (objection(nothing, find, EVERYTHING) or "")
    blocks = entry(CardEvent(Happening.BLOCK), ONE)
    assert "tills may not block" in (objection(blocks, find, EVERYTHING - {Happening.BLOCK}) or "")
    assert objection(blocks, find, {Happening.BLOCK}) is None


def test_a_replacement_that_comes_again_by_a_later_card_is_one() -> None:
    """Another till heard late that the card after next stands for it: that is so already."""
    cards = Cards()
    cards.happen(Happening.REPLACE, ONE, TWO)
    cards.happen(Happening.REPLACE, TWO, THREE)
    assert cards.why_not(Happening.REPLACE, ONE, THREE) is None
    assert cards.plan(Happening.REPLACE, ONE, THREE) == NOTHING


def test_no_listing_can_hold_up_the_books() -> None:
    """A circle that no rule lets arise, in books that somebody changed by hand."""
    circle = {ONE: Listing(successor=TWO), TWO: Listing(successor=ONE)}
    assert chain(ONE, lambda number: circle[number]) == [ONE, TWO]


@pytest.mark.parametrize(
    ("change", "merger"),
    [
        ({}, True),
        ({"kind": Kind.EARN}, False),
        ({"terminal": "T1"}, False),
        ({"key": "expiry:7:out"}, False),
    ],
)
def test_only_the_offices_own_pair_is_a_merger(change: dict[str, object], merger: bool) -> None:
    """A till that names its key so moves no points past the audit."""
    moved = replace(
        entry(None, ONE),
        kind=Kind.CORRECTION,
        terminal=OFFICE,
        key="merge:7:out",
        correction=Correction("Anne", "one customer", points=-5),
    )
    assert is_merger(replace(moved, **change)) is merger
