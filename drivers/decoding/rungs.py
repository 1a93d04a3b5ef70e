"""The rungs of the ladder, cheapest first. What each yields on real photographs is in docs/decisions."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from drivers.decoding import ean_model, ean_strip, engines, profile, qr_locate, qr_soft, views
from drivers.decoding.bars import Strip
from drivers.decoding.look import Look
from drivers.decoding.symbol import Gray, Sighting, Symbology, Wanted, quad_of

EANS: Final = frozenset({Symbology.EAN13, Symbology.EAN8})
QR: Final = frozenset({Symbology.QR})

SOFT_QUADS: Final = 3
"""Unread QR codes that soft decoding tries in one go: bounds the time."""
FINEST: Final = 0.85
"""Pixels of the picture that a bar code's module must have for a soft read: below there is nothing to read."""
LINES: Final = 400
SMALL: Final = 500
"""Pixels of the longest side up to which enlarging a picture is worth its time."""


class Rung(NamedTuple):
    """One way to look."""

    name: str
    climb: Callable[[Look], list[Sighting]]


def _plain(look: Look) -> list[Sighting]:
    return _both(look.picture, look.wanted)


def _levelled(look: Look) -> list[Sighting]:
    return _both(look.levelled, look.wanted)


def _both(picture: Gray, wanted: Wanted) -> list[Sighting]:
    return engines.zxing(picture, wanted.matrix, errors=True) + _linear(picture, wanted)


def _linear(picture: Gray, wanted: Wanted, *, upright: bool = False) -> list[Sighting]:
    """Bar codes; an EAN is followed by a look at what else its bars may say."""
    found = engines.zxing(picture, wanted.linear, upright=upright)
    read = {s.text for s in found if s.symbology in EANS}
    if not read:
        return found
    return found + [s for s in engines.zxing(picture, EANS, errors=True, upright=upright) if s.text not in read]


def _thresholded(look: Look) -> list[Sighting]:
    return engines.zxing(views.thresholded(look.picture), look.wanted.matrix, histogram=True, errors=True)


def _half(look: Look) -> list[Sighting]:
    found = _linear(look.half, look.wanted) + engines.zbar(look.half, look.wanted.symbologies & QR)
    return _moved(found, 2.0)


def _histogram(look: Look) -> list[Sighting]:
    return engines.zxing(look.picture, look.wanted.matrix, histogram=True)


def _sharpened(look: Look) -> list[Sighting]:
    return engines.zxing(views.sharpened(look.picture), look.wanted.matrix, errors=True)


def _darkened(look: Look) -> list[Sighting]:
    return engines.zxing(views.darkened(look.picture), look.wanted.matrix)


def _opened(look: Look) -> list[Sighting]:
    return engines.zxing(views.opened(look.picture), look.wanted.matrix)


def _enlarged(look: Look) -> list[Sighting]:
    if max(look.picture.shape) > SMALL:
        return []
    larger = views.scaled(look.picture, 1.5)
    return _moved(engines.zxing(larger, look.wanted.matrix) + _linear(larger, look.wanted), 1 / 1.5)


def _zbar(look: Look) -> list[Sighting]:
    return _by_zbar(look, look.wanted.symbologies)


def _doubtful(look: Look) -> list[Sighting]:
    """A second opinion of an EAN that was read and not believed."""
    doubted = any(s.valid and s.symbology in EANS for s in look.sightings)
    return _by_zbar(look, look.wanted.symbologies & EANS) if doubted else []


def _by_zbar(look: Look, wanted: frozenset[Symbology]) -> list[Sighting]:
    """ZBar counts scan lines: those of a small picture count as many as of one of LINES rows."""
    weight = max(1.0, LINES / min(look.picture.shape))
    return [replace(s, lines=int(s.lines * weight)) for s in engines.zbar(look.picture, wanted)]


