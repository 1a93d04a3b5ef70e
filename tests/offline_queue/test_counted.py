"""Texts that change with a number."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.counted import Counted, counted, in_points
from offline_queue.words import Words

ROOT = Path(__file__).resolve().parents[2]
SAID = sorted(path for package in ("offline_queue", "terminal") for path in (ROOT / package).rglob("*.py"))
COMING = Counted(
    one=Words("{count} guest comes to {place}", "{count} invité vient à {place}"),
    many=Words("{count} guests come to {place}", "{count} invités viennent à {place}"),
)


@pytest.mark.parametrize(
    ("count", "english", "french"),
    [
        (0, "0 points", "0 point"),
        (1, "1 point", "1 point"),
        (2, "2 points", "2 points"),
        (-1, "-1 point", "-1 point"),
        (-2, "-2 points", "-2 points"),
    ],
)
def test_points_are_counted_as_each_language_does(count: int, english: str, french: str) -> None:
    """None is many in English and one in French; a debt of one is one."""
    assert in_points(count) == Words(english, french)


def test_more_than_the_noun_may_change() -> None:
    """The verb goes with the number, and other blanks are filled in both texts."""
    assert COMING.of(1, place="Rome") == Words("1 guest comes to Rome", "1 invité vient à Rome")
    assert COMING.of(0, place="Rome") == Words("0 guests come to Rome", "0 invité vient à Rome")


@given(count=st.integers())
def test_every_number_is_said_whole(count: int) -> None:
    """Each text begins with the number, in every language."""
    both = in_points(count)
    assert [text.split(" ")[0] for text in (both.en, both.fr)] == [str(count)] * 2


@pytest.mark.parametrize("path", SAID, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_sentence_counts_points_by_itself(path: Path) -> None:
    """`{n} points` is wrong for one of them; a constant's name is in capitals, and a `{count}` has its text for one."""
    assert not re.findall(r"\{(?!count\})[^}A-Z]*\} (?:more |other )?points\b", path.read_text())


@pytest.mark.parametrize(("count", "said"), [(0, "0 records"), (1, "1 record"), (2, "2 records"), (-1, "-1 record")])
def test_technicians_read_one_as_one_too(count: int, said: str) -> None:
    """In what is English everywhere."""
    assert counted(count, "record") == said
