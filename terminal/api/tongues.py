"""Which language an answer is in: what the request accepts (RFC 9110, section 12.5.4), else the till's own. Pure."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from offline_queue.words import LANGUAGES, Language

MOST_RANGES: Final = 32
"""Browsers send five; what comes after so many is passed over."""
_RANGE: Final = re.compile(
    r"\s*(?P<tag>\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*[qQ]=(?P<q>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?\s*",
    re.ASCII,
)


def accepted(header: str | None, own: Language) -> Language:
    """The language of ours that `Accept-Language` weighs most, of two alike the one named first.

    `own` where none of ours is wanted, where `*` wants any, and for what makes no sense.
    """
    ranges = list(_ranges(header or ""))

    def rank(language: Language) -> tuple[float, int]:
        named = [(weight, -place) for place, (tag, weight) in enumerate(ranges) if _is(tag, language)]
        return max(named) if named else (_of_any(ranges), -len(ranges))

    best = max((own, *LANGUAGES), key=rank)
    return best if rank(best)[0] > 0 else own


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    """Each range with its weight; one that is not well-formed is none."""
    for part in header.split(",", MOST_RANGES)[:MOST_RANGES]:
        found = _RANGE.fullmatch(part)
        if found is not None:
            yield found["tag"].lower(), float(found["q"] or 1)


def _of_any(ranges: Sequence[tuple[str, float]]) -> float:
    return max((weight for tag, weight in ranges if tag == "*"), default=0.0)


def _is(tag: str, language: Language) -> bool:
    """`fr-CH` is French too (RFC 4647, section 3.4)."""
    return tag == language or tag.startswith(f"{language}-")
