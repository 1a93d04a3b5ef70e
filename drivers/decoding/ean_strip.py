"""A soft read of the EAN-13 in a line of bars: where it starts and ends, what it says, how sure that is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from drivers.decoding import ean_model, ean_trellis
from drivers.decoding.ean_model import BLURS, DIGIT, MODULES, PER_MODULE, QUIET, SAMPLES, Array, Blur
from drivers.decoding.ean_trellis import Best
from drivers.decoding.profile import darkened

_PLACES: Final = (np.arange(SAMPLES, dtype=np.float32) + 0.5) / PER_MODULE - QUIET
"""In modules from the first bar."""
_T: Final = _PLACES / MODULES * 2 - 1
_BASIS: Final = np.stack([np.ones_like(_T), _T, _T**2, _T**3]).astype(np.float32)
ENDS: Final = 6
"""Candidates for either end."""
WORTH_READING: Final = 0.4
"""Quick misfit; no code that was read had more than 0.35."""
SIEVE: Final = (BLURS[1], BLURS[3])


@dataclass(frozen=True, slots=True)
class Laid:
    """A line of darkness and where in it each sample of a code lies."""

    line: Array
    at: Array

    def samples(self) -> Array:
        """Darkness at the code's sample places, light evened out."""
        return np.interp(self.at, np.arange(len(self.line), dtype=np.float32), self.line).astype(np.float32)

    def turned(self) -> "Laid":
        """The code read from its other end."""
        return Laid(self.line, self.at[::-1])


class Soft(NamedTuple):
    """A soft read with what tells whether to believe it."""

    digits: str
    misfit: float
    margin: float
    """Log-likelihood ratio to the next code, if the misfit were white noise."""
    excess: float
    """Likewise to the best code of whatever check digit."""
    blur: Blur
    laid: Laid


def candidates(line: Array, most: int = 4) -> list[tuple[float, Laid]]:
    """Where a code may lie, either way round, with the misfit of a quick look; best first."""
    line = darkened(line)
    starts, ends = _edges(line, forward=True), _edges(line, forward=False)
    found = []
    for start in starts:
        for end in ends:
            if end - start > 0.3 * len(line):
                found += [Laid(line, at) for at in _bows(start, end)]
    if not found:
        return []
    x = np.arange(len(line), dtype=np.float32)
    samples = np.stack([np.interp(laid.at, x, line) for laid in found]).astype(np.float32)
    both = np.concatenate([samples, samples[:, ::-1]])
    misfits = np.minimum(*(_quick(_standardised(both, blur), blur) for blur in SIEVE))
    order = [i for i in np.argsort(misfits)[:most] if misfits[i] < WORTH_READING]
    return [(float(misfits[i]), found[i] if i < len(found) else found[i - len(found)].turned()) for i in order]


def _bows(start: float, end: float) -> list[Array]:
    t = (_PLACES / MODULES).astype(np.float32)
    straight = start + (end - start) * t
    module = (end - start) / MODULES
    return [straight + (4 * module * bow * t * (1 - t)).astype(np.float32) for bow in (-2.0, -1.0, 0.0, 1.0, 2.0)]


