"""Whether NXP has made a chip: its signature over the serial number (NXP AN11350, AN11341).

ECDSA on secp128r1 (SEC 2 version 1 section 2.6.1) without a hash: the message is the serial number itself, the
signature r and s, 16 bytes each. The signature lies readable on every chip, so it can be copied onto a chip whose
serial number can be written: this tells cheap imitations, it proves nothing. No library that we use has the curve;
nothing here is secret, so it need not take constant time.
"""

from typing import Final, NamedTuple


class Point(NamedTuple):
    """On the curve, in affine coordinates."""

    x: int
    y: int


_P: Final = 0xFFFFFFFD_FFFFFFFF_FFFFFFFF_FFFFFFFF
_A: Final = -3
_N: Final = 0xFFFFFFFE_00000000_75A30D1B_9038A115
_G: Final = Point(0x161FF752_8B899B2D_0C28607C_A52C5B86, 0xCF5AC839_5BAFEB13_C02DA292_DDED7A83)

KEYS: Final = (
    # NTAG21x and NTAG I2C plus (AN11350)
    Point(0x494E1A38_6D3D3CFE_3DC10E5D_E68A499B, 0x1C202DB5_B132393E_89ED19FE_5BE8BC61),
    # MIFARE Ultralight EV1 (AN11341)
    Point(0x90933BDC_D6E99B4E_255E3DA5_5389A827, 0x564E1171_8E017292_FAF23226_A96614B8),
)
SIGNATURE_LENGTH: Final = 32


def is_original(uid: bytes, signature: bytes) -> bool:
    """Of any bytes: what is no signature is no proof."""
    r, s = int.from_bytes(signature[:16], "big"), int.from_bytes(signature[16:], "big")
    if len(signature) != SIGNATURE_LENGTH or not (0 < r < _N and 0 < s < _N):
        return False
    inverse = pow(s, -1, _N)
    message = int.from_bytes(uid, "big")
    factors = message * inverse % _N, r * inverse % _N
    points = (_combined(*factors, key) for key in KEYS)
    return any(point is not None and point.x % _N == r for point in points)


def _combined(of_g: int, of_key: int, key: Point) -> Point | None:
    """`of_g` times the generator plus `of_key` times the key, bit by bit at once; None is the point at infinity."""
    summands = {(1, 0): _G, (0, 1): key, (1, 1): _added(_G, key)}
    total: Point | None = None
    for bit in reversed(range(_N.bit_length())):
        total = _added(total, total)
        if wanted := (of_g >> bit & 1, of_key >> bit & 1) if (of_g | of_key) >> bit & 1 else None:
            total = _added(total, summands[wanted])
    return total


def _added(one: Point | None, other: Point | None) -> Point | None:
    """SEC 1 section 2.2.1."""
    if one is None or other is None:
        return one or other
    if one.x == other.x:
        if one.y != other.y or not one.y:
            return None
        slope = (3 * one.x * one.x + _A) * pow(2 * one.y, -1, _P)
    else:
        slope = (other.y - one.y) * pow(other.x - one.x, -1, _P)
    x = (slope * slope - one.x - other.x) % _P
    return Point(x, (slope * (one.x - x) - one.y) % _P)
