"""What the numbers on a programme's cards look like: their beginnings, lengths and check digits. Pure."""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from terminal.cards.check_digits import SYSTEMS, System


class NumberFormat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of number: `length` characters in all, the check digit included."""

    length: Annotated[int, msgspec.Meta(ge=1, le=64)]
    prefix: Annotated[str, msgspec.Meta(max_length=63)] = ""
    check: System = "none"


def has_shape(number: str, one: NumberFormat) -> bool:
    """Whether it is of this kind, its check digit aside."""
    return len(number) == one.length and number.startswith(one.prefix)


def fits(number: str, formats: Iterable[NumberFormat]) -> bool:
    return any(has_shape(number, one) and SYSTEMS[one.check](number) for one in formats)


def mistyped(number: str, formats: Iterable[NumberFormat]) -> NumberFormat | None:
    """The kind that this number would be, were its check digit right."""
    return next((one for one in formats if has_shape(number, one) and not SYSTEMS[one.check](number)), None)
