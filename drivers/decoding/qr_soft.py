"""A damaged QR code from soft module values: the least certain codewords are erased, Reed-Solomon mends the rest.

A read is believed when what it left unused of the check codewords, and the padding, could hardly be chance.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from drivers.decoding import galois, qr_grid, qr_layout, qr_text
from drivers.decoding.qr_layout import Format
from drivers.decoding.symbol import Gray, Quad, Sighting, Symbology

Array = npt.NDArray[np.float32]

BIGGEST: Final = 20
"""Version: what a card carries is far smaller; bounds the time."""
WORST_FIT: Final = 0.45
"""Correlation of the function patterns below which no grid was found."""
GOOD_FIT: Final = 0.75
"""No other version correlates as well."""
ERASED: Final = (0.0, 0.3, 0.5, 0.75, 1.0)
"""Parts of the check codewords, less two, that are spent on erasures."""
EQUALISED: Final = (0.0, 0.12, 0.25)
"""How much of its four neighbours' blur is taken out of a module."""
ENOUGH: Final = 28.0
"""Bits of evidence: a wrong read in 10 million grids, after all the attempts that are made on each."""


class _Mended(NamedTuple):
    words: list[int]
    evidence: float


class SoftQr(NamedTuple):
    """What was read, and the bits of evidence for it."""

    content: qr_text.Content
    evidence: float


def read(picture: Gray, quad: Quad, version: int) -> Sighting | None:
    """The QR code that was located at `quad` and could not be read otherwise; None when it cannot be read here."""
    grid = _grid(picture, quad, version)
    if grid is None:
        return None
    found = decoded(_views(grid), grid.version)
    if found is None:
        return None
    return Sighting(Symbology.QR, found.content.text, found.content.raw, quad, True, "soft", version=grid.version)


def _grid(picture: Gray, quad: Quad, version: int) -> qr_grid.Grid | None:
    """Of the version that fits best: engines miscount worn timing patterns by one version."""
    best = None
    for v in (version, version - 1, version + 1):
        if 1 <= v <= BIGGEST and version and (best is None or best.fit < GOOD_FIT):
            grid = qr_grid.laid(picture, quad, v)
            best = grid if best is None or grid.fit > best.fit else best
    return best if best is not None and best.fit >= WORST_FIT else None


def _views(grid: qr_grid.Grid) -> Iterator[Array]:
    """Soft values of the same grid, laid stiff and elastic, and with blur taken out."""
    for elastic in (False, True):
        values = qr_grid.modules(grid, elastic=elastic)
        for amount in EQUALISED:
            yield qr_grid.softened(_equalised(values, amount))


def _equalised(values: Array, amount: float) -> Array:
    if not amount:
        return values
    cross = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4
    around = cv2.filter2D(values, -1, cross, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(values + 4 * amount * (values - around), np.float32)


def decoded(views: Iterator[Array], version: int) -> SoftQr | None:
    """The first believable read of any view (each -1 light to 1 dark); blocks mended in one view serve the others."""
    mended: dict[tuple[Format, int], _Mended] = {}
    for soft in views:
        for wanted in formats(soft):
            words, trust = codewords(soft, version, wanted)
            blocks = qr_layout.blocks(version, wanted.level)
            for i, block in enumerate(blocks):
                if (wanted, i) not in mended and (
                    found := _mended(words[block.places], trust[block.places], block.checks)
                ):
                    mended[wanted, i] = found
            whole = [mended[wanted, i] for i in range(len(blocks)) if (wanted, i) in mended]
            if len(whole) == len(blocks) and (read := _believed(whole, blocks, version)):
                return read
    return None


def formats(soft: Array, most: int = 2) -> list[Format]:
    """The likeliest by both copies; a second one only when it is close."""
    first, second = qr_layout.format_places(len(soft))
    seen = np.array([soft[a] + soft[b] for a, b in zip(first, second, strict=True)])
    scores = [(float(seen @ (2 * np.array(bits) - 1)), found) for found, bits in qr_layout.format_words()]
    scores.sort(key=lambda s: -s[0])
    best = scores[0][0]
    return [found for score, found in scores[:most] if score > 0.7 * best]


def codewords(soft: Array, version: int, wanted: Format) -> tuple[npt.NDArray[np.int_], Array]:
    """The codewords by hard decision, and how far each is to be trusted (higher is surer)."""
    rows, columns = qr_layout.data_places(version)
    turned = np.where(qr_layout.mask_map(version, wanted.mask), -soft, soft)[rows, columns]
    bits = turned[: len(turned) // 8 * 8].reshape(-1, 8)
    words = np.packbits(bits > 0, axis=1)[:, 0].astype(int)
    return words, -np.log1p(np.exp(-6 * np.abs(bits))).sum(1)


def _mended(words: npt.NDArray[np.int_], trust: Array, checks: int) -> _Mended | None:
    order = np.argsort(trust)
    for part in ERASED:
        erased = [int(i) for i in order[: int(part * (checks - 2))]]
        try:
            whole, errors = galois.corrected([int(w) for w in words], checks, erased)
        except galois.Uncorrectable:
            continue
        evidence = 8.0 * (checks - len(erased) - errors) - math.log2(math.comb(len(words) - len(erased), errors))
        if evidence > 4:
            return _Mended(whole[:-checks], evidence)
    return None


def _believed(whole: Sequence[_Mended], blocks: Sequence[qr_layout.Block], version: int) -> SoftQr | None:
    data = bytes(word for block in whole for word in block.words)
    try:
        content = qr_text.content_of(data, version)
    except qr_text.Unparseable:
        return None
    evidence = sum(block.evidence for block in whole) + min(content.padding, 32) - 5 * len(blocks)
    return SoftQr(content, evidence) if evidence >= ENOUGH and content.text else None
