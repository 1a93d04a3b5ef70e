"""Claim codes as people type and scan them, and the small formats that they are made of."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue import base45, plain_cbor, typed_lines
from offline_queue.claim_codes import PREFIX, Code, Unreadable, read, read_bytes
from tests.fuzz.hostile import bent, bounded, thoroughly
from tests.offline_queue.claimed import PUBLIC, code_of, on_card, sold

CODES = [code_of(on_card()), code_of(sold())]
SCANNED = [code.text.encode() for code in CODES]
TYPED = ["\n".join(code.lines).encode() for code in CODES] + [" ".join(code.lines).encode() for code in CODES]


def text_of(data: bytes) -> str:
    """As a keyboard or a scanner would deliver it, surrogates and all."""
    return data.decode("utf-8", "surrogateescape")


def found_in(text: str) -> Code | None:
    try:
        return read(text)
    except Unreadable:
        return None


@thoroughly
@given(text=bent(SCANNED).map(text_of) | bent(TYPED).map(text_of) | st.text(max_size=3000))
def test_codes_in_either_form(text: str) -> None:
    """A code is read, or it is said where it is wrong; what is read was signed by nobody but its till."""
    with bounded():
        found = found_in(text)
        if found is None:
            return
        told = found.raw in [code.raw for code in CODES]
        assert found.proven([PUBLIC]) is told
        assert read(found.text).raw == found.raw == read("\n".join(found.lines)).raw


@thoroughly
@given(raw=bent([code.raw for code in CODES]) | st.binary(max_size=600))
def test_codes_as_bytes(raw: bytes) -> None:
    """The same below base45 and the typed lines."""
    with bounded(), suppress(Unreadable):
        assert isinstance(read_bytes(raw), Code)


@thoroughly
@given(data=bent([code.raw[1:] for code in CODES]) | st.binary(max_size=300))
def test_cbor(data: bytes) -> None:
    """One form for one value: whatever is read is written the same way."""
    with bounded(), suppress(ValueError):
        assert plain_cbor.encode(plain_cbor.decode(data)) == data


@pytest.mark.parametrize(("decode", "error"), [(base45.decode, ValueError), (typed_lines.decode, typed_lines.Mistyped)])
@thoroughly
@given(text=st.text(max_size=300) | bent([*SCANNED, *TYPED]).map(text_of))
def test_writings(decode: Callable[[str], bytes], error: Any, text: str) -> None:
    """Only their own error."""
    with bounded(), suppress(error):
        assert isinstance(decode(text.removeprefix(PREFIX)), bytes)
