"""How worn a card is: harder reads never score less, everything stays within the scale, one bad tap is no verdict."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import CardRead, EntryMode, Technology
from terminal.cards.directory import Directory
from terminal.cards.wear import CHIPS, CODES, ENOUGH, SIGNS, WORST, Worn, score, scores

WEARING = st.sampled_from(sorted(CHIPS | CODES))
EFFORTS = st.one_of(st.none(), st.integers(1, 99))
FAILURES = st.lists(st.sampled_from([*sorted(SIGNS), "payment_card", "half_scan"]), max_size=8)
SCORES = st.integers(0, WORST)
NUMBER = "2990000000017"


@given(WEARING, st.integers(-5, 200), st.integers(0, 200), FAILURES, FAILURES)
def test_a_harder_read_never_scores_less(
    technology: Technology, effort: int, more: int, failures: list[str], others: list[str]
) -> None:
    """More attempts, more rungs, more failures before: never less; always from 0 to 100."""
    easy = score(technology, effort, failures)
    hard = score(technology, effort + more, failures + others)
    assert easy is not None
    assert hard is not None
    assert 0 <= easy <= hard <= WORST


@given(st.sampled_from(list(Technology)), EFFORTS, FAILURES)
def test_only_what_was_told_is_scored(technology: Technology, effort: int | None, failures: list[str]) -> None:
    """A scanner says nothing of the bars, a phone is no card, a payment card is no sign of wear."""
    told = score(technology, effort, failures)
    known = technology in CHIPS | CODES and (effort is not None or not SIGNS.isdisjoint(failures))
    assert (told is not None) == known


@given(SCORES, st.lists(SCORES, max_size=40))
def test_the_level_stays_within_what_was_read(first: int, later: list[int]) -> None:
    """Smoothing invents nothing: never below the best read, never above the worst."""
    worn = Worn()
    for one in (first, *later):
        worn = worn.read_again(one)
    assert min(first, *later, WORST) - 1e-9 <= worn.level <= max(first, *later, 0) + 1e-9
    assert worn.reads == 1 + len(later)


@given(st.lists(SCORES, min_size=1, max_size=20), st.integers(0, 19), SCORES)
def test_a_history_with_a_harder_read_is_no_better(history: list[int], place: int, harder: int) -> None:
    """Whichever read it was."""
    place %= len(history)
    worse = [*history[:place], max(history[place], harder), *history[place + 1 :]]
    levels = []
    for reads in (history, worse):
        worn = Worn()
        for one in reads:
            worn = worn.read_again(one)
        levels.append(worn.level)
    assert levels[0] <= levels[1] + 1e-9


def test_one_bad_tap_says_nothing() -> None:
    """Three in a row do; a card that is read well again recovers."""
    worn = Worn()
    for _ in range(ENOUGH - 1):
        worn = worn.read_again(WORST)
        assert not worn.replace_soon
    worn = worn.read_again(WORST)
    assert worn.replace_soon
    for _ in range(4):
        worn = worn.read_again(0)
    assert not worn.replace_soon


def test_what_could_not_be_read_is_scored_too() -> None:
    """A dead chip beside a bar code that is read at once; an unknown technology counts for what was read."""
    read = CardRead(Technology.QR, EntryMode.SCANNED, NUMBER, effort=1)
    assert scores(read, {Technology.NTAG: ["mute", "mute"]}) == {Technology.QR: 0, Technology.NTAG: 80}
    assert scores(read, {Technology.UNKNOWN: ["damaged"]}) == {Technology.QR: 40}
    assert scores(CardRead(Technology.KEYED, EntryMode.KEYED, NUMBER), {}) == {}


@pytest.mark.parametrize("technology", [Technology.QR, Technology.NTAG])
def test_the_directory_keeps_it(tmp_path: Path, technology: Technology) -> None:
    """Per card and technology, over restarts."""
    for reads in (1, 2):
        directory = Directory.open(tmp_path / "directory.db", f"start-{reads}")
        assert directory.wear.note(NUMBER, {technology: 50}) == {technology: Worn(50.0, reads)}
        assert directory.wear.of(NUMBER, Technology.EAN) == Worn()
        assert directory.wear.of("2990000000024", technology) == Worn()
        directory.close()
