"""QR codes down to their modules: layout, bit streams, and soft reads of damaged ones."""

import numpy as np
import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.decoding import ladder, qr_layout, qr_soft, qr_text
from drivers.decoding.qr_layout import Format
from tests.virtual import qr_codes, worn


@pytest.mark.parametrize("version", [1, 2, 6, 7, 10, 14, 21, 32, 40])
@pytest.mark.parametrize("level", range(4))
def test_the_layout_is_that_of_another_encoder(version: int, level: int) -> None:
    """Every function pattern, format bit, mask and block of a code made by segno is where we look for it."""
    code = segno.make("Hi 42", version=version, error="lmqh"[level], boost_error=False, micro=False)
    theirs = np.array([[bool(module) for module in row] for row in code.matrix])
    soft = np.where(theirs, 1.0, -1.0).astype(np.float32)
    assert qr_soft.formats(soft)[0] == Format(level, code.mask)
    found = qr_soft.decoded(iter([soft]), version)
    assert found is not None
    assert found.content.text == "Hi 42"


@given(st.binary(max_size=80), st.integers(1, 40))
def test_any_bytes_are_text_or_refused(data: bytes, version: int) -> None:
    """The bit stream of a hostile code ends in a text or in Unparseable."""
    try:
        content = qr_text.content_of(data, version)
    except qr_text.Unparseable:
        return
    assert len(content.text) <= 8 * len(data)


@given(st.binary(min_size=34, max_size=34), st.sampled_from(range(8)))
@settings(max_examples=25)
def test_odd_bit_streams_harm_nobody(data: bytes, mask: int) -> None:
    """A valid symbol with a senseless bit stream stops no engine and no rung."""
    version, wanted = 2, Format(0, mask)
    dark = qr_codes.matrix(data[: qr_codes.capacity(version, 0)], version, wanted)
    for symbol in ladder.read(qr_codes.picture(dark)):
        assert len(symbol.text) <= 7089


@pytest.mark.parametrize(
    ("text", "mode"), [("0012345", "numeric"), ("LC-77 A", "alphanumeric"), ("äöü€", "byte"), ("点茗", "kanji")]
)
def test_every_mode_is_read(text: str, mode: str) -> None:
    """Leading zeros, letters, UTF-8 and kanji arrive as they were written."""
    code = segno.make(text, mode=mode, micro=False, error="m", encoding="utf-8" if mode == "byte" else None)
    soft = np.where(np.array([[bool(m) for m in row] for row in code.matrix]), 1.0, -1.0).astype(np.float32)
    found = qr_soft.decoded(iter([soft]), int(code.version))
    assert found is not None
    assert found.content.text == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Café à Nîmes".encode(), "Café à Nîmes"),
        ("Café à Nîmes".encode("iso8859-1"), "Café à Nîmes"),
        ("Große Straße 17".encode("iso8859-1"), "Große Straße 17"),
        ("点数カード".encode("shift_jis"), "点数カード"),
        ("ﾎﾟｲﾝﾄ 17".encode("shift_jis"), "ﾎﾟｲﾝﾄ 17"),
    ],
)
def test_bytes_without_a_charset_are_read_as_zxing_reads_them(raw: bytes, text: str) -> None:
    """A worn code must say what it said when it was new, and scanners guess: UTF-8, Japanese, then western."""
    code = segno.make(raw, mode="byte", micro=False, error="m", eci=False)
    soft = np.where(np.array([[bool(m) for m in row] for row in code.matrix]), 1.0, -1.0).astype(np.float32)
    found = qr_soft.decoded(iter([soft]), int(code.version))
    assert found is not None
    assert found.content.text == text
    assert {symbol.text for symbol in ladder.read(qr_codes.picture(soft > 0))} == {text}


def test_noise_is_never_a_code() -> None:
    """Modules of pure chance give nothing, however often they are tried."""
    rng = np.random.default_rng(1)
    for version in (1, 2, 3):
        size = qr_layout.size_of(version)
        noise = [rng.uniform(-1, 1, (size, size)).astype(np.float32) for _ in range(40)]
        assert qr_soft.decoded(iter(noise), version) is None


def test_a_covered_finder_is_no_obstacle() -> None:
    """A finger over one of the three finder patterns, where scan lines find nothing, costs nothing."""
    read = 0
    for seed in range(6):
        card = worn.worn("qr", 0, seed)
        dark = segno.make(card.text, error="m", micro=False, boost_error=False)
        modules = np.array([[bool(m) for m in row] for row in dark.matrix])
        modules[:7, :7] = False
        canvas = np.full((480, 640), 120, np.uint8)
        code = qr_codes.picture(modules, 7)
        canvas[60 : 60 + len(code), 90 : 90 + len(code)] = code
        read += any(s.text == card.text for s in ladder.read(canvas))
    assert read >= 5
