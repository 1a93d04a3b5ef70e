"""Google Smart Tap 2.1, the terminal's side: a loyalty pass of Google Wallet, read from a phone by APDUs.

developers.google.com/wallet/smart-tap, terminal reference (APDU commands, status words). No clock and no I/O: an
`Exchange` carries the APDUs, whichever reader it leads to. The merchant's key proves to the phone who asks, the answer
is encrypted for this one tap. Google wants terminals that use it to be certified; this one is not.
"""

import hmac
import zlib
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from drivers.apdu import OK, Exchange, select
from drivers.bearers import WALLETS
from drivers.ndef import MAX_MESSAGE, Damaged, records_in
from drivers.passes import NoPass, Reason
from drivers.tlv import find

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

SMART_TAP: Final = select(bytes.fromhex("a000000476d0000111"))
LOYALTY: Final = 0x03
"""Service type: loyalty cards only."""
CAPABILITIES: Final = bytes.fromhex("0100000001")
"""A till that stands alone, no compression, passes only and no payment."""
MAX_PARTS: Final = 16
"""Answers that make up one pass; a phone gives it in one or two."""

_GOOGLE: Final = b"AndroidPay"
_LABEL, _NONCE = 0x50, 0xC2
_NONCE_LENGTH: Final = 32
_VERSION: Final = b"\x00\x01"
_BINARY: Final = b"\x04"
"""Payload format byte."""
_LIVE: Final = b"\x01"
"""Authentication byte: the phone's nonce is among what is signed."""
_STATUS_OK: Final = b"\x01"
_NEGOTIATE, _GET_DATA = bytes.fromhex("90530000"), bytes.fromhex("90500000")
_GET_MORE: Final = bytes.fromhex("90c0000000")
_MORE: Final = b"\x91\x00"
_ENCRYPTED, _COMPRESSED = 0x01, 0x02
"""Flags in the first byte of a record bundle."""
_IV, _MAC = 12, 32
_SHORT, _EXTERNAL, _BEGIN, _END = 0x10, 0x04, 0x80, 0x40
"""Header bits of an NDEF record."""


STATUSES: Final = {0x9001: Reason.NO_PASS, 0x9302: Reason.CHOOSE}
"""The others of 95xx say that the phone does not trust the terminal; anything else is a refusal."""


class Merchant(NamedTuple):
    """`collector` is Google's number for the merchant, `key` the private key of this version (P-256)."""

    collector: int
    key_version: int
    key: "EllipticCurvePrivateKey"


class Session(NamedTuple):
    """What both sides know of one tap; `signed` is what the signature stands under."""

    id: bytes
    sequence: int
    ephemeral: "EllipticCurvePrivateKey"
    phone_key: bytes
    signed: bytes
    signature: bytes


def read_pass(merchant: Merchant, exchange: Exchange, random: Callable[[int], bytes]) -> str:
    """The redemption value of the loyalty pass. Raises NoPass, and Damaged when an answer breaks the format."""
    nonce = phone_nonce(exchange)
    session = _negotiated(merchant, nonce, exchange, random)
    return value_in(opened(session, _bundle(_pass_data(merchant, session, exchange))))


def phone_nonce(exchange: Exchange) -> bytes:
    """Of 32 bytes. Phones with older software tell it only when Smart Tap itself is selected."""
    answer = exchange(WALLETS)
    if answer[-2:] != OK or find(answer[:-2], _LABEL) != _GOOGLE:
        raise NoPass(Reason.ANOTHER_WALLET, "no Google Wallet answers")
    nonce = find(answer[:-2], _NONCE)
    if nonce is None:
        answer = _checked(exchange(SMART_TAP))
        if not answer[:2] <= _VERSION <= answer[2:4]:
            raise NoPass(Reason.REFUSED, "the phone does not speak Smart Tap 2.1")
        nonce = _named(answer[4:], b"mdn").removeprefix(_BINARY)
    if len(nonce) != _NONCE_LENGTH:
        raise Damaged(f"a nonce of {len(nonce)} bytes")
    return nonce


def negotiate_command(session: bytes, nonce: bytes, ephemeral: bytes, version: int, signature: bytes, by: int) -> bytes:
    """Of a session of 8 bytes, our nonce, our ephemeral key (33 bytes), key version, signature and collector."""
    proof = message((b"sig", _BINARY + signature), (b"cld", _BINARY + by.to_bytes(4, "big")))
    parameters = nonce + _LIVE + ephemeral + version.to_bytes(4, "big") + proof
    return _command(
        _NEGOTIATE, message((b"ngr", _VERSION + message((b"ses", session + _STATUS_OK), (b"cpr", parameters))))
    )


def get_data_command(session: bytes, by: int, service: int = LOYALTY, capabilities: bytes = CAPABILITIES) -> bytes:
    """For one service of the collector `by`; `session` with its sequence number, 9 bytes."""
    parts = message(
        (b"ses", session + _STATUS_OK),
        (b"mer", message((b"cld", _BINARY + by.to_bytes(4, "big")))),
        (b"slr", message((b"str", bytes([service])))),
        (b"pcr", capabilities),
    )
    return _command(_GET_DATA, message((b"srq", _VERSION + parts)))


