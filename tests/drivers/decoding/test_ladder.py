"""The ladder on hostile, empty and worn pictures, and frames to presentations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.decoding import engines, ladder, qr_layout
from drivers.decoding.history import History, Unread
from drivers.decoding.qr_layout import Format
from drivers.decoding.symbol import Symbol, Symbology
from tests.virtual import qr_codes, worn

FPS = 15


def told(frames: list[worn.Picture], history: History | None = None, start: float = 0.0) -> list[str]:
    """The texts that the frames present, in order."""
    history = history or History()
    seen = [s for n, frame in enumerate(frames) for s in history.see(frame, start + n / FPS)]
    return [s.text for s in seen if isinstance(s, Symbol)]


def turned(kind: str) -> worn.Worn:
    """A card whose bars stand at an angle that no engine reads as it is."""
    for seed in range(50):
        card = worn.worn(kind, 4, seed)
        if not ladder.read(card.picture, rungs=ladder.LADDER[:1]) and ladder.read(card.picture):
            return card
    raise AssertionError("no such card among 50")


@given(st.integers(0, 2**32 - 1), st.tuples(st.integers(1, 300), st.integers(1, 300)))
@settings(max_examples=25)
def test_random_pictures_hold_nothing(seed: int, shape: tuple[int, int]) -> None:
    """Any size and any noise end in no symbol."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (shape[0] // 4 + 1, shape[1] // 4 + 1), np.uint8)
    picture = coarse.repeat(4, 0).repeat(4, 1)[: shape[0], : shape[1]]
    assert [s for s in ladder.read(picture) if s.symbology is not Symbology.MICRO_QR] == []


@pytest.mark.parametrize("shape", [(0, 0), (0, 9), (1, 1), (1, 5000), (5000, 2), (3, 3, 3)])
def test_no_shape_is_too_odd(shape: tuple[int, ...]) -> None:
    """Empty, thin and coloured arrays are pictures without a code."""
    assert ladder.read(np.zeros(shape, np.uint8)) == ()


def test_a_poster_is_looked_at_in_bounded_size() -> None:
    """A picture of 40 megapixels costs what a camera's frame costs, and places are told in its own pixels."""
    card = worn.worn("qr", 0, 3)
    poster = np.full((5000, 8000), 255, np.uint8)
    poster[: 480 * 8, : 640 * 8] = card.picture.repeat(8, 0).repeat(8, 1)
    (symbol,) = ladder.read(poster)
    assert symbol.text == card.text
    assert max(x for x, _ in symbol.quad) > 1280


def test_the_clock_bounds_the_climb() -> None:
    """A picture whose time is spent after the first rung is left at that."""
    ticks = iter(range(1000))
    harder = turned("code128").picture
    assert ladder.read(harder, clock=lambda: float(next(ticks))) == ()
    assert next(ticks) == 2


def test_worn_cards_are_read_beyond_any_single_decoder() -> None:
    """Over all kinds and grades at least 15 points more than the better engine, and nothing misread."""
    ours = zxing = zbar = total = 0
    for kind in worn.KINDS:
        for grade in worn.GRADES:
            for seed in range(4):
                card = worn.worn(kind, grade, seed)
                every = frozenset(Symbology)
                got = {s.text for s in ladder.read(card.picture)}
                assert got <= {card.text}
                ours += bool(got)
                zxing += card.text in {s.text for s in engines.zxing(card.picture, every)}
                zbar += card.text in {s.text for s in engines.zbar(card.picture, every)}
                total += 1
    assert (ours - max(zxing, zbar)) / total >= 0.15


@pytest.mark.parametrize("kind", worn.KINDS)
def test_many_dark_frames_give_what_no_single_one_gives(kind: str) -> None:
    """Where noise hides the code in every frame, frames laid over each other show it."""
    frames, text = worn.dark_clip(kind, 1, 0.012)
    assert not any(ladder.read(frame) for frame in frames[::4])
    assert told(frames) == [text]


def test_a_worn_clip_is_presented_once() -> None:
    """A card in an unsteady hand is one presentation, however hard it is to read."""
    frames, text = worn.clip("ean13", 3, 2)
    assert told(frames) == [text]


def test_a_card_taken_away_and_shown_again_is_two_presentations() -> None:
    """Two seconds without it, and it counts again; another card counts at once."""
    history = History()
    first, second = worn.worn("qr", 0, 1), worn.worn("ean13", 0, 2)
    empty = list(worn.empty_frames(30, 1))
    assert told([first.picture] * 5, history) == [first.text]
    assert told([second.picture] * 5, history, 1.0) == [second.text]
    assert told(empty, history, 2.0) == []
    assert told([first.picture] * 5, history, 5.0) == [first.text]


def test_effort_tells_how_hard_it_was() -> None:
    """1 for a clean card, more for each rung and frame that failed."""
    clean, hard = worn.worn("qr", 0, 1).picture, turned("code128").picture
    (easy,) = History().see(clean, 0.0)
    assert isinstance(easy, Symbol)
    assert easy.effort == 1
    history = History()
    (laborious,) = (s for n in range(12) for s in history.see(hard, n / FPS))
    assert isinstance(laborious, Symbol)
    assert laborious.effort > 1


def test_a_code_that_stays_unread_is_told_once() -> None:
    """After three seconds of a located and unreadable code the cashier hears of it, once."""
    history, spoilt = History(), _spoilt()
    seen = [s for n in range(80) for s in history.see(spoilt, n / FPS)]
    assert seen == [Unread()]


def _spoilt() -> worn.Picture:
    """A code whose data modules are drawn by lot: found by every engine, and nothing to read in it."""
    dark = qr_codes.matrix(bytes(34), 2, Format(0, 0))
    rows, columns = qr_layout.data_places(2)
    dark[rows, columns] = np.random.default_rng(0).random(len(rows)) < 0.5
    canvas = np.full((480, 640), 200, np.uint8)
    code = qr_codes.picture(dark, 8)
    canvas[90 : 90 + len(code), 150 : 150 + len(code)] = code
    return canvas
