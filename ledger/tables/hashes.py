"""Names from outside as the books index them: short and of one length."""

import hashlib


def short_hash(name: str) -> int:
    """64 bits, with sign as the engines have it."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)


def long_hash(name: str) -> bytes:
    """128 bits: so many that equal ones may be taken for one name."""
    return hashlib.blake2b(name.encode(), digest_size=16).digest()
