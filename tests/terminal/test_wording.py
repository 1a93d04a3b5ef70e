"""The edge at which Words become a text: answers now, answers that are kept, and events."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.words import LANGUAGES, Language, Words, untranslated
from terminal.pos import BalanceView, ExpiringView
from terminal.wording import in_json, kept, plain, read, told

SOON = Words("60 points expire today", "60 points expirent aujourd'hui")
VIEW = BalanceView(60, None, 0, estimate=False, expiring=[ExpiringView(60, "2026-03-01", SOON)])
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3).filter(lambda told: told.keys() != set(LANGUAGES))
    ),
    max_leaves=8,
)
"""An object of the languages' names alone is how Words are kept: nothing else has that form."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_is_in_one_language(language: Language) -> None:
    """At any depth; whoever asks later hears what is kept in their own."""
    text = SOON.said(language)
    assert plain(VIEW, language)["expiring"][0]["text"] == text
    assert msgspec.json.decode(in_json(VIEW, language))["expiring"][0]["text"] == text
    assert told(kept(VIEW), language) == in_json(VIEW, language)


def test_what_is_kept_comes_back_whole() -> None:
    """In all languages; what an earlier version kept had one, which stands for all."""
    assert read(kept(VIEW), BalanceView) == VIEW
    before = in_json(VIEW, "fr")
    assert read(before, BalanceView).expiring[0].text == untranslated(SOON.fr)
    assert told(before, "en") == before


@given(anything)
def test_what_has_no_words_is_left_alone(value: object) -> None:
    """Whatever an answer holds, and whichever language is asked for."""
    assert msgspec.json.decode(told(kept({"it": value}), "fr")) == {"it": value}


def test_what_nobody_can_say_is_a_defect() -> None:
    """No text stands in for it."""
    with pytest.raises(NotImplementedError):
        in_json({"it": object()}, "en")
