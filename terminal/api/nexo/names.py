"""The protocol's way of writing names, so that shapes read like the rest of the project. Pure."""

from typing import Final

import msgspec

_LETTERS: Final = {"id": "ID", "poi": "POI", "ok": "OK", "ped": "PED"}
"""Words that the protocol writes in capitals."""


def nexo_name(field: str) -> str:
    """`sale_to_poi_request` is `SaleToPOIRequest` on the wire."""
    return "".join(_LETTERS.get(word) or word.capitalize() for word in field.split("_"))


class Shape(msgspec.Struct, frozen=True, rename=nexo_name, omit_defaults=True):
    """A part of a message. Fields that are not known are passed over, as the protocol asks; what is absent is None."""
