"""The file of card keys: TOML, one `name = "hexadecimal"` a line, readable by its owner alone.

Values never appear in a message, a log or a repr.
"""

import os
import stat
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 65536
LONGEST_KEY: Final = 64
"""Bytes."""


class KeysUnusable(Exception):
    """What is wrong with the file, and what mends it; without any of its contents."""


class Keys:
    """Keys by name."""

    def __init__(self, keys: dict[str, bytes], path: str = "") -> None:
        self._keys = keys
        self._path = path

    def __repr__(self) -> str:
        return f"Keys({len(self._keys)} of {self._path or 'nowhere'})"

    def get(self, name: str, length: int | None = None) -> bytes:
        """Raises KeysUnusable when it is missing or not of `length` bytes."""
        key = self._keys.get(name)
        if key is None:
            raise KeysUnusable(f'{self._path or "no key file"} has no key {name!r}: add a line {name} = "...".')
        if length is not None and len(key) != length:
            raise KeysUnusable(f"the key {name!r} in {self._path} has {len(key)} bytes, not {length}.")
        return key


NO_KEYS: Final = Keys({})


def load_keys(path: Path) -> Keys:
    """Raises KeysUnusable."""
    try:
        # A pipe in its place must not keep the till waiting.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            status, content = os.fstat(file.fileno()), file.read(MAX_BYTES + 1)
    except OSError as error:
        raise KeysUnusable(f"{path} cannot be read: {error.strerror}.") from error
    if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077 or status.st_uid not in (os.geteuid(), 0):
        raise KeysUnusable(f"{path} holds keys and others may read it: chown it to the till's user and chmod 600 it.")
    return _parsed(content, path)


def _parsed(content: bytes, path: Path) -> Keys:
    import tomllib

    try:
        if len(content) > MAX_BYTES:
            raise ValueError
        # The parser's own words would repeat a part of a key.
        table = tomllib.loads(content.decode())
    except (ValueError, RecursionError):
        raise KeysUnusable(f'{path} is no key file: write a line name = "hexadecimal" for each key.') from None
    return Keys({name: _key(name, value, path) for name, value in table.items()}, str(path))


def _key(name: str, value: object, path: Path) -> bytes:
    try:
        key = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        key = b""
    if not 0 < len(key) <= LONGEST_KEY:
        raise KeysUnusable(f"the key {name!r} in {path} must be 1 to {LONGEST_KEY} bytes in hexadecimal, in quotes.")
    return key