def message(*records: tuple[bytes, bytes]) -> bytes:
    """An NDEF message of external types, each payload of at most 255 bytes."""
    last = len(records) - 1
    headers = [_SHORT | _EXTERNAL | _BEGIN * (at == 0) | _END * (at == last) for at in range(len(records))]
    return b"".join(
        bytes([header, len(kind), len(payload)]) + kind + payload
        for header, (kind, payload) in zip(headers, records, strict=True)
    )


def opened(session: Session, bundle: bytes) -> bytes:
    """The NDEF message in a record bundle: checked, decrypted, unpacked. Raises Damaged."""
    flags, data = bundle[0] if bundle else 0, bundle[1:]
    if not flags & _ENCRYPTED:
        raise Damaged("a pass that is not encrypted")  # nothing would tie it to this tap
    data = _decrypted(session, data)
    if not flags & _COMPRESSED:
        return data
    unpacking = zlib.decompressobj()
    try:
        data = unpacking.decompress(data, MAX_MESSAGE)
    except zlib.error as error:
        raise Damaged(f"compressed data: {error}") from error
    if not unpacking.eof:
        raise Damaged(f"a pass of more than {MAX_MESSAGE} bytes, or cut off")
    return data


def value_in(passes: bytes) -> str:
    """The number of the first loyalty pass among the service values. Raises NoPass and Damaged."""
    for service in records_in(passes):
        if service.kind != b"asv":
            continue
        for record in records_in(service.payload):
            if record.kind == b"ly":
                return _text(_named(record.payload, b"n"))
    raise NoPass(Reason.NO_PASS, "no loyalty pass among what the phone gave")


def _negotiated(merchant: Merchant, nonce: bytes, exchange: Exchange, random: Callable[[int], bytes]) -> Session:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    own_nonce, session = random(_NONCE_LENGTH), random(8) + b"\x01"
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    public = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    signed = own_nonce + nonce + merchant.collector.to_bytes(4, "big") + public
    signature = merchant.key.sign(signed, ec.ECDSA(SHA256()))
    command = negotiate_command(session, own_nonce, public, merchant.key_version, signature, merchant.collector)
    answer = _named(_checked(exchange(command)), b"nrs")
    state = _named(answer, b"ses")
    if len(state) != 10 or state[:8] != session[:8] or state[9:] != _STATUS_OK:
        raise Damaged("the answer is of another session")
    return Session(session[:8], state[8], ephemeral, _named(answer, b"dpk"), signed, signature)


def _pass_data(merchant: Merchant, session: Session, exchange: Exchange) -> bytes:
    sequence = bytes([(session.sequence + 1) & 0xFF])
    answer, data = exchange(get_data_command(session.id + sequence, merchant.collector)), b""
    for _ in range(MAX_PARTS):
        data += answer[:-2]
        if answer[-2:] != _MORE:
            _checked(answer)
            return data
        answer = exchange(_GET_MORE)
    raise Damaged(f"a pass in more than {MAX_PARTS} parts")


def _bundle(answer: bytes) -> bytes:
    return _named(_named(answer, b"srs"), b"reb")


def _decrypted(session: Session, data: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    try:
        phone = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), session.phone_key)
    except ValueError as error:
        raise Damaged("the phone's key is no point of the curve") from error
    shared = session.ephemeral.exchange(ec.ECDH(), phone)
    keys = HKDF(SHA256(), 48, salt=session.phone_key, info=session.signed + session.signature).derive(shared)
    covered, mac = data[:-_MAC], data[-_MAC:]
    if len(covered) < _IV or not hmac.compare_digest(hmac.digest(keys[16:], covered, sha256), mac):
        raise Damaged("the pass was changed on its way")
    cipher = Cipher(algorithms.AES(keys[:16]), modes.CTR(covered[:_IV] + bytes(4))).decryptor()
    return cipher.update(covered[_IV:]) + cipher.finalize()


def _command(head: bytes, data: bytes) -> bytes:
    return head + bytes([len(data)]) + data + b"\x00"


def _checked(answer: bytes) -> bytes:
    """The data of an answer. Raises NoPass for any status but success."""
    if answer[-2:] == OK:
        return answer[:-2]
    status = int.from_bytes(answer[-2:], "big")
    reason = STATUSES.get(status, Reason.NOT_TRUSTED if status >> 8 == 0x95 else Reason.REFUSED)
    raise NoPass(reason, f"status {answer[-2:].hex()}")


def _named(data: bytes, name: bytes) -> bytes:
    """The payload of the first record of this name: its id, or its type where it has no id. Raises Damaged."""
    for record in records_in(data):
        if (record.id or record.kind) == name:
            return record.payload
    raise Damaged(f"no record {name.decode()}")


def _text(payload: bytes) -> str:
    """Behind its format byte."""
    try:
        return payload[1:].decode()
    except UnicodeDecodeError as error:
        raise Damaged(f"a number that is no text: {error.reason}") from error
