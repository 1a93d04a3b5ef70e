"""Free texts of a request: what nobody can see is refused, and a time is a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.pos import Refusal
from terminal.texts import refuse_hidden, refuse_no_moment

OBEYED = set("\x1b\x7f\x85\x9b\u200f\u202e\u2066\u2028")


@given(text=st.none() | st.text(max_size=80))
def test_what_a_terminal_obeys_is_refused(text: str | None) -> None:
    """Lines, escapes and what turns the writing round; the words say which, and hold none of it."""
    seen = text or ""
    if len(seen.splitlines()) <= 1 and not set(seen) & OBEYED:
        return
    with pytest.raises(Refusal, match="`operator`") as refused:
        refuse_hidden("operator", text)
    assert refused.value.detail.en.isprintable()


@pytest.mark.parametrize("text", ["Anne-Marie", "Zoë", "山田", "Anne\u00a0B.", "R-4711/2", None])
def test_names_of_people_and_receipts_pass(text: str | None) -> None:
    """In any writing."""
    refuse_hidden("operator", text)


@pytest.mark.parametrize(
    "text", ["2026-03-01T10:00:00Z", "2026-03-01T10:00:00.123456+01:00", "2026-02-28T23:59:59-11:30", None]
)
def test_a_time_with_its_offset_passes(text: str | None) -> None:
    """With and without a fraction; or none at all."""
    refuse_no_moment("receipt.issued_at", text)


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-03-01", "2026-03-01T10:00:00", "2026-02-30T10:00:00Z", "1772359200", "\x1b[2J"]
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    """The words show what a time looks like, and never what was sent."""
    with pytest.raises(Refusal, match="RFC 3339") as refused:
        refuse_no_moment("receipt.issued_at", text)
    assert refused.value.code == "invalid"
    assert refused.value.detail.en.isprintable()
