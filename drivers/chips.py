"""What an NTAG or Ultralight chip says of itself: model, maker's signature, counter of its taps.

These are commands of the chip, not of the tag's format; a chip that does not know one falls silent until it is
presented again. So they come last in a tap, the surest first, and end at the first silence.
"""

from typing import Final, NamedTuple

from drivers.apdu import Exchange
from drivers.base import Chip, Technology
from drivers.originality import SIGNATURE_LENGTH, is_original
from drivers.raw_frames import Frame, NoPassage, frames

_GET_VERSION: Final = b"\x60"
_READ_SIGNATURE: Final = b"\x3c\x00"
_READ_TAPS: Final = b"\x39\x02"
"""Counter 2 is the NFC counter (NTAG21x data sheet section 10.7): one up at the first read of each tap, where it
has been switched on."""
_VERSION_LENGTH: Final = 8
_COUNTER_LENGTH: Final = 3


class Model(NamedTuple):
    """`counts` says that the chip has an NFC counter."""

    name: str
    technology: Technology
    counts: bool = False


MODELS: Final = {
    # Vendor, type, subtype, storage size: bytes 1, 2, 3 and 6 of GET_VERSION, by NXP's data sheets.
    (4, 3, 1, 0x0B): Model("Ultralight EV1 MF0UL11", Technology.ULTRALIGHT),
    (4, 3, 2, 0x0B): Model("Ultralight EV1 MF0ULH11", Technology.ULTRALIGHT),
    (4, 3, 1, 0x0E): Model("Ultralight EV1 MF0UL21", Technology.ULTRALIGHT),
    (4, 3, 2, 0x0E): Model("Ultralight EV1 MF0ULH21", Technology.ULTRALIGHT),
    (4, 4, 1, 0x0B): Model("NTAG210", Technology.NTAG),
    (4, 4, 1, 0x0E): Model("NTAG212", Technology.NTAG),
    (4, 4, 2, 0x0F): Model("NTAG213", Technology.NTAG, counts=True),
    (4, 4, 2, 0x11): Model("NTAG215", Technology.NTAG, counts=True),
    (4, 4, 2, 0x13): Model("NTAG216", Technology.NTAG, counts=True),
    (4, 4, 4, 0x0F): Model("NTAG213F", Technology.NTAG, counts=True),
    (4, 4, 4, 0x13): Model("NTAG216F", Technology.NTAG, counts=True),
    (4, 4, 5, 0x13): Model("NTAG I2C 1K", Technology.NTAG),
    (4, 4, 5, 0x15): Model("NTAG I2C 2K", Technology.NTAG),
}


def read_chip(uid: str, exchange: Exchange) -> Chip | None:
    """None where the reader does not let such commands through."""
    try:
        with frames(exchange) as ask:
            return _asked(bytes.fromhex(uid), ask)
    except NoPassage:
        return None


def technology_of(chip: Chip | None, otherwise: Technology) -> Technology:
    """By the chip's own word, where it gave one that we know."""
    by_name = {model.name: model.technology for model in MODELS.values()}
    return by_name.get(chip.model, otherwise) if chip is not None and chip.model else otherwise


def model_of(version: bytes) -> Model | None:
    """From the answer to GET_VERSION (NTAG21x data sheet section 10.1); None for what is no such answer."""
    if len(version) != _VERSION_LENGTH:
        return None
    return MODELS.get((version[1], version[2], version[3], version[6]))


def _asked(uid: bytes, ask: Frame) -> Chip:
    version = ask(_GET_VERSION)
    model = model_of(version) if version is not None else None
    if model is None:
        return Chip(original=False)
    signature = ask(_READ_SIGNATURE)
    if signature is None or len(signature) != SIGNATURE_LENGTH:
        return Chip(model.name, original=False)
    taps = ask(_READ_TAPS) if model.counts else None
    counted = int.from_bytes(taps, "little") if taps is not None and len(taps) == _COUNTER_LENGTH else None
    return Chip(model.name, is_original(uid, signature), counted)
