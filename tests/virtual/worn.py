"""Cards with a code on them, worn as pockets, keys and years wear them, and held before a camera.

Everything follows from a seed: the same card is worn the same way on every machine. Grade 0 is new, 5 is a card that
a person would hardly try. The wear is our own model of it, not measured on real cards.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import segno
import zxingcpp

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

GRADES: Final = range(6)
KINDS: Final = ("qr", "ean13", "code128")
FRAME: Final = (480, 640)
"""Rows and columns of a frame."""


@dataclass(frozen=True)
class Worn:
    """A frame with one code, and what it says."""

    picture: Picture
    kind: str
    text: str
    grade: int


def text_of(kind: str, rng: np.random.Generator) -> str:
    """A loyalty card's number, or the address that a shop prints."""
    digits = "".join(str(d) for d in rng.integers(0, 10, 12))
    if kind == "ean13":
        return digits + str(-sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10)
    if kind == "code128":
        return "LC" + digits[:8]
    return f"https://shop.example/c/{digits}" if rng.random() < 0.5 else "299" + digits[:9]


def printed(kind: str, text: str, rng: np.random.Generator) -> Picture:
    """The code in black on white with its quiet zone, 8 pixels a module."""
    if kind == "qr":
        code = segno.make(text, error=str(rng.choice(["l", "m", "q"])), micro=False, boost_error=False)
        dark = np.array([[bool(module) for module in row] for row in code.matrix])
        return np.pad(np.where(dark, 0, 255).astype(np.uint8), 4, constant_values=255).repeat(8, 0).repeat(8, 1)
    named = {"ean13": zxingcpp.BarcodeFormat.EAN13, "code128": zxingcpp.BarcodeFormat.Code128}[kind]
    bars = np.array(zxingcpp.create_barcode(text, named).to_image(scale=1))[:1]
    dark_columns = np.nonzero(bars[0] < 128)[0]
    row = np.pad(bars[0, dark_columns[0] : dark_columns[-1] + 1], 11, constant_values=255)
    return row[None].repeat(44 * 8, 0).repeat(8, 1).astype(np.uint8)


HARSH: Final = 0.6
"""How much wear a grade adds: grade 5 leaves the best single decoder one card in ten."""


def worn_card(kind: str, grade: int, seed: int) -> tuple[Picture, str]:
    """The card itself, 8 pixels a module: scratched, stained, faded and cracked, before any camera looks at it."""
    rng = np.random.default_rng((seed, grade, KINDS.index(kind)))
    text = text_of(kind, rng)
    card = printed(kind, text, rng).astype(np.float32)
    for wear in (_faded, _stained, _scratched, _cracked):
        card = wear(card, grade * HARSH, rng)
    return np.clip(card, 0, 255).astype(np.uint8), text


def worn(kind: str, grade: int, seed: int) -> Worn:
    """One frame of a worn card."""
    card, text = worn_card(kind, grade, seed)
    rng = np.random.default_rng((seed, grade, KINDS.index(kind), 1))
    return Worn(seen(card, grade, rng), kind, text, grade)


def clip(kind: str, grade: int, seed: int, frames: int = 24) -> tuple[list[Picture], str]:
    """Frames of one card in an unsteady hand: it moves, the glare wanders, the noise is new in each."""
    card, text = worn_card(kind, grade, seed)
    pose = np.random.default_rng((seed, grade, KINDS.index(kind), 2)).integers(0, 2**31)
    made = []
    for number in range(frames):
        rng = np.random.default_rng(pose)
        made.append(seen(card, grade, rng, moment=np.random.default_rng((pose, number)), at=number / frames))
    return made, text


def dark_clip(kind: str, seed: int, light: float, frames: int = 12) -> tuple[list[Picture], str]:
    """A new card held still where there is hardly any light: `light` is the part of full white that is left."""
    card, text = worn_card(kind, 0, seed)
    rng = np.random.default_rng((seed, KINDS.index(kind), 3))
    still = seen(card, 0, rng).astype(np.float32)
    noisy = [rng.poisson(still * light * 3) / 3 + rng.normal(2, 1.5, still.shape) for _ in range(frames)]
    return [np.clip(np.roll(frame, n % 3, axis=1), 0, 255).astype(np.uint8) for n, frame in enumerate(noisy)], text


def empty_frames(count: int, seed: int) -> Iterator[Picture]:
    """A counter with nothing on it: smooth light, a little texture, noise."""
    rng = np.random.default_rng(seed)
    base = cv2.GaussianBlur(rng.normal(120, 60, FRAME).astype(np.float32), (0, 0), 25) + 20
    for _ in range(count):
        yield np.clip(base + rng.normal(0, 2.0, FRAME), 0, 255).astype(np.uint8)


def seen(
    card: Picture,
    grade: int,
    rng: np.random.Generator,
    moment: np.random.Generator | None = None,
    at: float = 0.5,
) -> Picture:
    """The card in a frame: bent, turned, lit, blurred and noisy. `moment` is what differs from frame to frame."""
    moment = moment or rng
    frame = _placed(_bent(card, grade, rng), grade, rng, moment)
    frame = _lit(frame, grade, rng, at)
    blur = rng.uniform(0.3, 0.5) + 0.28 * grade * rng.random() ** 2
    frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), blur), np.float32)
    return np.clip(frame + moment.normal(0, 1.5 + 1.2 * grade, FRAME), 0, 255).astype(np.uint8)


