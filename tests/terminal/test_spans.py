"""Spans behave as the set of numbers that they stand for."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from terminal.sales.spans import Spans


@given(
    full=st.integers(0, 30),
    steps=st.lists(st.one_of(st.integers(1, 30), st.tuples(st.integers(1, 30), st.integers(1, 30))), max_size=40),
)
@example(0, [21, 22, (22, 21)])
def test_spans_are_a_set_of_numbers(full: int, steps: list[int | tuple[int, int]]) -> None:
    """Every addition and removal agrees with a plain set; neighbours are joined."""
    spans, plain = Spans(), set[int]()
    for step in [*range(1, full + 1), *steps]:
        if isinstance(step, int):
            assert spans.add(step) == (step not in plain)
            plain.add(step)
        else:
            taken = {n for low, high in spans.take(*step) for n in range(low, high + 1)}
            assert taken == {n for n in plain if step[0] <= n <= step[1]}
            plain -= taken
        kept = list(spans)
        assert {n for low, high in kept for n in range(low, high + 1)} == plain
        assert all(high + 1 < low for (_, high), (low, _) in pairwise(kept))
        assert bool(spans) == bool(plain)
