"""What a person's word comes to, on bare values: what an entry has, what it asked for, and what it shall have had."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.facts.case import Item, Original
from ledger.facts.codes import Code
from ledger.rules.corrections import (
    Dispute,
    Spoken,
    asked_of,
    original,
    place_name,
    plain_target,
    resolved,
    target_of_applied,
    target_of_unapplied,
)
from offline_queue.entry import CardEvent, Clock, Correction, Entry, Happening, Kind, Resolution, State

ITEM = Item(7, "s1", 3, "T1", b"")
CLOCK = Clock("boot", 1, "2025-06-15T12:00:00Z")
HONOUR = Correction("Anne", "saw the receipt", "e1", Resolution.HONOUR)
REFUSE = replace(HONOUR, resolution=Resolution.REFUSE)
EARNED, REDEEMED = Original(1, Kind.EARN, 1, 30), Original(1, Kind.REDEEM, 1, -30)


def entry(kind: Kind, points: int = 10, **more: object) -> Entry:
    told = {"business_day": "2025-06-15", "occurred_at": CLOCK.wall, "clock": CLOCK, **more}
    return Entry("e1", "k1", kind, "T1", points=points, **told)  # type: ignore[arg-type]


def dispute(of: Entry | None, **more: object) -> Dispute:
    return Dispute(ITEM, of, State.PARKED, Code.CARD_UNKNOWN, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("disputed", "reversed_", "asked"),
    [
        (dispute(entry(Kind.EARN)), None, 10),
        (dispute(entry(Kind.CLAIM)), None, 10),
        (dispute(entry(Kind.REDEEM)), None, -10),
        (dispute(entry(Kind.REVERSE, reverses="e0")), EARNED, -10),
        (dispute(entry(Kind.REVERSE, reverses="e0")), REDEEMED, 10),
        (dispute(entry(Kind.REVERSE, reverses="e0")), None, 0),
        (dispute(entry(Kind.REVERSE, 0, reverses="e0"), posted=-30), EARNED, -30),
        (dispute(entry(Kind.REVERSE, 0, reverses="e0"), posted=30), REDEEMED, 30),
        (dispute(entry(Kind.REVERSE, 0, reverses="e0")), EARNED, 0),
        (dispute(entry(Kind.CARD_EVENT, event=CardEvent(Happening.BLOCK))), None, 0),
        (dispute(entry(Kind.CORRECTION, correction=HONOUR), posted=4), None, 4),
        (dispute(None), None, 0),
    ],
)
def test_what_an_entry_asked_for(disputed: Dispute, reversed_: Original | None, asked: int) -> None:
    """Points with sign. All that was left then is what was posted; what cannot be read asked for nothing."""
    assert asked_of(disputed, reversed_) == asked
    assert plain_target(disputed, reversed_).honoured == asked


words = st.lists(st.integers(-50, 50), max_size=4).map(
    lambda moved: tuple(Spoken(n, 100 + n, 0, 0, points) for n, points in enumerate(moved, 1))
)


@given(st.integers(0, 100), words, st.integers(-100, 100), st.integers(-100, 100), st.sampled_from(Resolution))
def test_a_word_moves_the_difference_to_what_it_says(
    posted: int, spoken: tuple[Spoken, ...], undone: int, points: int, resolution: Resolution
) -> None:
    """After it the entry has what was said, whoever spoke before: as asked, nothing but what was reversed, or so many.

    What was reversed of the entry is not taken back twice.
    """
    held = dispute(entry(Kind.EARN), posted=posted, words=spoken, undone=undone)
    target = plain_target(held, None)
    assert held.has == posted + sum(word.points for word in spoken)
    word = target.word(replace(HONOUR, resolution=resolution), entitled=True, card=None)
    assert word.shall == (10 if resolution is Resolution.HONOUR else -undone)
    assert (word.had, word.had + word.effect) == (held.has, word.shall)
    exact = target.word(replace(HONOUR, resolution=None, points=points), entitled=False, card="c")
    assert (exact.shall, exact.effect, exact.entitled, exact.card) == (points, points - held.has, False, "c")


def test_a_word_on_a_word_takes_it_back_or_lets_it_count() -> None:
    """Points that are said otherwise count from what was there before the word."""
    root = dispute(entry(Kind.EARN), posted=10, words=(Spoken(1, 8, 10, 25, 15),))
    said = dispute(entry(Kind.CORRECTION, 0, correction=HONOUR))
    applied = target_of_applied(said, root.words[0], root)
    assert [applied.shall(word) for word in (HONOUR, REFUSE, replace(HONOUR, points=4))] == [25, 10, 14]
    unheard = target_of_unapplied(said, replace(HONOUR, points=40), plain_target(root, None), None)
    assert [unheard.shall(word) for word in (HONOUR, REFUSE, replace(HONOUR, points=4))] == [40, 25, 29]
    assert (applied.root, unheard.root, applied.named, unheard.named) == (root, root, said, said)


@given(st.sampled_from([Kind.EARN, Kind.CLAIM, Kind.REDEEM]), st.integers(0, 50), words, st.integers(0, 50))
def test_a_reversal_takes_back_what_is_left_by_all_words(
    kind: Kind, points: int, spoken: tuple[Spoken, ...], undone: int
) -> None:
    """Less what reversals took before, whose sign is against that of the entry; never less than nothing."""
    sign = -1 if kind is Kind.REDEEM else 1
    found = original(7, kind, 1, sign * points, -sign * undone, spoken)
    has = sign * (sign * points + sum(word.points for word in spoken))
    assert (found.reversed, found.left) == (undone, max(0, has - undone))
    assert found.corrections == tuple(word.record for word in spoken)


def test_what_is_nobodys_word_is_named_by_its_place() -> None:
    """A stranger may write any id; of what cannot be read there is none."""
    assert dispute(entry(Kind.EARN)).name == "e1"
    assert dispute(None).name == place_name(ITEM) == "s1:3"
    assert replace(dispute(entry(Kind.EARN)), code=Code.SIGNATURE_BAD).name == "s1:3"


def test_the_new_verdict_says_who_and_why() -> None:
    """The reason for which it stood out stays with it."""
    told = resolved(HONOUR, dispute(entry(Kind.EARN)), 10, 12)
    assert (told.state, told.code, told.effect, told.asked) == (State.RESOLVED, Code.CARD_UNKNOWN, 10, 12)
    assert told.detail == "by Anne: saw the receipt"
    assert not told.plain