def _faded(card: Floats, grade: float, rng: np.random.Generator) -> Floats:
    """Ink gone grey, unevenly."""
    left = 1 - 0.13 * grade * rng.random()
    patch = cv2.resize(rng.random((4, 4)).astype(np.float32), card.shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(255 - (255 - card) * np.clip(left - 0.1 * grade * patch * rng.random(), 0.15, 1), np.float32)


def _stained(card: Floats, grade: float, rng: np.random.Generator) -> Floats:
    """Coffee and ink: dark blots that let something through, and rubbed-off white ones."""
    height, width = card.shape
    for _ in range(rng.poisson(0.7 * grade)):
        mask = np.zeros(card.shape, np.float32)
        centre = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
        axes = tuple(int(a) for a in rng.uniform(0.03, 0.05 + 0.025 * grade, 2) * min(card.shape) + 2)
        cv2.ellipse(mask, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 4), np.float32) * rng.uniform(0.5, 1.0)
        card = card * (1 - mask) + mask * (30.0 if rng.random() < 0.5 else 245.0)
    return card


def _scratched(card: Floats, grade: float, rng: np.random.Generator) -> Floats:
    height, width = card.shape
    for _ in range(rng.poisson(3 * grade)):
        a = rng.uniform(0, 1, 2) * (width, height)
        angle, length = rng.uniform(0, np.pi), rng.uniform(0.2, 1.0) * max(card.shape)
        b = a + length * np.array([np.cos(angle), np.sin(angle)])
        shade = float(rng.choice([250.0, 235.0, 60.0], p=[0.5, 0.3, 0.2]))
        cv2.line(
            card,
            tuple(a.astype(int).tolist()),
            tuple(b.astype(int).tolist()),
            shade,
            int(rng.integers(1, 3 + int(grade))),
        )
    return card


def _cracked(card: Floats, grade: float, rng: np.random.Generator) -> Floats:
    """A fold: a jagged line of lost print."""
    height, width = card.shape
    for _ in range(rng.poisson(0.25 * grade)):
        x = float(rng.uniform(0.1, 0.9) * width)
        points = [(int(x := x + rng.normal(0, 4)), y) for y in range(0, height + 12, 12)]
        cv2.polylines(card, [np.array(points, np.int32)], False, 240.0, int(rng.integers(2, 5 + int(grade))))
    return card


def _bent(card: Picture, grade: int, rng: np.random.Generator) -> Picture:
    """A card bowed in a wallet: rows and columns pushed by a long wave."""
    height, width = card.shape
    deep = 0.012 * grade * rng.random()
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    wave = (rng.uniform(0.5, 1.2, 2), rng.uniform(0, 6.3, 2))
    dx = width * deep * np.sin(wave[0][0] * np.pi * x / width + wave[1][0]) * np.sin(np.pi * y / height)
    dy = height * deep * np.sin(wave[0][1] * np.pi * x / width + wave[1][1])
    moved = cv2.remap(card, (x + dx).astype(np.float32), (y + dy).astype(np.float32), cv2.INTER_LINEAR, borderValue=255)
    return np.asarray(moved, np.uint8)


def _placed(card: Picture, grade: int, rng: np.random.Generator, moment: np.random.Generator) -> Floats:
    """On a counter, turned and tilted: a third of the frame or more."""
    height, width = card.shape
    scale = rng.uniform(0.4, 0.9) * min(FRAME[1] / width, FRAME[0] / height)
    angle = rng.normal(0, 6 + 5 * grade) + moment.normal(0, 0.5)
    centre = np.array([FRAME[1] / 2, FRAME[0] / 2]) + moment.normal(0, 2, 2)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(angle), float(scale))
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    target = corners @ turn[:, :2].T + turn[:, 2] - (width / 2, height / 2) + centre
    target += rng.normal(0, 0.02 * grade * scale * min(card.shape) / 2, (4, 2))
    matrix = cv2.getPerspectiveTransform(corners, target.astype(np.float32))
    back = rng.uniform(60, 190)
    frame = np.full(FRAME, back, np.float32)
    shape = FRAME[::-1]
    laid = cv2.warpPerspective(card, matrix, shape, flags=cv2.INTER_AREA)
    inside = cv2.warpPerspective(np.ones_like(card), matrix, shape, flags=cv2.INTER_NEAREST)
    return np.where(inside > 0, laid, frame).astype(np.float32)


def _lit(frame: Floats, grade: int, rng: np.random.Generator, at: float) -> Floats:
    """Light from one side, and for worn cards a lamp mirrored in the plastic that wanders as the hand moves."""
    rows, columns = np.indices(FRAME, np.float32)
    slant = rng.uniform(-0.08, 0.08, 2) * grade
    frame = frame * (0.85 + slant[0] * (columns / FRAME[1] - 0.5) + slant[1] * (rows / FRAME[0] - 0.5))
    if rng.random() < 0.12 * grade:
        x = FRAME[1] * (rng.uniform(0.3, 0.7) + 0.5 * (at - 0.5))
        y = FRAME[0] * rng.uniform(0.35, 0.65)
        wide = rng.uniform(15, 25 + 8 * grade)
        frame = frame + 200 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * wide**2))
    return np.asarray(frame, np.float32)
