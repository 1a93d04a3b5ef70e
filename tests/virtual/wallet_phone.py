"""A phone with Google Wallet and one loyalty pass, written from the public description of Smart Tap 2.1.

It trusts the merchant whose public key it was given, checks the signature over this very tap, and encrypts the pass
for it. `asked` holds the commands that it has seen.
"""

import hmac
import secrets
import zlib
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.virtual.cards import NOT_FOUND, OK, tlv

OSE = b"OSE.VAS.01"
SMART_TAP = bytes.fromhex("a000000476d0000111")
LOYALTY = 3


def record(kind: bytes, payload: bytes, first: bool = True, last: bool = True, id_: bytes = b"", tnf: int = 4) -> bytes:
    """One NDEF record (NDEF 1.0 section 3.2); long payloads get a length of four bytes."""
    header = tnf | 0x80 * first | 0x40 * last | 0x10 * (len(payload) < 256) | 0x08 * bool(id_)
    length = bytes([len(payload)]) if len(payload) < 256 else len(payload).to_bytes(4, "big")
    return bytes([header, len(kind)]) + length + (bytes([len(id_)]) if id_ else b"") + kind + id_ + payload


def parts(data: bytes) -> dict[bytes, bytes]:
    """Payloads by type, of short records."""
    found, at = {}, 0
    while at < len(data):
        kind, length = data[at + 1], data[at + 2]
        found[data[at + 3 : at + 3 + kind]] = data[at + 3 + kind : at + 3 + kind + length]
        at += 3 + kind + length
    return found


@dataclass
class WalletPhone:
    """`trusted` are public keys by collector and version; `status` is what GET DATA answers in place of the pass."""

    value: str
    trusted: dict[tuple[int, int], ec.EllipticCurvePublicKey]
    tells_nonce_at_once: bool = True
    compresses: bool = False
    part: int = 200
    status: bytes = OK
    damage: int | None = None
    uid: bytes | None = None
    atr: bytes = bytes.fromhex("3b8180018080")
    asked: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._nonce = secrets.token_bytes(32)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._public = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        self._keys: bytes | None = None
        self._session = b""
        self._waiting = b""

    def answer(self, apdu: bytes) -> bytes:
        self.asked.append(apdu)
        if apdu[:4] == b"\xff\xca\x00\x00":
            return b"\x6a\x81"
        if apdu[:4] == b"\x00\xa4\x04\x00":
            return self._select(apdu[5 : 5 + apdu[4]])
        commands: dict[bytes, Any] = {b"\x90\x53": self._negotiate, b"\x90\x50": self._give, b"\x90\xc0": self._more}
        handler = commands.get(apdu[:2])
        return handler(apdu[5 : 5 + apdu[4]]) if handler else b"\x6d\x00"

    def _select(self, name: bytes) -> bytes:
        if name == OSE:
            crypto = tlv("c2", self._nonce) + tlv("c3", self._public) if self.tells_nonce_at_once else b""
            return tlv("6f", tlv("50", b"AndroidPay"), tlv("c0", b"\x00\x01"), crypto) + OK
        if name == SMART_TAP:
            return b"\x00\x00\x00\x01" + record(b"mdn", b"\x04" + self._nonce, id_=b"mdn") + OK
        return NOT_FOUND

    def _negotiate(self, data: bytes) -> bytes:
        request = parts(parts(data)[b"ngr"][2:])
        parameters, session = request[b"cpr"], request[b"ses"]
        nonce, public, version = parameters[:32], parameters[33:66], int.from_bytes(parameters[66:70], "big")
        proof = parts(parameters[70:])
        signature, collector = proof[b"sig"][1:], proof[b"cld"][1:]
        signed = nonce + self._nonce + collector + public
        try:
            merchant = self.trusted[int.from_bytes(collector, "big"), version]
            merchant.verify(signature, signed, ec.ECDSA(SHA256()))
        except (KeyError, InvalidSignature):
            return b"\x95\x00"
        shared = self._key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public))
        self._keys = HKDF(SHA256(), 48, salt=self._public, info=signed + signature).derive(shared)
        self._session = session[:8] + bytes([session[8] + 1, 1])
        answer = record(b"ses", self._session, last=False) + record(b"dpk", self._public, first=False)
        return record(b"nrs", answer) + OK

    def _give(self, data: bytes) -> bytes:
        request = parts(parts(data)[b"srq"][2:])
        assert self._keys is not None
        assert request[b"ses"][:8] == self._session[:8]
        assert request[b"ses"][8] > self._session[8]
        if self.status != OK or parts(request[b"slr"])[b"str"] != bytes([LOYALTY]):
            return self.status
        bundle = bytearray(self._encrypted())
        if self.damage is not None:
            bundle[self.damage] ^= 1
        session = self._session[:8] + bytes([request[b"ses"][8] + 1, 1])
        answer = record(b"ses", session, last=False) + record(b"reb", bytes(bundle), first=False)
        self._waiting = record(b"srs", answer)
        return self._more(b"")

    def _encrypted(self) -> bytes:
        assert self._keys is not None
        number = record(b"T", b"\x00" + self.value.encode(), id_=b"n", tnf=1)
        issuer = record(b"i", b"\x04\x01\x02\x03\x04\x05", last=False)
        loyalty = issuer + record(b"ly", number, first=False)
        data = record(b"asv", loyalty)
        if self.compresses:
            data = zlib.compress(data)
        iv = secrets.token_bytes(12)
        cipher = Cipher(algorithms.AES(self._keys[:16]), modes.CTR(iv + bytes(4))).encryptor()
        covered = iv + cipher.update(data) + cipher.finalize()
        return bytes([3 if self.compresses else 1]) + covered + hmac.digest(self._keys[16:], covered, sha256)

    def _more(self, _: bytes) -> bytes:
        part, self._waiting = self._waiting[: self.part], self._waiting[self.part :]
        return part + (b"\x91\x00" if self._waiting else OK)
