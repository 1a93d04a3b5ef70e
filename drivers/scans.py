"""From one scan to one report, for whatever scans, types or swipes: pure, and the place where payment cards stop."""

import unicodedata
from typing import Annotated, Final, Literal

import msgspec

from drivers.aim import Symbol, symbol
from drivers.base import ENTRY_MODES, CardRead, CardUnreadable, EntryMode, Technology
from drivers.framing import Ending, Flaw, Scan
from drivers.gs1 import GS, Damaged, as_printed, check_digit_right, elements_in, is_gtin, link_elements_in
from drivers.magstripe import is_claim, is_payment, number_on, tracks_in

Silence = Annotated[int, msgspec.Meta(ge=20, le=2000)]
UsbId = Annotated[
    str, msgspec.Meta(pattern="^([0-9a-f]{4}:[0-9a-f]{4})?$", description="vendor:product as lsusb shows it, or ''")
]
"""VID:PID as `lsusb` shows it."""


class ScanOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every scanner may be told.

    `ending`: `line` when the scanner ends each code with Enter (CR, LF) or Tab, `silence` when it cannot.
    `silence_ms`: a pause this long is no pause within a code. `technology`: what it reads, where it does not say
    so itself by AIM identifiers; `phone` for a wallet reader. `track`: the magnetic track with the number, 0 for
    the first of 2, 1, 3 that was read. `stripes`: beginnings (6 digits and more) of the programme's own numbers
    that are laid out like a payment card's track; all other such tracks are dropped unread.
    """

    ending: Ending = Ending.LINE
    silence_ms: Silence = 100
    technology: Technology = Technology.UNKNOWN
    track: Literal[0, 1, 2, 3] = 0
    stripes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if wrong := [one for one in self.stripes if not is_claim(one)]:
            raise ValueError(f"`stripes` are beginnings of 6 digits and more; {wrong[0]!r} is none")


PAYMENT: Final = CardUnreadable(
    "payment_card",
    "This is a payment card, not a loyalty card. Nothing of it was kept. Ask for the loyalty card.",
    technology=Technology.PAYMENT,
)
_DETAILS: Final = {
    Flaw.HALF: (
        "The scan broke off. Scan the code again. When that happens with each scan, set the scanner to end codes "
        'with Enter, or write ending = "silence" in its config.'
    ),
    Flaw.LOST: "A part of the scan was lost on its way. Scan the code again.",
    Flaw.LONG: "The code is longer than any card's. Scan the loyalty code alone.",
    Flaw.LAYOUT: "The scanner typed a key that the configured keyboard layout does not have. Set `layout` for it.",
}
_DAMAGED_STRIPE: Final = CardUnreadable(
    "damaged", "The magnetic stripe could not be read whole. Swipe the card again.", technology=Technology.MAGSTRIPE
)
_DAMAGED_CODE: Final = "The code breaks the rules of its kind, as a misread one does. Scan it again."
_PREFERRED: Final = (2, 1, 3)


def report_of(scan: Scan, options: ScanOptions) -> CardRead | CardUnreadable | None:
    """None for nothing: an empty code, or a swipe without the track that is asked for."""
    if scan.flaw is not None:
        return CardUnreadable(scan.flaw.value, _DETAILS[scan.flaw], technology=options.technology)
    text = text_of(scan.text)
    seven_bits = text_of(bytes(one & 0x7F for one in scan.text))  # as a reader with parity means it, read without
    if is_payment(text, options.stripes) or is_payment(seven_bits, options.stripes):
        return PAYMENT
    if (tracks := tracks_in(text)) is not None:
        return _swiped(tracks.contents, options.track) or (_DAMAGED_STRIPE if tracks.damaged else None)
    return _scanned(symbol(text, options.technology)) if text else None


def text_of(scan: bytes) -> str:
    """UTF-8 where it is that, else ISO 8859-1; control characters but GS are dropped, and blanks around it."""
    try:
        text = scan.decode()
    except UnicodeDecodeError:
        text = scan.decode("iso8859-1")
    return "".join(one for one in text if one == GS or unicodedata.category(one) != "Cc").strip(" ")


def _swiped(contents: dict[int, str], wanted: int) -> CardRead | None:
    for track in (wanted,) if wanted else _PREFERRED:
        if number := number_on(track, contents[track]) if track in contents else "":
            return CardRead(Technology.MAGSTRIPE, EntryMode.MAG_STRIPE, number)
    return None


def _scanned(code: Symbol) -> CardRead | CardUnreadable | None:
    """A code that says it is GS1, or an article number, and is not, was misread."""
    if not code.text.strip(GS):
        return None
    try:
        if code.gs1:
            return _elements_read(code)
        if code.named and code.technology is Technology.EAN and not _is_sound_ean(code.text):
            raise Damaged("wrong check digit")
        elements = link_elements_in(code.text)
    except Damaged:
        return CardUnreadable("damaged", _DAMAGED_CODE, technology=code.technology)
    if not code.named and GS in code.text:
        return _perhaps_elements(code)
    return _read(_technology(code), code.text, elements)


def _elements_read(code: Symbol) -> CardRead:
    """Raises Damaged. A GS1 QR code may hold a Digital Link all the same (General Specifications section 5.10)."""
    if links := link_elements_in(code.text):
        return _read(code.technology, code.text, links)
    elements = elements_in(code.text)
    return _read(code.technology, as_printed(elements), elements)


def _perhaps_elements(code: Symbol) -> CardRead:
    """FNC1 without an identifier: element strings when they are sound, else a text that has the character in it."""
    try:
        return _elements_read(code)
    except Damaged:
        return _read(code.technology, code.text, ())


def _technology(code: Symbol) -> Technology:
    """Eight, twelve or thirteen digits with the right check digit are an article number before anything else."""
    bare = not code.named and code.technology is Technology.UNKNOWN
    return Technology.EAN if bare and is_gtin(code.text) else code.technology


def _is_sound_ean(text: str) -> bool:
    """An EAN-13 or EAN-8 has its check digit; other lengths have an add-on, or the scanner leaves it out."""
    digits = text.isascii() and text.isdigit()
    return digits and (len(text) not in {8, 13} or check_digit_right(text))


def _read(technology: Technology, text: str, elements: tuple[tuple[str, str], ...]) -> CardRead:
    return CardRead(technology, ENTRY_MODES.get(technology, EntryMode.SCANNED), text, elements=elements)
