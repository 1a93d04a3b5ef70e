"""Which language a request asks for: RFC 9110's weights, and whatever else is sent in their place."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from offline_queue.words import LANGUAGES, Language
from terminal.api.tongues import MOST_RANGES, accepted

ranges = st.tuples(
    st.sampled_from(["fr", "en", "FR-be", "en-GB", "de", "zh-Hant-TW", "*", "", "f", "frx", "fr_FR", "-", "\0"]),
    st.sampled_from(["", ";q=1", ";q=0.5", "; q=0", ";q=0.001", ";q=1.001", ";q=", ";level=1", ";q=-1", ";q=0,5", ";"]),
)


@pytest.mark.parametrize(
    ("header", "english_till", "french_till"),
    [
        (None, "en", "fr"),
        ("", "en", "fr"),
        ("fr", "fr", "fr"),
        ("en", "en", "en"),
        ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "fr", "fr"),
        ("en-GB,en;q=0.9", "en", "en"),
        ("de, en;q=0.3, fr;q=0.4", "fr", "fr"),
        ("FR", "fr", "fr"),
        ("fr , en", "fr", "fr"),
        ("en, fr", "en", "en"),
        ("de-DE", "en", "fr"),
        ("*", "en", "fr"),
        ("*;q=0.5, fr;q=0.1", "en", "en"),
        ("fr;q=0, *", "en", "en"),
        ("en;q=0, *;q=0.1", "fr", "fr"),
        ("fr;q=0", "en", "fr"),
        ("fr;q=1.5", "en", "fr"),
        ("fr;q=0.1234", "en", "fr"),
        ("french, fr_FR, é, ;;;, en-", "en", "fr"),
        (f"{',' * MOST_RANGES}fr", "en", "fr"),
    ],
)
def test_the_language_that_weighs_most(header: str | None, english_till: Language, french_till: Language) -> None:
    """Region and case do not matter, a weight of nothing excludes, and the till's own language stands in for none."""
    assert (accepted(header, "en"), accepted(header, "fr")) == (english_till, french_till)


@given(st.text(max_size=60) | st.lists(ranges, max_size=40).map(lambda all_: ",".join(map("".join, all_))))
@example("*;q=0")
@example("fr;q=0, en;q=0")
def test_garbage_is_answered_in_a_language_of_ours(header: str) -> None:
    """Never an error; and where neither language nor `*` is named, in the till's own."""
    for own in LANGUAGES:
        chosen = accepted(header, own)
        assert chosen in LANGUAGES
        if not any(name in header.lower() for name in ("fr", "en", "*")):
            assert chosen == own


@given(st.permutations([("fr", 0.9), ("en", 0.8), ("de", 1.0)]))
def test_the_order_does_not_matter_where_the_weights_differ(wanted: list[tuple[str, float]]) -> None:
    """Only among equals is the first one meant."""
    assert accepted(", ".join(f"{tag};q={weight}" for tag, weight in wanted), "en") == "fr"
