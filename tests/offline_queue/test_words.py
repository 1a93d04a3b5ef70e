"""One text in every language, until somebody reads it."""

from hypothesis import given
from hypothesis import strategies as st

from offline_queue.words import LANGUAGES, Words, in_a_row, untranslated

HELLO = Words("{name} has {points} points.", "{name} a {points} points.")
texts = st.text(max_size=20)


def test_blanks_are_filled_in_every_language() -> None:
    """By the same value, or by one that is Words itself and speaks the language of its surroundings."""
    both = HELLO.of(name=Words("The card", "La carte"), points=3)
    assert (both.said("en"), both.said("fr")) == ("The card has 3 points.", "La carte a 3 points.")


@given(texts, texts)
def test_values_from_outside_are_taken_as_they_are(name: str, more: str) -> None:
    """Braces in them are no blanks, however often the words are put together with others."""
    both = in_a_row([HELLO.of(name=name, points=1), untranslated(more)])
    assert both.en == f"{name} has 1 points. {more}"
    assert both.fr == f"{name} a 1 points. {more}"


@given(texts, texts, texts, texts)
def test_words_are_what_they_say(en: str, fr: str, other_en: str, other_fr: str) -> None:
    """Two are one where they say the same in all languages; a text alone is never Words."""
    one, other = Words(en, fr), Words(other_en, other_fr)
    assert (one == other) == ((en, fr) == (other_en, other_fr))
    assert one == Words.by(one.said)
    assert hash(one) == hash(Words(en, fr))
    assert one != en


def test_every_language_is_said() -> None:
    """One that is added has to be said by everything."""
    assert [HELLO.said(language) for language in LANGUAGES] == [HELLO.en, HELLO.fr]
