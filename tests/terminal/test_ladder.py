"""The reading ladder: whatever fails, in whatever order, it goes up and ends with something that can be done."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import Technology
from offline_queue.words import LANGUAGES
from terminal.counter.ladder import (
    FIRST,
    FORGET_MS,
    GROUND,
    LAST,
    NEEDS,
    NO_LADDER,
    ORDER,
    TRIES,
    Climb,
    Step,
    Way,
    after,
    possible,
    upward,
)
from terminal.counter.ladder_words import say

EVERY_WAY = frozenset(Way)
REASONS = st.one_of(
    st.sampled_from([*FIRST, "card_gone", "mute", "damaged", "no_card", "not_authentic", "replayed"]),
    st.text(string.ascii_lowercase + "_", max_size=12).filter(lambda reason: reason not in NO_LADDER),
)
TECHNOLOGIES = st.sampled_from(list(Technology))
RUNGS = st.frozensets(st.sampled_from(ORDER))
WAYS = st.frozensets(st.sampled_from(list(Way)))
FAILURES = st.lists(st.tuples(REASONS, TECHNOLOGIES, WAYS), min_size=1, max_size=20)


def climbed(failures: list[tuple[str, Technology, frozenset[Way]]], rungs: frozenset[Step]) -> list[Climb]:
    """Where each of these failures leads, a second apart."""
    climb, path = GROUND, []
    for second, (reason, technology, ways) in enumerate(failures, 1):
        climb = after(climb, reason, technology, possible(ways, rungs), second * 1000)
        path.append(climb)
    return path


@given(FAILURES, RUNGS)
def test_every_step_can_be_done(failures: list[tuple[str, Technology, frozenset[Way]]], rungs: frozenset[Step]) -> None:
    """No camera is advised that is not there now, and nothing that the programme does not have."""
    for climb, (_, _, ways) in zip(climbed(failures, rungs), failures, strict=True):
        assert climb.step is not None
        assert climb.step is LAST or climb.step in rungs
        assert climb.step not in NEEDS or NEEDS[climb.step] in ways


@given(FAILURES, RUNGS)
def test_it_only_goes_up_and_never_repeats_a_step_for_ever(
    failures: list[tuple[str, Technology, frozenset[Way]]], rungs: frozenset[Step]
) -> None:
    """Each rung below the last is advised so often and no more, although readers come and go meanwhile."""
    path = [climb.step for climb in climbed(failures, rungs)]
    places = [ORDER.index(step) for step in path if step is not None]
    assert places == sorted(places)
    for step in set(path) - {LAST}:
        assert step is not None
        assert path.count(step) <= TRIES.get(step, 1)


@given(REASONS, TECHNOLOGIES, RUNGS, WAYS)
def test_whoever_goes_on_failing_sells_without_a_card(
    reason: str, technology: Technology, rungs: frozenset[Step], ways: frozenset[Way]
) -> None:
    """After fewer failures than a customer has patience."""
    most = len(ORDER) - 1 + sum(tries - 1 for tries in TRIES.values())
    assert climbed([(reason, technology, ways)] * (most + 1), rungs)[-1].step is LAST


@given(st.sampled_from(sorted(NO_LADDER)), FAILURES)
def test_what_no_reading_mends_has_no_step(reason: str, failures: list[tuple[str, Technology, frozenset[Way]]]) -> None:
    """A blocked card is blocked however it is read."""
    climb = climbed(failures, frozenset(ORDER))[-1]
    assert after(climb, reason, Technology.NTAG, possible(EVERY_WAY, ORDER), 30_000) == GROUND


def test_the_whole_climb() -> None:
    """A chip that stays dumb, at a till that has everything."""
    path = climbed([("mute", Technology.NTAG, EVERY_WAY)] * 9, frozenset(ORDER))
    assert [climb.step for climb in path] == [
        Step.TAP_AGAIN,
        Step.TURN,
        Step.SCAN_QR,
        Step.SCAN_BAR,
        Step.KEY_NUMBER,
        Step.KEY_NUMBER,
        Step.PHONE,
        Step.NO_CARD,
        Step.NO_CARD,
    ]


@pytest.mark.parametrize(
    ("reason", "technology", "ways", "step"),
    [
        ("card_gone", Technology.NTAG, EVERY_WAY, Step.TAP_AGAIN),
        ("random_uid", Technology.NTAG, EVERY_WAY, Step.SCAN_QR),
        ("random_uid", Technology.NTAG, {Way.CHIP}, Step.KEY_NUMBER),
        ("code_unreadable", Technology.QR, EVERY_WAY, Step.SCAN_QR),
        ("damaged", Technology.EAN, EVERY_WAY, Step.SCAN_BAR),
        ("half_scan", Technology.UNKNOWN, {Way.BAR}, Step.SCAN_BAR),
        ("check_digit", Technology.KEYED, EVERY_WAY, Step.KEY_NUMBER),
        ("foreign_number", Technology.KEYED, EVERY_WAY, Step.KEY_NUMBER),
        ("no_card", Technology.UNKNOWN, {Way.QR}, Step.SCAN_QR),
        ("no_card", Technology.UNKNOWN, set(), Step.KEY_NUMBER),
    ],
)
def test_the_first_step_follows_from_what_failed(
    reason: str, technology: Technology, ways: set[Way], step: Step
) -> None:
    """What would fail again is not advised."""
    assert after(GROUND, reason, technology, possible(ways, ORDER), 1000).step is step


def test_another_customers_failure_begins_at_the_ground() -> None:
    """Time tells them apart where no card and no sale came between."""
    can = possible(EVERY_WAY, ORDER)
    first = after(GROUND, "mute", Technology.NTAG, can, 1000)
    assert after(first, "mute", Technology.NTAG, can, 1000 + FORGET_MS).step is Step.TURN
    assert after(first, "mute", Technology.NTAG, can, 1001 + FORGET_MS).step is Step.TAP_AGAIN


def test_what_lies_above_is_told_with_the_step() -> None:
    """For the screen; on the ground there is nothing to tell."""
    can = possible({Way.BAR}, ORDER)
    climb = after(GROUND, "mute", Technology.NTAG, can, 1000)
    assert upward(climb, can) == (Step.SCAN_BAR, Step.KEY_NUMBER, Step.PHONE, Step.NO_CARD)
    assert upward(GROUND, can) == ()


@pytest.mark.parametrize("step", ORDER)
def test_each_step_is_one_short_sentence(step: Step) -> None:
    """In both languages: a queue waits."""
    for said in (say(step, claims=claims).said(language) for language in LANGUAGES for claims in (True, False)):
        assert said.endswith(".")
        assert said.count(".") == 1
        assert len(said) <= 80
    assert (say(step, claims=True) != say(step, claims=False)) == (step is LAST)
