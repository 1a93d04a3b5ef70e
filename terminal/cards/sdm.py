"""Secure Dynamic Messaging of NTAG 424 DNA and DESFire EV3: the address that such a card makes anew at each tap.

The card writes its serial number and tap counter into the address (`picc_data`, encrypted, or `uid` and `ctr`, plain)
and a MAC over them with a key that never leaves it (NXP AN12196 section 3.4). A copied address has a counter that was
seen before; that is for the caller to remember. Pure. The LRP mode of these chips is not supported.
"""

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from drivers.aes import BLOCK, cmac, decrypt, diversified, encrypt, is_same, short_mac

NumberFrom = Literal["uid", "file"]

LONGEST: Final = 1024
"""Characters of an address; an NTAG 424's file holds 256 bytes."""

_SESSION_ENCRYPTION: Final = bytes.fromhex("c33c00010080")
_SESSION_MAC: Final = bytes.fromhex("3cc300010080")
"""AN12196 section 3.4.4.1."""
_TAG_OF_BOTH: Final = 0xC7
"""PICCDataTag: serial number and counter are there, the serial number has 7 bytes (AN12196 table 1)."""
_UID_LENGTH: Final = 7
_COUNTER_LENGTH: Final = 3
_HEX = re.compile(r"[0-9A-F]+\Z|[0-9a-f]+\Z", re.ASCII)
_PADDING: Final = b"\x00\xff "


@dataclass(frozen=True)
class SdmRule:
    """How this programme's cards are made. `address` is all that stands before the question mark.

    `picc`, `file` and `mac` name the parameters; without `file` the cards encrypt no file data. `diversification`
    is what follows the serial number in the making of each card's file key, None where all cards share it.
    """

    address: str
    meta_key: bytes = field(repr=False)
    file_key: bytes = field(repr=False)
    diversification: bytes | None = None
    picc: str = "picc_data"
    file: str = ""
    mac: str = "cmac"
    number: NumberFrom = "uid"


@dataclass(frozen=True)
class Tapped:
    """What an authentic message says: `uid` in upper-case hex, the card's tap `counter`, the decrypted `data`."""

    uid: str
    counter: int
    data: str | None = None


def is_message(rule: SdmRule, text: str) -> bool:
    """Whether this address claims to come from one of the programme's cards."""
    return text.startswith(rule.address + "?")


def opened(rule: SdmRule, text: str) -> Tapped | None:
    """None for anything that a card with these keys has not written."""
    values = _parameters(text[len(rule.address) + 1 :]) if len(text) <= LONGEST else {}
    told = _told(rule, values)
    mac = _bytes(values.get(rule.mac), BLOCK // 2)
    if told is None or mac is None or not _in_order(rule, values):
        return None
    uid, counter = told
    file_key, covered = _file_key(rule, uid), _covered(rule, text)
    if not is_same(mac, short_mac(_session_key(file_key, _SESSION_MAC, uid, counter), covered)):
        return None
    data = _file_data(file_key, uid, counter, values[rule.file]) if rule.file else None
    return Tapped(uid.hex().upper(), int.from_bytes(counter, "little"), data)


def _parameters(query: str) -> dict[str, str]:
    """Name to value; none at all when a name comes twice, for then it is not clear what the MAC covers."""
    pairs = [pair.partition("=") for pair in query.split("&")]
    values = {name: value for name, _, value in pairs}
    return values if len(values) == len(pairs) else {}


def _in_order(rule: SdmRule, values: dict[str, str]) -> bool:
    """Whether the encrypted data stands before the MAC: what follows it is not covered."""
    names = list(values)
    return not rule.file or (rule.file in names and names.index(rule.file) < names.index(rule.mac))


def _told(rule: SdmRule, values: dict[str, str]) -> tuple[bytes, bytes] | None:
    """Serial number, and counter as the card has it: least significant byte first."""
    block = _bytes(values.get(rule.picc), BLOCK)
    if block is not None:
        plain = decrypt(rule.meta_key, block)
        if plain[0] != _TAG_OF_BOTH:
            return None
        return plain[1 : 1 + _UID_LENGTH], plain[1 + _UID_LENGTH : 1 + _UID_LENGTH + _COUNTER_LENGTH]
    uid, counter = _bytes(values.get("uid"), _UID_LENGTH), _bytes(values.get("ctr"), _COUNTER_LENGTH)
    return None if uid is None or counter is None else (uid, counter[::-1])


def _covered(rule: SdmRule, text: str) -> bytes:
    """What the MAC covers: from the encrypted file data to the MAC, nothing where there is none."""
    if not rule.file:
        return b""
    start = re.search(rf"[?&]{re.escape(rule.file)}=", text)
    end = re.search(rf"[?&]{re.escape(rule.mac)}=", text)
    return text[start.end() : end.end()].encode() if start and end else b""


def _file_key(rule: SdmRule, uid: bytes) -> bytes:
    if rule.diversification is None:
        return rule.file_key
    return diversified(rule.file_key, uid + rule.diversification)


def _session_key(key: bytes, purpose: bytes, uid: bytes, counter: bytes) -> bytes:
    return cmac(key, purpose + uid + counter)


def _file_data(key: bytes, uid: bytes, counter: bytes, value: str) -> str | None:
    """The text in the encrypted part of the file; None where it is no text (AN12196 section 3.4.3)."""
    encrypted = _bytes(value, len(value) // 2)
    if not encrypted or len(encrypted) % BLOCK:
        return None
    session_key = _session_key(key, _SESSION_ENCRYPTION, uid, counter)
    plain = decrypt(session_key, encrypted, encrypt(session_key, counter.ljust(BLOCK, b"\0")))
    try:
        return plain.strip(_PADDING).decode("ascii")
    except UnicodeDecodeError:
        return None


def _bytes(value: str | None, length: int) -> bytes | None:
    """Of a hexadecimal value of exactly `length` bytes in one case of letters."""
    if value is None or len(value) != 2 * length or not _HEX.match(value):
        return None
    return bytes.fromhex(value)
