"""Reed-Solomon with errors and erasures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.decoding.galois import Uncorrectable, corrected, syndromes
from tests.virtual.qr_codes import encoded


@st.composite
def damaged(draw: st.DrawFn) -> tuple[list[int], list[int], list[int], int, int]:
    """A codeword, the same damaged within what can be mended, the erased places, the errors and the check symbols."""
    checks = draw(st.sampled_from([7, 10, 13, 17, 22, 30]))
    word = encoded(draw(st.binary(min_size=1, max_size=60)), checks)
    erasures = draw(st.integers(0, checks))
    errors = draw(st.integers(0, (checks - erasures) // 2))
    most = min(len(word), erasures + errors)
    places = draw(st.lists(st.integers(0, len(word) - 1), min_size=most, max_size=most, unique=True))
    bad = list(word)
    for n, place in enumerate(places):
        bad[place] = bad[place] ^ draw(st.integers(0 if n < erasures else 1, 255))
    return word, bad, places[:erasures], max(0, most - erasures), checks


@given(damaged())
def test_what_can_be_mended_is_mended(case: tuple[list[int], list[int], list[int], int, int]) -> None:
    """Twice the errors plus the erasures may be as many as there are check symbols."""
    word, bad, erased, errors, checks = case
    assert corrected(bad, checks, erased) == (word, errors if bad != word else 0)


@given(st.binary(min_size=20, max_size=80), st.integers(2, 18))
def test_garbage_is_refused_or_made_a_codeword(garbage: bytes, checks: int) -> None:
    """Nothing comes out that does not satisfy every check."""
    try:
        word, errors = corrected(list(garbage), checks)
    except Uncorrectable:
        return
    assert not any(syndromes(word, checks))
    assert errors <= checks // 2


def test_more_erasures_than_checks_are_refused() -> None:
    """There is no guessing."""
    with pytest.raises(Uncorrectable):
        corrected([1, 2, 3, 4, 5], 2, [0, 1, 2])
