"""Apple VAS (Value Added Services) 1.0, the terminal's side: a loyalty pass of Apple Wallet, read by APDUs.

Apple publishes no description. What stands here is what others found (kormax/apple-vas, README; proxmark3,
client/src/cmdhfvas.c), was held to their published trace, and was never tried with a phone. Off unless the config says
otherwise: passes that answer to NFC and terminals that ask for them need agreements with Apple (docs/readers.md).

The answer is encrypted for the merchant, not for this tap: the terminal gives no nonce. Who held the unlocked phone
can play its answer again, as long as the time in it is believed. So a pass identifies, and proves nothing.
"""

from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from drivers.apdu import OK, Exchange
from drivers.bearers import WALLETS
from drivers.ndef import Damaged
from drivers.passes import NoPass, Reason
from drivers.tlv import find

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

EPOCH_S: Final = 978307200
"""Apple's times begin with the year 2001 (UTC), this many seconds after the Unix epoch."""
MOST_DATA: Final = 64
"""Bytes of a pass's message (pass.json, `nfc.message`)."""

_APPLE: Final = b"ApplePay"
_LABEL, _VERSION, _CRYPTOGRAM = 0x50, 0x9F21, 0x9F27
_VERSION_1: Final = b"\x01\x00"
_GET_DATA: Final = bytes.fromhex("80ca0101")
"""The pass itself; with 00 in place of the last byte the phone is only shown where to get one."""
_ASKED_VERSION: Final = bytes.fromhex("9f22020100")
_RESERVED: Final = bytes.fromhex("9f280400000000")
_PASS_ONLY: Final = bytes.fromhex("9f260400000002")
"""A pass and no payment, one request."""
_PASS_ID: Final = bytes.fromhex("9f2520")

_NO_PASS, _LOCKED = bytes.fromhex("6a83"), bytes.fromhex("6287")
_KEY_ID, _POINT, _TAG, _TIME = 4, 32, 16, 4
_EVEN: Final = b"\x02"
"""The phone tells the x of its key alone. Either y gives the same secret."""
_VECTOR: Final = bytes(16)
_PURPOSE: Final = b"ApplePay encrypted VAS data"
_ALGORITHM: Final = b"\x0did-aes256-GCM"


class Merchant(NamedTuple):
    """`pass_type` is the identifier of the shop's passes, `keys` the private keys of their versions (P-256).

    `tolerance_s` is how far the phone's time may be from the till's, 0 for any.
    """

    pass_type: str
    keys: tuple["EllipticCurvePrivateKey", ...]
    tolerance_s: int


class Told(NamedTuple):
    """What a phone has told: seconds of the Unix epoch, and the pass's message."""

    at: int
    text: str


def read_pass(merchant: Merchant, exchange: Exchange, now_s: float) -> str:
    """The pass's message. Raises NoPass, and Damaged when an answer breaks the format."""
    meet(exchange(WALLETS))
    told = opened(merchant, cryptogram_in(exchange(get_data_command(merchant.pass_type))))
    if merchant.tolerance_s and abs(told.at - now_s) > merchant.tolerance_s:
        raise NoPass(Reason.OLD, f"its time differs from the till's by {round(told.at - now_s)} s")
    return told.text


def meet(answer: bytes) -> None:
    """Whether who answered to the wallets' name is Apple's, of a version that we speak. Raises NoPass and Damaged."""
    if answer[-2:] != OK or find(answer[:-2], _LABEL) != _APPLE:
        raise NoPass(Reason.ANOTHER_WALLET, "no Apple Wallet answers")
    if find(answer[:-2], _VERSION) != _VERSION_1:
        raise NoPass(Reason.REFUSED, "the phone does not speak VAS 1.0")


def get_data_command(pass_type: str) -> bytes:
    """For the passes of this identifier."""
    data = _ASKED_VERSION + _RESERVED + _PASS_ONLY + _PASS_ID + _hash(pass_type)
    return _GET_DATA + bytes([len(data)]) + data + b"\x00"


def cryptogram_in(answer: bytes) -> bytes:
    """Of an answer to GET DATA. Raises NoPass and Damaged."""
    status = answer[-2:]
    if status == _NO_PASS:
        raise NoPass(Reason.NO_PASS, "the phone has no pass of this kind, or another one is chosen")
    if status == _LOCKED:
        raise NoPass(Reason.LOCKED, "the phone waits for its owner")
    if status != OK:
        raise NoPass(Reason.REFUSED, f"status {status.hex()}")
    cryptogram = find(answer[:-2], _CRYPTOGRAM)
    if cryptogram is None:
        raise Damaged("an answer without a cryptogram")
    return cryptogram


def key_id(key: "EllipticCurvePrivateKey") -> bytes:
    """By which a phone names the key that a pass is encrypted for."""
    return sha256(key.public_key().public_numbers().x.to_bytes(_POINT, "big")).digest()[:_KEY_ID]


def opened(merchant: Merchant, cryptogram: bytes) -> Told:
    """Raises NoPass when none of the merchant's keys is meant, Damaged when the cryptogram is not whole."""
    least, most = (_KEY_ID + _POINT + _TIME + size + _TAG for size in (0, MOST_DATA))
    if not least <= len(cryptogram) <= most:
        raise Damaged(f"a cryptogram of {len(cryptogram)} bytes")
    wanted, rest = cryptogram[:_KEY_ID], cryptogram[_KEY_ID:]
    key = next((one for one in merchant.keys if key_id(one) == wanted), None)
    if key is None:
        raise NoPass(Reason.NOT_TRUSTED, f"the pass is for the key {wanted.hex()}, which is not in the config")
    data = _decrypted(_shared(key, rest[:_POINT]), merchant.pass_type, rest[_POINT:])
    try:
        text = data[_TIME:].decode()
    except UnicodeDecodeError as error:
        raise Damaged(f"a message that is no text: {error.reason}") from error
    if not text.isprintable() or not text:
        raise Damaged("a message that is no text")
    return Told(EPOCH_S + int.from_bytes(data[:_TIME], "big"), text)


def _shared(key: "EllipticCurvePrivateKey", point: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        phone = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _EVEN + point)
    except ValueError as error:
        raise Damaged("the phone's key is no point of the curve") from error
    return key.exchange(ec.ECDH(), phone)


def _decrypted(shared: bytes, pass_type: str, data: bytes) -> bytes:
    """Phones of both known kinds: the pass's name goes into the key, or beside the data."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF

    name = _hash(pass_type)
    for info, beside in ((_ALGORITHM + _PURPOSE + name, None), (_PURPOSE, name)):
        secret = X963KDF(SHA256(), 32, sharedinfo=info).derive(shared)
        try:
            return AESGCM(secret).decrypt(_VECTOR, data, beside)
        except InvalidTag:
            continue
    raise Damaged("the pass was changed on its way, or is for another merchant")


def _hash(pass_type: str) -> bytes:
    return sha256(pass_type.encode()).digest()
