"""Base45 after RFC 9285."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.base45 import ALPHABET, decode, encode

VECTORS = [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0"), (b"", "")]
"""Sections 4.3 and 4.4."""


@pytest.mark.parametrize(("data", "text"), VECTORS)
def test_the_vectors_of_the_rfc(data: bytes, text: str) -> None:
    """Both ways."""
    assert (encode(data), decode(text)) == (text, data)


@given(st.binary(max_size=200))
def test_whatever_is_encoded_comes_back(data: bytes) -> None:
    """And never ends in a blank, which a scanner or a shell might cut off."""
    assert decode(encode(data)) == data
    assert encode(data) == encode(data).rstrip()


@pytest.mark.parametrize("text", ["GGW", ":::", "::", "A", "BB8A", "bb8", "BBÄ", "B\n8"])
def test_what_no_encoder_makes_is_refused(text: str) -> None:
    """Numbers beyond their bytes (section 6), a lone character, characters of no alphabet."""
    with pytest.raises(ValueError):
        decode(text)


@given(st.text(ALPHABET, max_size=30))
def test_a_text_has_one_meaning(text: str) -> None:
    """What can be decoded is what is encoded from it."""
    try:
        data = decode(text)
    except ValueError:
        return
    assert encode(data) == text
