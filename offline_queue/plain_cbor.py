"""The part of CBOR (RFC 8949) that claim codes use: whole numbers, bytes, texts, arrays, maps of numbered things. Pure.

Only the core deterministic encoding (section 4.2.1) is read, so a value has one form and bytes have one meaning. No
floats, tags, simple values or indefinite lengths: what is not needed cannot be abused.
"""

from typing import Final

Item = int | bytes | str | list["Item"] | dict[int, "Item"]

MAX_DEPTH: Final = 3
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP = range(6)
_SIZES: Final = ((24, 1), (25, 2), (26, 4), (27, 8))
"""The additional information of a head, and how many bytes of argument follow it (section 3)."""


def encode(item: Item) -> bytes:
    """Raises OverflowError for numbers beyond 64 bits."""
    if isinstance(item, int):
        return _head(_UNSIGNED, item) if item >= 0 else _head(_NEGATIVE, -1 - item)
    if isinstance(item, bytes):
        return _head(_BYTES, len(item)) + item
    if isinstance(item, str):
        text = item.encode()
        return _head(_TEXT, len(text)) + text
    if isinstance(item, list):
        return _head(_ARRAY, len(item)) + b"".join(map(encode, item))
    pairs = sorted((encode(key), encode(value)) for key, value in item.items())
    return _head(_MAP, len(pairs)) + b"".join(key + value for key, value in pairs)


def decode(data: bytes) -> Item:
    """The one item that these bytes are. Raises ValueError for anything else."""
    item, rest = _item(data, MAX_DEPTH)
    if rest:
        raise ValueError(f"{len(rest)} bytes too many")
    return item


def _head(kind: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([kind << 5 | argument])
    information, size = next((entry for entry in _SIZES if argument < 256 ** entry[1]), _SIZES[-1])
    return bytes([kind << 5 | information]) + argument.to_bytes(size, "big")


def _item(data: bytes, depth: int) -> tuple[Item, bytes]:
    if not depth:
        raise ValueError("nested too deep")
    kind, argument, rest = _argument(data)
    if kind == _UNSIGNED:
        return argument, rest
    if kind == _NEGATIVE:
        return -1 - argument, rest
    if argument > len(rest):
        raise ValueError("longer than what is there")
    if kind == _BYTES:
        return rest[:argument], rest[argument:]
    if kind == _TEXT:
        return rest[:argument].decode(), rest[argument:]
    return _array(rest, argument, depth - 1) if kind == _ARRAY else _map(rest, argument, depth - 1)


def _argument(data: bytes) -> tuple[int, int, bytes]:
    """The kind of an item, the argument of its head in its shortest form, and the bytes behind it."""
    if not data:
        raise ValueError("an item is missing")
    kind, information = data[0] >> 5, data[0] & 31
    if kind > _MAP:
        raise ValueError(f"an item of major type {kind}")
    if information < 24:
        return kind, information, data[1:]
    size = dict(_SIZES).get(information, 0)
    argument = int.from_bytes(data[1 : 1 + size], "big")
    if not size or len(data) <= size or _head(kind, argument) != data[: 1 + size]:
        raise ValueError("a head that is cut short or not the shortest")
    return kind, argument, data[1 + size :]


def _array(data: bytes, count: int, depth: int) -> tuple[Item, bytes]:
    items: list[Item] = []
    for _ in range(count):
        item, data = _item(data, depth)
        items.append(item)
    return items, data


def _map(data: bytes, count: int, depth: int) -> tuple[Item, bytes]:
    """Keys are whole numbers in ascending order of their bytes, so none comes twice."""
    found: dict[int, Item] = {}
    before = b""
    for _ in range(count):
        key, rest = _item(data, 1)
        written = data[: len(data) - len(rest)]
        if not isinstance(key, int) or written <= before:
            raise ValueError("a map's keys are no numbers in order")
        found[key], data = _item(rest, depth)
        before = written
    return found, data
