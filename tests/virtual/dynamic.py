"""A model of NTAG 424 DNA with Secure Dynamic Messaging: a Type 4 tag whose address is new at each tap.

Written from the card's side with the cryptography library alone, so that it shares no code with what reads it.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from tests.virtual.cards import Type4Card, uri_record

HTTPS = 4
"""The identifier code of https:// in a URI record."""


def encrypted(key: bytes, data: bytes, vector: bytes = bytes(16)) -> bytes:
    encryptor = Cipher(algorithms.AES128(key), modes.CBC(vector)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def mac_of(key: bytes, message: bytes) -> bytes:
    mac = CMAC(algorithms.AES128(key))
    mac.update(message)
    return mac.finalize()


@dataclass
class DynamicTag:
    """`beginning` stands before the question mark; `data` is whole blocks of the file that the chip encrypts."""

    beginning: str
    meta_key: bytes
    file_key: bytes
    uid: bytes = bytes.fromhex("04de5f1eacc040")
    taps: int = 0
    data: bytes | None = None
    shown_uid: bytes | None = None
    atr: bytes = bytes.fromhex("3b8180018080")

    def address(self) -> str:
        counter = self.taps.to_bytes(3, "little")
        told = encrypted(self.meta_key, b"\xc7" + self.uid + counter + b"\x00" * 5).hex().upper()
        session = mac_of(self.file_key, b"\x3c\xc3\x00\x01\x00\x80" + self.uid + counter)
        if self.data is None:
            return f"{self.beginning}?picc_data={told}&cmac={_short(session, b'')}"
        reading = mac_of(self.file_key, b"\xc3\x3c\x00\x01\x00\x80" + self.uid + counter)
        file = encrypted(reading, self.data, encrypted(reading, counter + bytes(13))).hex().upper()
        mac = _short(session, f"{file}&cmac=".encode())
        return f"{self.beginning}?picc_data={told}&enc={file}&cmac={mac}"

    def tapped(self) -> Type4Card:
        """The card as a reader finds it at its next tap."""
        self.taps += 1
        message = uri_record(HTTPS, self.address().removeprefix("https://"))
        return Type4Card(message, uid=self.shown_uid or self.uid, atr=self.atr)


def _short(key: bytes, message: bytes) -> str:
    return mac_of(key, message)[1::2].hex().upper()
