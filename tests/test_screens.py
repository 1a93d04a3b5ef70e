"""The pictures of the docs: small, there where a page shows them, and loading nothing from elsewhere."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docs.screens import FOLDER, MOST_BYTES, SVG
from docs.small_png import COLOURS, small_png

cv2 = pytest.importorskip("cv2")

ROOT = FOLDER.parent.parent
PICTURES = re.compile(r"!\[[^\]]+\]\(([^)]+)\)")


def read(data: bytes) -> Any:
    """By somebody else's reader: rows of RGB."""
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, COLOURS), st.integers(0, 2**32 - 1))
def test_few_colours_are_kept_exactly(width: int, height: int, colours: int, seed: int) -> None:
    """Whatever the picture's form."""
    chance = np.random.default_rng(seed)
    palette = chance.integers(0, 256, (colours, 3), dtype=np.uint8)
    pixels = palette[chance.integers(0, colours, (height, width))]
    assert (read(small_png(pixels)) == pixels).all()


def test_many_colours_become_the_nearest_common_ones() -> None:
    """The common colours stay as they are; no pixel goes far."""
    chance = np.random.default_rng(1)
    pixels = np.full((80, 80, 3), 250, dtype=np.uint8)
    pixels[:20] = chance.integers(0, 64, (20, 80, 3), dtype=np.uint8)
    shown = read(small_png(pixels))
    assert (shown[20:] == 250).all()
    assert np.abs(shown[:20].astype(int) - pixels[:20]).max() < 64
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) <= COLOURS


def test_the_pictures_that_pages_show_are_there() -> None:
    """Each with words for those who do not see it, and small enough to be read on a slow line."""
    pages = [ROOT / "README.md", FOLDER / "README.md", *(ROOT / "docs").glob("*.md")]
    shown = {(page.parent / target).resolve() for page in pages for target in PICTURES.findall(page.read_text())}
    assert {path for path in shown if not path.is_file()} == set()
    assert {path for path in FOLDER.iterdir() if path.suffix in {".png", ".svg"}} <= shown
    assert all(path.stat().st_size < MOST_BYTES for path in FOLDER.iterdir())


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.svg")), ids=lambda path: Path(path).name)
def test_a_drawing_loads_nothing(path: Path) -> None:
    """No font, no picture and no script from anywhere."""
    for text in (path.read_text(), SVG):
        assert re.findall(r"(?:href|src)\s*=|@import|url\((?!#)|<script|<image|<use", text) == []
