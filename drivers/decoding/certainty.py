"""When a sighting is certain enough to be a customer's card. Pure rules, measured on photographs (docs/decisions).

A wrong number is worse than none: the points would go to a stranger.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from drivers.decoding.symbol import MATRIX, Sighting, Symbology, Wanted

SHORTEST: Final = 4
"""Characters of a bar code without fixed length: shorter ones are found in stripes of any kind."""
ZBAR_LINES: Final = 40
"""Scan lines from which no EAN of ZBar's was wrong in 1,000."""
VALID_WEIGHS: Final = 3.0
"""How much more the height of a valid EAN counts than that of one whose check digit is wrong."""
SHORT_FORM_HEIGHT: Final = 0.28
"""Part of its width over which a UPC-E must read the same: half of it is guesswork, and wrong ones reached 0.24."""
THIN: Final = 0.07
"""Part of its width: an EAN read the same over less is read twice."""
CLEARLY: Final = 3.0
"""How many times as tall as another valid EAN of the same bars one must be: the taller alone was wrong at times."""
REACH: Final = 0.5
"""Part of its width by which bars may go on above and below what was read of them (GS1 General Specifications 5.2:
nominally they are 0.7 as high as wide)."""
SPARE: Final = 0.1
"""Part of a PDF417's error correction that must be left: with erasures for all of it any letters come out."""
AGREEING_LINES: Final = 8.0
"""Pixels along the bars over which a code without check digit must read the same."""


def certain(sighting: Sighting, others: Sequence[Sighting], wanted: Wanted) -> bool:
    """Whether to believe it. `others` is everything else that was sighted in this picture, errors included."""
    if not sighting.valid or not sighting.text or sighting.symbology not in wanted.symbologies:
        return False
    if sighting.symbology in MATRIX:
        return _matrix(sighting)
    rule = _RULES.get(sighting.symbology, _vouched_for)
    return rule(sighting, others) and _of_wanted_length(sighting, wanted)


def _matrix(sighting: Sighting) -> bool:
    """Reed-Solomon holds, and something of it is left; ZBar guesses at letters beyond ASCII, often wrongly."""
    if sighting.symbology is Symbology.PDF417 and sighting.spare is not None and sighting.spare < SPARE:
        return False
    return sighting.engine != "zbar" or sighting.text.isascii()


def _of_wanted_length(sighting: Sighting, wanted: Wanted) -> bool:
    if sighting.symbology is Symbology.ITF:
        return len(sighting.text) in wanted.itf_lengths
    return len(sighting.text) >= SHORTEST


def _ean(sighting: Sighting, others: Sequence[Sighting]) -> bool:
    """The check digit holds and nothing else was read of the same bars; else another engine and the height must speak
    for it.

    The check digit alone passes one wrong read in ten, and zxing-cpp has read a wrong number over half the bars'
    height: what tells is that a few scan lines gave yet another text, right or wrong.
    """
    if not check_digit_holds(sighting.text):
        return False
    if sighting.engine == "soft":
        return _by_both_engines(sighting, others) or not any(rival.valid for rival in _rivals(sighting, others))
    if sighting.short_form and sighting.height < SHORT_FORM_HEIGHT * sighting.width:
        return _by_both_engines(sighting, others)
    if sighting.engine == "zbar":
        return sighting.lines >= ZBAR_LINES or _by_both_engines(sighting, others)
    if sighting.height < THIN * sighting.width:
        return _by_both_engines(sighting, others)
    rivals, height = _rivals(sighting, others), sighting.height * VALID_WEIGHS
    if rivals and not sighting.short_form and not _by_both_engines(sighting, others):
        return False
    return all(_weight(rival) <= height for rival in rivals)


def _weight(other: Sighting) -> float:
    return other.height * (CLEARLY * VALID_WEIGHS if other.valid else 1.0)


def _rivals(sighting: Sighting, others: Sequence[Sighting]) -> list[Sighting]:
    return [other for other in others if _contradicts(sighting, other)]


def _contradicts(sighting: Sighting, other: Sighting) -> bool:
    same_kind = other.symbology in {Symbology.EAN13, Symbology.EAN8}
    return same_kind and other.engine == "zxing" and other.text != sighting.text and overlap(sighting, other, REACH)


def overlap(one: Sighting, other: Sighting, reach: float = 0.0) -> bool:
    """Whether the upright boxes around both share a point, one's bars made longer by `reach` of its width."""
    left, top, right, bottom = _box(_lengthened(one, reach))
    other_left, other_top, other_right, other_bottom = _box(other)
    return left <= other_right and other_left <= right and top <= other_bottom and other_top <= bottom


def _lengthened(sighting: Sighting, reach: float) -> Sighting:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = sighting.quad
    x, y = -(by - ay) * reach, (bx - ax) * reach  # along the bars, as far as what was read is level
    return replace(sighting, quad=((ax - x, ay - y), (bx - x, by - y), (cx + x, cy + y), (dx + x, dy + y)))


def _box(sighting: Sighting) -> tuple[float, float, float, float]:
    xs, ys = [x for x, _ in sighting.quad], [y for _, y in sighting.quad]
    return min(xs), min(ys), max(xs), max(ys)


def _long_enough(sighting: Sighting, _others: Sequence[Sighting]) -> bool:
    """Its own check characters (modulo 103, or twice modulo 47) are strong; only very short ones are phantoms."""
    return len(sighting.text) >= SHORTEST


def _vouched_for(sighting: Sighting, others: Sequence[Sighting]) -> bool:
    """Read over enough of the bars' height, or by both engines: for codes without a check digit of their own."""
    if sighting.engine == "zxing" and sighting.height >= AGREEING_LINES:
        return True
    return _by_both_engines(sighting, others)


def _by_both_engines(sighting: Sighting, others: Sequence[Sighting]) -> bool:
    return any(
        other.valid and other.text == sighting.text and other.engine != sighting.engine and overlap(sighting, other)
        for other in others
    )


def check_digit_holds(digits: str) -> bool:
    """GS1 General Specifications 7.9.1: weights 3 and 1 from the right, for 8, 12, 13 or 14 digits."""
    if not digits.isdecimal() or not digits.isascii():
        return False
    return sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(reversed(digits))) % 10 == 0


_RULES: Final[Mapping[Symbology, Callable[[Sighting, Sequence[Sighting]], bool]]] = {
    Symbology.EAN13: _ean,
    Symbology.EAN8: _ean,
    Symbology.CODE128: _long_enough,
    Symbology.CODE93: _long_enough,
}
"""Code 39, Codabar and ITF have to be vouched for."""
