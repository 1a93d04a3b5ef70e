"""A phone with Apple Wallet and one loyalty pass, written from the public descriptions of VAS 1.0.

From the phone's side: it draws a key for each tap, derives the secret by hand (ANSI X9.63 is one hash here) and
encrypts with the cipher itself, so that it shares no code with what reads it. `asked` holds the commands it has seen.
"""

from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.virtual.cards import NOT_FOUND, OK, tlv

OSE = b"OSE.VAS.01"
YEAR_2001_S = 978307200


def asked_for(data: bytes) -> dict[str, bytes]:
    """The TLVs of a GET DATA: tags of two bytes, lengths of one."""
    found, at = {}, 0
    while at < len(data):
        length = data[at + 2]
        found[data[at : at + 2].hex()] = data[at + 3 : at + 3 + length]
        at += 3 + length
    return found


@dataclass
class ApplePhone:
    """`status` is what GET DATA answers in place of the pass; `older` encrypts in the other known way."""

    value: str
    pass_type: str
    merchant: ec.EllipticCurvePublicKey
    now_s: int
    older: bool = False
    status: bytes = OK
    damage: int | None = None
    version: bytes = b"\x01\x00"
    label: bytes = b"ApplePay"
    uid: bytes | None = None
    atr: bytes = bytes.fromhex("3b8180018080")
    asked: list[bytes] = field(default_factory=list)

    def answer(self, apdu: bytes) -> bytes:
        self.asked.append(apdu)
        if apdu[:4] == b"\x00\xa4\x04\x00":
            return self._selected() if apdu[5 : 5 + apdu[4]] == OSE else NOT_FOUND
        if apdu[:4] == b"\x80\xca\x01\x01":
            return self._given(asked_for(apdu[5 : 5 + apdu[4]]))
        return b"\x6d\x00"

    def _selected(self) -> bytes:
        inner = tlv("50", self.label) + tlv("9f21", self.version) + tlv("9f24", b"\xc0\x5d\x48\xd0")
        return tlv("6f", inner, tlv("9f23", bytes.fromhex("0000001e"))) + OK

    def _given(self, asked: dict[str, bytes]) -> bytes:
        assert asked["9f22"] == b"\x01\x00"
        assert asked["9f26"][3] & 0x03 == 2
        if self.status != OK:
            return self.status
        if asked["9f25"] != sha256(self.pass_type.encode()).digest():
            return b"\x6a\x83"
        cryptogram = bytearray(self._cryptogram())
        if self.damage is not None:
            cryptogram[self.damage] ^= 1
        return tlv("70", tlv("9f2a", b""), tlv("9f27", bytes(cryptogram))) + OK

    def _cryptogram(self) -> bytes:
        own = ec.generate_private_key(ec.SECP256R1())
        name = sha256(self.pass_type.encode()).digest()
        purpose = b"ApplePay encrypted VAS data"
        info = purpose if self.older else bytes([13]) + b"id-aes256-GCM" + purpose + name
        secret = sha256(own.exchange(ec.ECDH(), self.merchant) + (1).to_bytes(4, "big") + info).digest()
        encryptor = Cipher(algorithms.AES(secret), modes.GCM(bytes(16))).encryptor()
        if self.older:
            encryptor.authenticate_additional_data(name)
        plain = (self.now_s - YEAR_2001_S).to_bytes(4, "big") + self.value.encode("latin-1")
        hidden = encryptor.update(plain) + encryptor.finalize() + encryptor.tag
        return sha256(_x(self.merchant)).digest()[:4] + _x(own.public_key()) + hidden


def _x(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_numbers().x.to_bytes(32, "big")
