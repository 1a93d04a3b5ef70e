"""AES-128 as cards use it: CBC without padding, CMAC (NIST SP 800-38B) and keys made for one card (NXP AN10922).

Libraries are loaded where they are used: most readers never see a card with keys, and OpenSSL costs them megabytes.
"""

from typing import Final

BLOCK: Final = 16
KEY: Final = 16
ZERO: Final = bytes(BLOCK)
SHORTEST_INPUT: Final = 16
LONGEST_INPUT: Final = 31
"""Bytes that AN10922 diversifies with. It pads shorter ones in a way of its own, for which we have no vectors."""

_AES_128: Final = b"\x01"


def load() -> None:
    """Loads the library now rather than while a customer waits: it takes 12 to 20 ms."""
    cmac(bytes(KEY), decrypt(bytes(KEY), encrypt(bytes(KEY), ZERO)))
    is_same(ZERO, ZERO)


def encrypt(key: bytes, data: bytes, vector: bytes = ZERO) -> bytes:
    """CBC; `data` is whole blocks."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    encryptor = Cipher(algorithms.AES128(key), modes.CBC(vector)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def decrypt(key: bytes, data: bytes, vector: bytes = ZERO) -> bytes:
    """CBC; `data` is whole blocks."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    decryptor = Cipher(algorithms.AES128(key), modes.CBC(vector)).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def cmac(key: bytes, message: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import algorithms
    from cryptography.hazmat.primitives.cmac import CMAC

    summed = CMAC(algorithms.AES128(key))
    summed.update(message)
    return summed.finalize()


def short_mac(key: bytes, message: bytes) -> bytes:
    """Every second byte of the CMAC: the eight that NXP's cards send (AN12196 section 3.4.4.2)."""
    return cmac(key, message)[1::2]


def is_same(mac: bytes, other: bytes) -> bool:
    """In a time that does not tell how much of it was right."""
    import hmac

    return hmac.compare_digest(mac, other)


def diversified(master: bytes, card: bytes) -> bytes:
    """A card's own key; `card` is its serial number and what the issuer adds, SHORTEST_INPUT to LONGEST_INPUT bytes."""
    if not SHORTEST_INPUT <= len(card) <= LONGEST_INPUT:
        raise ValueError(f"{len(card)} bytes to diversify with, not {SHORTEST_INPUT} to {LONGEST_INPUT}")
    return cmac(master, _AES_128 + card)
