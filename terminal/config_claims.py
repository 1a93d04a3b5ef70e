"""What a shop may set of claim codes."""

from enum import StrEnum

import msgspec


class Sales(StrEnum):
    """Those that get a code."""

    ALL = "all"
    CARDLESS = "cardless"


class Claims(msgspec.Struct, frozen=True):
    enabled: bool = True
    sales: Sales = Sales.ALL
