"""How often idle tills say hello, and when they come back to books that failed."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.http.attendance import (
    FAILING_S,
    HELLOS_PER_S,
    LATELY_S,
    LONGEST_S,
    SHORTEST_S,
    Attendance,
    next_sync_after_s,
    patience_s,
)

chances = st.floats(0, 1, exclude_max=True)
counts = st.integers(0, 10**6)


@given(counts, counts)
def test_the_more_tills_the_more_seldom_each(few: int, many: int) -> None:
    """Within half a minute and a quarter of an hour, and so that idle hellos stay cheap up to 45,000 tills."""
    few, many = sorted((few, many))
    assert SHORTEST_S <= next_sync_after_s(few) <= next_sync_after_s(many) <= LONGEST_S
    if many <= LONGEST_S * HELLOS_PER_S:
        assert many / next_sync_after_s(many) <= HELLOS_PER_S * 1.000001


@given(counts, chances)
def test_books_that_fail_are_not_stormed(tills: int, chance: float) -> None:
    """Some seconds at least, and as long as all hellos need."""
    assert FAILING_S <= patience_s(tills, chance) <= next_sync_after_s(tills)


def test_ten_thousand_tills_are_told_minutes() -> None:
    """The figure that docs/scale.md names."""
    assert next_sync_after_s(10_000) == 200


def test_a_till_counts_once_and_is_forgotten_after_a_while() -> None:
    """Who closed the shop is not expected any more."""
    here = Attendance()
    for terminal in ("a", "b", "a"):
        here.seen(terminal, 0.0)
    assert here.tills == 2
    here.seen("a", LATELY_S)
    assert here.tills == 2
    here.seen("a", 2 * LATELY_S)
    assert here.tills == 1


def test_a_long_silence_forgets_everybody() -> None:
    """Tills of yesterday tell nothing about today."""
    here = Attendance()
    here.seen("a", 0.0)
    here.seen("b", 0.0)
    here.seen("c", 10 * LATELY_S)
    assert here.tills == 1
