"""GS1 in codes: element strings, Digital Link addresses and check digits; pure, for texts that anybody may print.

GS1 General Specifications release 24 sections 3 and 7.8, GS1 Digital Link URI Syntax 1.4. The tables are biip's; it is
loaded with the first code that needs it, for it costs 22 MB.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from biip.gs1_element_strings import GS1ElementStrings

GS: Final = "\x1d"
"""What stands for FNC1 between elements (section 7.8.3)."""
MAX_TEXT: Final = 2048
"""Characters; a GS1 code of two dimensions holds less, and browsers take addresses up to about this."""
GTIN_LENGTHS: Final = frozenset({8, 12, 13})
"""Digits of EAN-8, UPC-A and EAN-13."""

_CHECKED: Final = frozenset({"00", "01", "02", *(f"41{last}" for last in range(8)), "8017", "8018"})
"""Application identifiers whose whole value ends with a check digit."""

Elements = tuple[tuple[str, str], ...]
"""Application identifiers and their values."""


class Damaged(ValueError):
    """The text claims to be GS1 and breaks its rules; the message repeats nothing of it."""


def elements_in(text: str) -> Elements:
    """Of element strings, as they follow an FNC1 (`01…10…<GS>21…`). Raises Damaged."""
    from biip import ParseError
    from biip.gs1_messages import GS1Message

    if len(text) > MAX_TEXT:
        raise Damaged(f"{len(text)} characters, at most {MAX_TEXT}")
    try:
        found = GS1Message.parse(text.strip(GS)).element_strings
    except (ParseError, ValueError) as error:
        raise Damaged("no element strings") from error
    return _sound(found)


def link_elements_in(uri: str) -> Elements:
    """Of a Digital Link of any host; none of any other address. Raises Damaged when a check digit is wrong."""
    from biip import ParseError
    from biip.gs1_digital_link_uris import GS1DigitalLinkURI

    if len(uri) > MAX_TEXT or not uri.lower().startswith(("https://", "http://")):
        return ()
    try:
        found = GS1DigitalLinkURI.parse(uri).element_strings
    except (ParseError, ValueError):
        return ()
    return _sound(found)


def as_printed(elements: Elements) -> str:
    """As it is printed below a code: `(01)09521234543213(10)ABC`. No number of a card looks like that."""
    return "".join(f"({identifier}){value}" for identifier, value in elements)


def is_gtin(text: str) -> bool:
    """Whether this is the text of an EAN-8, UPC-A or EAN-13 code with the right check digit."""
    return len(text) in GTIN_LENGTHS and text.isascii() and text.isdigit() and check_digit_right(text)


def check_digit_right(digits: str) -> bool:
    """Section 7.9: weights 3 and 1 from the right, the last digit completes the sum to tens."""
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits))) % 10 == 0


def _sound(found: "GS1ElementStrings") -> Elements:
    """Each identifier once, for two values of one would leave the choice to chance (section 4.14)."""
    elements = {one.ai.ai: one.value for one in found}
    if not elements:
        raise Damaged("no element")
    if any(elements[one.ai.ai] != one.value for one in found):
        raise Damaged("two values of one application identifier")
    wrong = [key for key, value in elements.items() if key in _CHECKED and not check_digit_right(value)]
    if wrong:
        raise Damaged(f"wrong check digit in ({wrong[0]})")
    return tuple(elements.items())