def _soft_qr(look: Look) -> list[Sighting]:
    """Each place once where a QR code was located and not read."""
    found = []
    for unread in [s for s in look.sightings if s.symbology is Symbology.QR and not s.valid and s.version]:
        if len(look.tried) >= 2 * SOFT_QUADS or any(_same_place(unread, other) for other in look.tried):
            continue
        look.tried.append(unread)
        read = qr_soft.read(look.picture, unread.quad, unread.version)
        if read:
            found.append(read)
            break
    return found


def _same_place(one: Sighting, other: Sighting) -> bool:
    near = sum(abs(a - b) for p, q in zip(one.quad, other.quad, strict=True) for a, b in zip(p, q, strict=True)) / 8
    return one.version == other.version and near < 0.02 * max(one.width, one.height)


def _found_qr(look: Look) -> list[Sighting]:
    """Where QR codes may be that no engine has located: unread sightings for the soft rung."""
    if Symbology.QR not in look.wanted.symbologies:
        return []
    places = qr_locate.places(look.picture)
    return [Sighting(Symbology.QR, "", b"", place.quad, False, "locator", version=place.version) for place in places]


def _located(look: Look) -> list[Sighting]:
    """Bars at any angle, laid upright, for the engines."""
    found = []
    for strip in look.strips if look.wanted.linear else []:
        here = _linear(strip.picture, look.wanted, upright=True)
        found += [replace(s, quad=strip.placed(s.quad)) for s in here]
    return found


def _levelled_strips(look: Look) -> list[Sighting]:
    found = []
    for strip in look.strips if look.wanted.linear else []:
        here = _linear(views.levelled(strip.picture), look.wanted, upright=True)
        here += engines.zbar(strip.picture, look.wanted.linear)
        found += [replace(s, quad=strip.placed(s.quad)) for s in here]
    return found


def _soft_ean(look: Look) -> list[Sighting]:
    """The likeliest EAN-13 in the most prominent bars: beyond doubt, or what an engine has read there too."""
    if Symbology.EAN13 not in look.wanted.symbologies:
        return []
    lines = [line for strip in look.strips[:1] for line in profile.bands(profile.straightened(strip.picture))]
    reads = ean_strip.likely(lines)
    texts = {s.text for s in look.sightings if s.valid and s.symbology is Symbology.EAN13}
    found = ean_strip.sure(reads) or ean_strip.seconded(reads, texts)
    sighting = None if found is None else _sighting(found, look.strips[0])
    return [sighting] if sighting and sighting.width >= FINEST * ean_model.MODULES else []


def _sighting(found: ean_strip.Soft, strip: Strip) -> Sighting:
    left, right = sorted((float(found.laid.at[0]), float(found.laid.at[-1])))
    height = len(strip.picture)
    quad = strip.placed([(left, 0), (right, 0), (right, height), (left, height)])
    return Sighting(Symbology.EAN13, found.digits, found.digits.encode(), quad, True, "soft")


def _moved(found: list[Sighting], factor: float) -> list[Sighting]:
    return [replace(s, quad=quad_of([(x * factor, y * factor) for x, y in s.quad])) for s in found]


RUNGS: Final = {
    name: Rung(name, climb)
    for name, climb in (
        ("plain", _plain),
        ("levelled", _levelled),
        ("thresholded", _thresholded),
        ("located", _located),
        ("doubtful", _doubtful),
        ("half", _half),
        ("soft_qr", _soft_qr),
        ("sharpened", _sharpened),
        ("opened", _opened),
        ("histogram", _histogram),
        ("enlarged", _enlarged),
        ("found_qr", _found_qr),
        ("levelled_strips", _levelled_strips),
        ("soft_ean", _soft_ean),
        ("darkened", _darkened),
        ("zbar", _zbar),
    )
}
_ORDER: Final = (
    *("plain", "levelled", "thresholded", "located", "doubtful", "half", "soft_qr", "sharpened", "opened"),
    *("histogram", "enlarged"),
    *("soft_qr", "levelled_strips", "zbar", "soft_ean", "found_qr", "soft_qr", "darkened"),
)
LADDER: Final = tuple(RUNGS[name] for name in _ORDER)
"""Soft QR decoding comes again wherever new places have been found."""
