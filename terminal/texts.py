"""Free texts of a request: what a terminal, a receipt printer or a spreadsheet would obey is no part of them. Pure."""

import unicodedata
from datetime import datetime
from typing import Annotated, Final

import msgspec

from terminal.pos import invalid

_HIDDEN: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Unicode's categories of control and format characters: ESC, line feeds, what turns the writing round."""
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


def refuse_hidden(name: str, text: str | None) -> None:
    """Raises Refusal("invalid") where the field `name` holds a character that cannot be seen."""
    for place, each in enumerate(text or "", 1):
        if unicodedata.category(each) in _HIDDEN:
            raise invalid(f"`{name}` holds the control character U+{ord(each):04X} in place {place}; leave it out.")


def refuse_no_moment(name: str, text: str | None) -> None:
    """Raises Refusal("invalid") where the field `name` is no time of RFC 3339 with its offset."""
    try:
        msgspec.convert(text, _Moment | None)
    except msgspec.ValidationError:
        raise invalid(
            f"`{name}` must be a time after RFC 3339 with its offset, like 2026-03-01T10:00:00+01:00."
        ) from None
