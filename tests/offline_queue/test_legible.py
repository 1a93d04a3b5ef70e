"""Texts of records on a terminal: shown, never obeyed."""

import json

from hypothesis import given
from hypothesis import strategies as st

from offline_queue.legible import legible, legible_json


@given(text=st.text())
def test_every_character_of_a_text_is_visible(text: str) -> None:
    """And what was visible before is as it was."""
    shown = legible(text)
    assert shown.isprintable()
    assert not text.isprintable() or shown == text


@given(
    value=st.recursive(
        st.none() | st.integers() | st.text(), lambda each: st.lists(each) | st.dictionaries(st.text(), each)
    )
)
def test_json_says_the_same_with_every_character_visible(value: object) -> None:
    """For programs it is the same document."""
    shown = legible_json(json.dumps(value, ensure_ascii=False))
    assert shown.isprintable()
    assert json.loads(shown) == value


def test_card_masks_and_accents_are_left_readable() -> None:
    """Not everything beyond ASCII is hidden."""
    assert legible_json('{"card":"•••• 0017","author":"Zoë"}') == '{"card":"•••• 0017","author":"Zoë"}'
    assert legible_json('"\x7f\u202e\x9b"') == '"\\u007f\\u202e\\u009b"'
