"""Magnetic stripes as readers send them: tracks between sentinels, and payment cards told apart (ISO/IEC 7811, 7813).

What `is_payment` recognises must be dropped where it is: never logged, queued, reported or kept.
"""

import re
from typing import Final, NamedTuple

MAX_TRACK: Final = 107
"""Characters of track 3, the longest of the three (ISO/IEC 7811-6 section 9)."""

_TRACKS: Final = re.compile(r"([%;+#])([^?%]*)\?")
"""A start sentinel, the content, the end sentinel. `%` opens track 1, `;` 2 and 3; many readers show 3 as + or #."""
_READ_ERROR: Final = "E"
"""The whole content of a track that the reader could not read, by the readers' common convention."""
_SEPARATORS: Final = {1: "^", 2: "=", 3: "="}

_PAYMENT: Final = re.compile(
    # Track 1, format B: the financial institutions' own; small where the reader types with caps lock.
    r"%[Bb][0-9 ]{12,23}|(?<![0-9A-Za-z])[Bb][0-9 ]{12,23}\^"
    r"|(?<![0-9])[0-9]{12,19}[=D][0-9]{4}"  # tracks 2 and 3, also without sentinels
    r"|[;+#][0-9]{8,30}="
)
_BARE: Final = re.compile(r"[%;+#]((?:2[2-7]|[3-6][0-9])[0-9]{11,17})(?![0-9])")
"""A number alone on a track that begins as the payment schemes' do (ISO/IEC 7812-1): the check digit decides."""
_CLAIM: Final = re.compile(r"[0-9]{6,19}\Z")


class Tracks(NamedTuple):
    """The contents by track number 1 to 3; `damaged` when the reader says that it could not read one of them."""

    contents: dict[int, str]
    damaged: bool


def tracks_in(text: str) -> Tracks | None:
    """None when this is no swipe at all: it does not begin with a start sentinel and a whole track."""
    if _TRACKS.match(text) is None:
        return None
    contents: dict[int, str] = {}
    damaged = False
    for sentinel, content in _TRACKS.findall(text):
        number = _number(sentinel, contents)
        if content in {"", _READ_ERROR} or len(content) > MAX_TRACK or number in contents:
            damaged = damaged or content != ""
        else:
            contents[number] = content
    return Tracks(contents, damaged)


def number_on(track: int, content: str) -> str:
    """The first field: what follows may be a name or a date, which the till has no use for."""
    return content.partition(_SEPARATORS[track])[0]


def is_payment(text: str, ours: tuple[str, ...] = ()) -> bool:
    """Whether a payment card's track is anywhere in the text, whole or damaged, with or without sentinels.

    Numbers that begin with one of `ours` are the programme's own, although they are laid out like a payment card's.
    """
    laid_out = (found.group().lstrip("%Bb;+#").replace(" ", "") for found in _PAYMENT.finditer(text))
    alone = (found[1] for found in _BARE.finditer(text) if luhn(found[1]))
    return any(not number.startswith(ours) for number in (*laid_out, *alone))


def luhn(digits: str) -> bool:
    """The check of ISO/IEC 7812-1, annex B."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0


def is_claim(beginning: str) -> bool:
    """A beginning must be as long as an issuer's number, or it would claim whole schemes: 4 is every Visa card."""
    return _CLAIM.match(beginning) is not None


def _number(sentinel: str, before: dict[int, str]) -> int:
    match sentinel:
        case "%":
            return 1
        case ";" if 2 not in before:
            return 2
        case _:
            return 3
