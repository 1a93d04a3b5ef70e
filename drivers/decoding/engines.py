"""The engines we did not write: zxing-cpp and, where libzbar is installed, ZBar through pyzbar.

Their words are sightings, not yet certain. An engine that fails on a hostile symbol has seen nothing.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any, Final

import zxingcpp

from drivers.decoding.symbol import MAX_TEXT, Gray, Sighting, Symbology, quad_of

_ZXING_NAMES: Final = {
    Symbology.QR: "QRCode",
    Symbology.MICRO_QR: "MicroQRCode",
    Symbology.AZTEC: "Aztec",
    Symbology.PDF417: "PDF417",
    Symbology.DATAMATRIX: "DataMatrix",
    Symbology.EAN13: "EAN13|UPCA|UPCE",
    Symbology.EAN8: "EAN8",
    Symbology.CODE128: "Code128",
    Symbology.CODE39: "Code39|Code32|PZN",
    Symbology.CODE93: "Code93",
    Symbology.CODABAR: "Codabar",
    Symbology.ITF: "ITF",
}
_ZBAR_NAMES: Final = {
    Symbology.QR: ("QRCODE",),
    Symbology.EAN13: ("EAN13", "UPCA", "UPCE"),
    Symbology.EAN8: ("EAN8",),
    Symbology.CODE128: ("CODE128",),
    Symbology.CODE39: ("CODE39",),
    Symbology.CODE93: ("CODE93",),
    Symbology.CODABAR: ("CODABAR",),
    Symbology.ITF: ("I25",),
}
_BY_ZXING: Final = {
    **{name: symbology for symbology, names in _ZXING_NAMES.items() for name in names.split("|")},
    "QRCodeModel2": Symbology.QR,
    "Code39Std": Symbology.CODE39,
    "Code39Ext": Symbology.CODE39,
    "AztecCode": Symbology.AZTEC,
    "ITF14": Symbology.ITF,
    "CompactPDF417": Symbology.PDF417,
}
_BY_ZBAR: Final = {name: symbology for symbology, names in _ZBAR_NAMES.items() for name in names}


def zxing(
    picture: Gray, wanted: frozenset[Symbology], *, histogram: bool = False, errors: bool = False, upright: bool = False
) -> list[Sighting]:
    """What zxing-cpp sees: a local threshold, or one for the whole picture with `histogram`.

    `upright` is for bars already laid so: faster, no other direction is tried. With `errors` also what it located
    and could not read; such a symbol can hide a readable one of the same bars.
    """
    if not wanted:
        return []
    binarizer = zxingcpp.Binarizer.GlobalHistogram if histogram else zxingcpp.Binarizer.LocalAverage

    def seen() -> list[Sighting | None]:
        found = zxingcpp.read_barcodes(
            picture,
            formats=_formats(wanted),
            binarizer=binarizer,
            text_mode=zxingcpp.TextMode.Plain,
            return_errors=errors,
            try_rotate=not upright,
            try_invert=not upright,
            try_downscale=not upright,
        )
        return [_zxing_sighting(barcode) for barcode in found]

    return _caught(seen)


@functools.cache
def _formats(wanted: frozenset[Symbology]) -> Any:
    return zxingcpp.barcode_formats_from_str("|".join(sorted(_ZXING_NAMES[symbology] for symbology in wanted)))


def _zxing_sighting(barcode: Any) -> Sighting | None:
    """None for what is no symbology of ours or holds nothing."""
    symbology = _BY_ZXING.get(barcode.format.name)
    if symbology is None:
        return None
    place = barcode.position
    corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
    text = digits13(barcode.text) if symbology is Symbology.EAN13 else barcode.text
    return Sighting(
        symbology=symbology,
        text=text[:MAX_TEXT],
        raw=bytes(barcode.bytes),
        quad=quad_of([(corner.x, corner.y) for corner in corners]),
        valid=barcode.valid and 0 < len(text) <= MAX_TEXT,
        engine="zxing",
        version=_version(barcode.extra),
        short_form=barcode.format.name == "UPCE",
        spare=_spare(barcode.extra),
    )


def _version(extra: Any) -> int:
    """Of a QR code; a micro QR code says M1 to M4."""
    said = str(extra.get("Version", "")) if isinstance(extra, dict) else ""
    return int(said) if said.isdecimal() and len(said) <= 2 else 0


def _spare(extra: Any) -> float | None:
    said = extra.get("UEC") if isinstance(extra, dict) else None
    return float(said) if isinstance(said, int | float) else None


def zbar(picture: Gray, wanted: frozenset[Symbology]) -> list[Sighting]:
    """What ZBar sees, of the symbologies that it reads well; nothing where libzbar is not installed."""
    library = _zbar_library()
    if library is None or not wanted & _ZBAR_NAMES.keys():
        return []
    # Those of its own symbologies only: others print assertions from C (zbar#177).
    kinds = [library.ZBarSymbol[name] for s in sorted(wanted & _ZBAR_NAMES.keys()) for name in _ZBAR_NAMES[s]]
    return _caught(lambda: [_zbar_sighting(found) for found in library.decode(picture, symbols=kinds)])


@functools.cache
def _zbar_library() -> Any:
    try:
        from pyzbar import pyzbar  # type: ignore[import-untyped]
    except ImportError:  # pyzbar, or the shared library that it loads, is not installed
        return None
    return pyzbar


def _zbar_sighting(found: Any) -> Sighting | None:
    symbology = _BY_ZBAR.get(found.type)
    text = found.data.decode("utf-8", "replace")
    if symbology is None or not text or len(text) > MAX_TEXT:
        return None
    left, top, width, height = found.rect
    corners = [(left, top), (left + width, top), (left + width, top + height), (left, top + height)]
    if symbology is Symbology.EAN13:
        text = digits13(text)
    return Sighting(
        symbology=symbology,
        text=text,
        raw=bytes(found.data),
        quad=quad_of(corners),
        valid=True,
        engine="zbar",
        lines=found.quality,
        short_form=found.type == "UPCE",
    )


def digits13(text: str) -> str:
    """UPC-A and UPC-E as the EAN-13 that they abbreviate (GS1 General Specifications 1.3.1)."""
    if len(text) == 8 and text.isdecimal():
        text = _without_short_form(text)
    return text.rjust(13, "0") if text.isdecimal() else text


def _without_short_form(text: str) -> str:
    """GS1 General Specifications 5.2.2.4.2: where the suppressed zeros of a UPC-E stood."""
    system, digits, last, check = text[0], text[1:6], text[6], text[7]
    if last in "012":
        return system + digits[:2] + last + "0000" + digits[2:] + check
    kept = {"3": 3, "4": 4}.get(last)
    if kept is not None:
        return system + digits[:kept] + "00000" + digits[kept:] + check
    return system + digits + "0000" + last + check


def _caught(engine: Callable[[], Iterable[Sighting | None]]) -> list[Sighting]:
    """Nothing seen is nothing hidden: a code that none of the engines reads is told as unread (history.py)."""
    try:
        return [sighting for sighting in engine() if sighting is not None]
    except Exception:  # noqa: BLE001 - whatever a hostile symbol does to an engine, the next engine looks at it
        return []