def _edges(line: Array, *, forward: bool) -> list[float]:
    """Places in the line where it turns from quiet and light to busy, likeliest first."""
    z = line if forward else line[::-1]
    w = max(6, len(z) // 24)
    soft = np.convolve(z, np.ones(3, np.float32) / 3, "same")
    rise = np.diff(soft, prepend=soft[0])
    peaks = np.nonzero((rise[1:-1] >= rise[:-2]) & (rise[1:-1] > rise[2:]) & (rise[1:-1] > 0.02))[0] + 1
    total, squares = np.cumsum(np.pad(z, (1, 0))), np.cumsum(np.pad(z * z, (1, 0)))

    def spread(a: npt.NDArray[np.int_], b: npt.NDArray[np.int_]) -> tuple[Array, Array]:
        n = np.maximum(b - a, 1)
        mean = (total[b] - total[a]) / n
        return mean, np.sqrt(np.maximum((squares[b] - squares[a]) / n - mean * mean, 0))

    before_mean, before = spread(np.maximum(peaks - w, 0), np.maximum(peaks - 1, 0))
    _, after = spread(peaks, np.minimum(peaks + 3 * w, len(z)))
    score = after - before - 0.7 * before_mean
    order = np.argsort(-score)[:ENDS]
    places = [float(_subpixel(rise, int(peaks[i]))) - 0.5 for i in order]
    return places if forward else [len(z) - 1 - p for p in places]


def _subpixel(values: Array, at: int) -> float:
    a, b, c = (float(v) for v in values[at - 1 : at + 2])
    curve = a - 2 * b + c
    return at + (0.5 * (a - c) / curve if abs(curve) > 1e-9 else 0.0)


def _quick(samples: Array, blur: Blur) -> Array:
    """Misfit of the best digits, each for itself, as a part of what there is to fit."""
    left, right = ean_model.singles(blur)
    start = (QUIET + 3) * PER_MODULE
    lefts = samples[:, start : start + 6 * DIGIT].reshape(-1, 6, DIGIT)
    middle = start + 6 * DIGIT + 5 * PER_MODULE
    rights = samples[:, middle : middle + 6 * DIGIT].reshape(-1, 6, DIGIT)
    sums = ean_trellis.misfits(lefts, left).min(-1).sum(-1) + ean_trellis.misfits(rights, right).min(-1).sum(-1)
    for at, want in ean_model.guards(blur):
        part = samples[:, at : at + len(want)] - want
        sums += (part * part).sum(-1)
    return np.asarray(sums / SAMPLES / ean_model.usual(blur)[1] ** 2, np.float32)


def _standardised(samples: Array, blur: Blur) -> Array:
    """Samples (last axis) with the mean and contrast that a code has at this blur."""
    mean, spread = ean_model.usual(blur)
    own = samples - samples.mean(-1, keepdims=True)
    return np.asarray(mean + own * (spread / (samples.std(-1, keepdims=True) + 1e-3)), np.float32)


FLOOR: Final = 0.001
"""Misfit below which a picture is not believed to be: what is left are errors of this model, not noise."""
SHIFTS: Final = np.arange(-8, 9, dtype=np.float32) / PER_MODULE
"""Modules that any part of a code may lie off a straight line between its ends."""
_MIDDLES: Final = np.array(
    [-QUIET / 2 + 3, *(3 + 7 * i for i in range(1, 6)), 47.5, *(50 + 7 * i for i in range(1, 6)), 93]
)
"""Of the 13 windows, in modules."""
ROUGH: Final = (BLURS[1], BLURS[3])


def read(laid: Laid) -> Soft:
    """The best code here: laid elastically first, then place, light and blur are fitted to what was read."""
    laid, blur = _stretched(laid)
    i = BLURS.index(blur)
    found = ean_trellis.best(_standardised(laid.samples(), blur), blur)
    for _ in range(3):
        laid, samples = _refitted(laid, found)
        i = BLURS.index(found.blur)
        again = _over_blurs(samples, BLURS[max(0, i - 1) : i + 2])
        settled = again.digits == found.digits and again.misfit > 0.97 * found.misfit
        found = again
        if settled:
            break
    scale = SAMPLES / 2 / max(found.misfit, FLOOR)
    free = ean_trellis.fit(samples, found.blur)
    return Soft(found.digits, found.misfit, found.gap * scale, (found.misfit - free) * scale, found.blur, laid)


def _stretched(laid: Laid) -> tuple[Laid, Blur]:
    module = (laid.at[-1] - laid.at[0]) / (SAMPLES - 1) * PER_MODULE
    x = np.arange(len(laid.line), dtype=np.float32)
    shifted = np.stack([np.interp(laid.at + module * s, x, laid.line) for s in SHIFTS]).astype(np.float32)
    _, windows, blur = min((*_elastic(shifted, blur), blur) for blur in ROUGH)
    smooth = np.polynomial.Polynomial.fit(_MIDDLES, SHIFTS[windows], 5)
    return Laid(laid.line, (laid.at + module * smooth(_PLACES)).astype(np.float32)), blur


def _elastic(shifted: Array, blur: Blur) -> tuple[float, list[int]]:
    misfit, windows = ean_trellis.elastic(_standardised(shifted, blur), blur)
    return misfit / ean_model.usual(blur)[1] ** 2, windows


def _over_blurs(samples: Array, blurs: tuple[Blur, ...]) -> Best:
    return min((ean_trellis.best(samples, blur) for blur in blurs), key=lambda b: b.misfit)


def _refitted(laid: Laid, found: Best) -> tuple[Laid, Array]:
    """Moves the sample places by a cubic, and evens gain and offset by a quadratic, towards what `found` predicts."""
    model = ean_model.predicted(found.digits, found.blur)
    slope = np.gradient(model) * PER_MODULE
    samples = laid.samples()
    columns = np.concatenate([_BASIS[:3] * model, _BASIS[:3], _BASIS * slope]).T
    ridge = np.diag([0.3] * 3 + [0.3] * 3 + [2.0] * 4).astype(np.float32)
    want = samples - model
    solved = np.linalg.solve(columns.T @ columns + ridge, columns.T @ want)
    shift = np.clip(-(solved[6:] @ _BASIS), -0.8, 0.8)
    module = float(np.abs(laid.at[-1] - laid.at[0])) / (MODULES + 2 * QUIET)
    sign = 1 if laid.at[-1] > laid.at[0] else -1
    moved = Laid(laid.line, (laid.at + sign * module * shift).astype(np.float32))
    gain = np.clip(1 + solved[:3] @ _BASIS[:3], 0.5, 2.0)
    evened = (moved.samples() - solved[3:6] @ _BASIS[:3]) / gain
    return moved, evened.astype(np.float32)


SURE_MARGIN: Final = 50.0
"""Wrong codes reached 41 on 658 photographs and five distorted copies of each; of 987 right ones 937 have more."""
SURE_EXCESS: Final = 5.0
SURE_MISFIT: Final = 0.15
"""As a part of what there was to fit; right codes stay below."""
SECONDED_MARGIN: Final = 10.0
"""Enough for a code that an engine has read as well."""
TRIED: Final = 3
"""Candidates that are read in full: bounds the time."""


def likely(lines: Sequence[Array]) -> list[Soft]:
    """The codes that the lines (bands of the same bars) may be, read in full."""
    found = sorted((c for line in lines for c in candidates(line)), key=lambda c: c[0])
    return [read(laid) for _, laid in found[:TRIED]]


def sure(reads: Sequence[Soft]) -> Soft | None:
    """The one code that is beyond doubt."""
    good = [soft for soft in reads if _is_sure(soft)]
    if len({soft.digits for soft in good}) != 1:
        return None
    return max(good, key=lambda soft: soft.margin)


def seconded(reads: Sequence[Soft], texts: Collection[str]) -> Soft | None:
    """The likeliest code, if an engine has read it too."""
    best = min(reads, key=lambda soft: soft.misfit, default=None)
    return best if best and best.digits in texts and best.margin >= SECONDED_MARGIN else None


def _is_sure(soft: Soft) -> bool:
    share = soft.misfit / ean_model.usual(soft.blur)[1] ** 2
    return soft.margin >= SURE_MARGIN and soft.excess <= SURE_EXCESS and share <= SURE_MISFIT
