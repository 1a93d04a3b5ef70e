"""What a shop may set of claim codes."""

from enum import StrEnum

import msgspec


class For(StrEnum):
    """Sales that get a code."""

    ALL = "all"
    CARDLESS = "cardless"


class Claims(msgspec.Struct, frozen=True):
    """`for_` is written `for`."""

    enabled: bool = True
    for_: For = msgspec.field(default=For.ALL, name="for")
