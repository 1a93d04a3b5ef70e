"""Keyboard layouts as data: which character a key gives, as Windows has them, for scanners imitate those.

Four rows of keys from the top left, as the kernel numbers them (linux/input-event-codes.h). A combining character
stands for a dead key: it waits for the next one. A blank is a key without a character.
"""

import unicodedata
from typing import Final, Literal, NamedTuple

LayoutName = Literal["us", "uk", "fr", "de"]

_EXTRA: Final = 86
"""The key that only 105-key boards have."""
_ROWS: Final = (
    (41, *range(2, 14)),  # grave, 1 to 0, minus, equal
    tuple(range(16, 28)),  # q to p, left brace, right brace
    (*range(30, 41), 43),  # a to l, semicolon, apostrophe, backslash
    (_EXTRA, *range(44, 54)),  # z to m, comma, dot, slash
)
_CODES: Final = tuple(code for row in _ROWS for code in row)
SPACE: Final = 57

KEYPAD: Final = dict(zip((82, 79, 80, 81, 75, 76, 77, 71, 72, 73, 83, 74, 78, 55, 98), "0123456789.-+*/", strict=True))
"""The numeric keypad, the same everywhere."""

_GRAVE, _ACUTE, _CIRCUMFLEX, _TILDE, _DIAERESIS = "\u0300", "\u0301", "\u0302", "\u0303", "\u0308"
_SPACING: Final = {_GRAVE: "`", _ACUTE: "´", _CIRCUMFLEX: "^", _TILDE: "~", _DIAERESIS: "¨"}


class Layout(NamedTuple):
    """Characters by key code: alone, with shift, with AltGr."""

    plain: dict[int, str]
    shift: dict[int, str]
    altgr: dict[int, str]


def _keys(*rows: str) -> dict[int, str]:
    characters = "".join(rows)
    if len(characters) != len(_CODES):
        raise ValueError(f"{len(characters)} characters for {len(_CODES)} keys")
    return {code: one for code, one in zip(_CODES, characters, strict=True) if one != " "} | {SPACE: " "}


_NOTHING: Final = _keys(" " * 13, " " * 12, " " * 12, " " * 11)

LAYOUTS: Final[dict[LayoutName, Layout]] = {
    "us": Layout(
        _keys("`1234567890-=", "qwertyuiop[]", "asdfghjkl;'\\", "<zxcvbnm,./"),
        _keys("~!@#$%^&*()_+", "QWERTYUIOP{}", 'ASDFGHJKL:"|', ">ZXCVBNM<>?"),
        _NOTHING,
    ),
    "uk": Layout(
        _keys("`1234567890-=", "qwertyuiop[]", "asdfghjkl;'#", "\\zxcvbnm,./"),
        _keys('¬!"£$%^&*()_+', "QWERTYUIOP{}", "ASDFGHJKL:@~", "|ZXCVBNM<>?"),
        _keys("¦   €        ", "  é   úíó   ", "á           ", "           "),
    ),
    "fr": Layout(
        _keys("²&é\"'(-è_çà)=", f"azertyuiop{_CIRCUMFLEX}$", "qsdfghjklmù*", "<wxcvbn,;:!"),
        _keys(" 1234567890°+", f"AZERTYUIOP{_DIAERESIS}£", "QSDFGHJKLM%µ", ">WXCVBN?./§"),
        _keys(f"  {_TILDE}#{{[|{_GRAVE}\\^@]}}", "  €        ¤", " " * 12, " " * 11),
    ),
    "de": Layout(
        _keys(f"{_CIRCUMFLEX}1234567890ß{_ACUTE}", "qwertzuiopü+", "asdfghjklöä#", "<yxcvbnm,.-"),
        _keys(f'°!"§$%&/()=?{_GRAVE}', "QWERTZUIOPÜ*", "ASDFGHJKLÖÄ'", ">YXCVBNM;:_"),
        _keys("  ²³   {[]}\\ ", "@ €        ~", " " * 12, "|      µ   "),
    ),
}

SETUP_TEXT: Final = "TILLD-AZQWMY/1"
"""Print it as a code: its characters are where layouts differ, so a scan of it tells the one that the scanner has."""


def composed(dead: str, following: str) -> str:
    """What a dead key and the character after it come to: ê for ^ and e, ^ for ^ and a blank, else both."""
    if not dead:
        return following
    if following == " ":
        return _SPACING[dead]
    one = unicodedata.normalize("NFC", following + dead)
    return one if len(one) == 1 else _SPACING[dead] + following


def is_dead(character: str) -> bool:
    return character in _SPACING


def layout_of(text: str, configured: LayoutName) -> LayoutName | None:
    """The layout in which a scanner has typed SETUP_TEXT, when it comes out as this text; None for other texts.

    It types the configured one where several are possible: us and uk differ in no character of the text.
    """
    names = sorted(LAYOUTS, key=lambda name: name != configured)
    return next((name for name in names if text == _mistyped(SETUP_TEXT, name, configured)), None)


def in_every_layout(text: str, configured: LayoutName) -> set[str]:
    """What the keys that gave this text come to in each layout; a character that no key gives is left out."""
    keys = [_KEYS[configured].get(one) for one in text]
    return {"".join(_character(layout, *key) for key in keys if key) for layout in LAYOUTS.values()}


def _mistyped(text: str, typed: LayoutName, read: LayoutName) -> str:
    return "".join(_character(LAYOUTS[read], *_KEYS[typed][one]) for one in text)


def _keys_of(layout: Layout) -> dict[str, tuple[int, str]]:
    """The key and the level of each character, a dead key's by what it types with a blank.

    Of several the easiest, and last the key that most boards lack: American ones have < and > elsewhere too.
    """
    found = [
        (_SPACING.get(one, one), (code, level))
        for level in ("altgr", "shift", "plain")
        for code, one in getattr(layout, level).items()
    ]
    return dict(sorted(found, key=lambda each: each[1][0] != _EXTRA))


def _character(layout: Layout, code: int, level: str) -> str:
    keys: dict[int, str] = getattr(layout, level)
    return keys.get(code, "")


_KEYS: Final = {name: _keys_of(layout) for name, layout in LAYOUTS.items()}
