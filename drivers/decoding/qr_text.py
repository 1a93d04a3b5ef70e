"""The text in a QR code's data codewords: ISO/IEC 18004:2015 section 7.4. Bytes that anybody may have written."""

import re
from typing import Final, NamedTuple

_ALPHANUMERIC: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_COUNT_BITS: Final = {1: (10, 12, 14), 2: (9, 11, 13), 4: (8, 16, 16), 8: (8, 10, 12)}
"""Of the character count by mode, for versions 1-9, 10-26 and 27-40: table 3."""
_CHARSETS: Final = {0: "cp437", 1: "iso8859-1", 2: "cp437", 3: "iso8859-1", 20: "shift_jis", 26: "utf-8", 27: "ascii"}
"""By ECI designator (AIM ITS/04-023); iso8859-2 to -16 follow from 4 on."""
_JAPANESE: Final = re.compile(rb"[\x80-\x9f]|[\xa1-\xdf]{3}")
"""Bytes that no ISO 8859-1 text has and Shift JIS begins with, or a word of its katakana: in the other, only signs."""


class Unparseable(ValueError):
    """No such bit stream is written by any encoder."""


class Content(NamedTuple):
    """The text, its bytes, and how many bits of padding were as the standard wants them."""

    text: str
    raw: bytes
    padding: int


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self.left = len(data) * 8

    def take(self, count: int) -> int:
        if count > self.left:
            raise Unparseable(f"{count} bits wanted, {self.left} left")
        self.left -= count
        return self._value >> self.left & ((1 << count) - 1)


def content_of(data: bytes, version: int) -> Content:
    """Reads all segments. Raises Unparseable also when what follows the end is no padding."""
    bits = _Bits(data)
    text, raw, charset = "", b"", None
    while bits.left >= 4 and (mode := bits.take(4)):
        if mode == 7:
            charset = _eci(bits)
        elif mode == 3:
            bits.take(16)  # structured append: the place in the row and its parity
        elif mode == 9:
            bits.take(8)  # FNC1 in second position: the application indicator
        elif mode in _COUNT_BITS:
            more = _segment(bits, mode, version)
            raw += more
            text += _decoded(more, mode, charset)
        elif mode != 5:
            raise Unparseable(f"mode {mode}")
    return Content(text, raw, _padding(bits, data))


def _eci(bits: _Bits) -> str | None:
    first = bits.take(8)
    if first & 0x80 == 0:
        designator = first
    elif first & 0xC0 == 0x80:
        designator = (first & 0x3F) << 8 | bits.take(8)
    else:
        designator = (first & 0x1F) << 16 | bits.take(16)
    if 4 <= designator <= 18:
        return f"iso8859-{designator - 2}"
    return _CHARSETS.get(designator)


def _segment(bits: _Bits, mode: int, version: int) -> bytes:
    count = bits.take(_COUNT_BITS[mode][(version > 9) + (version > 26)])
    if mode == 1:
        return _digits(bits, count)
    if mode == 2:
        return _alphanumerics(bits, count)
    if mode == 4:
        return bytes(bits.take(8) for _ in range(count))
    return b"".join(_kanji(bits.take(13)) for _ in range(count))


def _digits(bits: _Bits, count: int) -> bytes:
    text = ""
    while count:
        taken = min(3, count)
        value = bits.take((0, 4, 7, 10)[taken])
        if value >= 10**taken:
            raise Unparseable(f"{taken} digits of value {value}")
        text += f"{value:0{taken}d}"
        count -= taken
    return text.encode()


def _alphanumerics(bits: _Bits, count: int) -> bytes:
    text = ""
    for _ in range(count // 2):
        high, low = divmod(bits.take(11), 45)
        if high > 44:
            raise Unparseable("a pair beyond the alphabet")
        text += _ALPHANUMERIC[high] + _ALPHANUMERIC[low]
    if count % 2:
        last = bits.take(6)
        if last > 44:
            raise Unparseable("a character beyond the alphabet")
        text += _ALPHANUMERIC[last]
    return text.encode()


def _kanji(value: int) -> bytes:
    word = (value // 0xC0) << 8 | value % 0xC0
    return (word + (0x8140 if word < 0x1F00 else 0xC140)).to_bytes(2, "big")


def _decoded(raw: bytes, mode: int, charset: str | None) -> str:
    """Byte segments without a designator are UTF-8 nowadays, Shift JIS in Japan, ISO 8859-1 by the standard."""
    if mode == 8:
        return raw.decode("shift_jis", "replace")
    if charset is not None:
        return raw.decode(charset, "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("shift_jis" if _JAPANESE.search(raw) else "iso8859-1", "replace")


def _padding(bits: _Bits, data: bytes) -> int:
    """Bits after the end mark that are as they must be: zeros to the byte's end, then EC 11 in turn (7.4.10).

    Some encoders write one more 00 first, some write 00 throughout. Raises Unparseable on anything else.
    """
    zeros, whole = bits.left % 8, bits.left // 8
    if bits.take(zeros):
        raise Unparseable("no zeros after the end")
    pad = data[len(data) - whole :]
    usual = bytes(0xEC if i % 2 == 0 else 0x11 for i in range(whole))
    if pad not in {usual, b"\0" + usual[:-1] if whole else b"", bytes(whole)}:
        raise Unparseable("no padding after the end")
    return zeros + 8 * whole
