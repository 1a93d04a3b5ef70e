"""Applications of a card that the config names: where the card number stands in them, and how it is written there."""

import re
from typing import Annotated, Final, Literal

import msgspec

from drivers import desfire
from drivers.aes import KEY, LONGEST_INPUT, SHORTEST_INPUT, diversified
from drivers.apdu import OK, Exchange, ask, select
from drivers.key_file import Keys
from drivers.ndef import Damaged
from drivers.tlv import find

Form = Literal["ascii", "bcd", "hex"]
"""How a number is written: as text, two digits a byte, or as bytes that are the number in hexadecimal."""

PAYMENT_SCHEMES: Final = frozenset(
    {
        *("a000000003", "a000000004", "a000000025", "a000000042", "a000000065", "a000000152", "a000000277"),
        *("a000000324", "a000000333", "a000000524", "a000000658", "a000000672"),
    }
)
"""Registered identifiers of payment schemes (EMV tag registries of Visa, Mastercard, American Express, CB, JCB,
Discover, Interac, UnionPay, RuPay, Mir, Troy): no application of theirs is ever selected."""

_UID: Final = 7
_PADDING: Final = b"\x00\xff "
_TEXT = re.compile(r"[\x21-\x7e]+\Z", re.ASCII)
_BCD = re.compile(r"([0-9]+)f*\Z", re.ASCII)

Hex = Annotated[str, msgspec.Meta(pattern=r"^([0-9A-Fa-f]{2})*$", max_length=522)]
Byte = Annotated[int, msgspec.Meta(ge=0, le=255)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class KeyedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of a DESFire application (or of NTAG 424 DNA), opened by authentication with the key named `key`.

    `application` is its identifier (3 bytes as tools print it) or ISO name in hexadecimal. With `ev1` the file's
    communication is plain or MACed, with `ev2` full. `diversification` follows the serial number in the making of
    the card's own key; empty when all cards have the same.
    """

    application: Hex
    key: Name
    key_number: Annotated[int, msgspec.Meta(ge=0, le=13)] = 1
    file: Annotated[int, msgspec.Meta(ge=0, le=31)] = 1
    authentication: Literal["ev1", "ev2"] = "ev2"
    diversification: Hex = ""

    def __post_init__(self) -> None:
        if not (len(self.application) == 2 * desfire.IDENTIFIER or 10 <= len(self.application) <= 32):
            raise ValueError("`application` must be 3 bytes in hexadecimal, or an ISO name of 5 to 16")
        longest, shortest = LONGEST_INPUT - _UID, SHORTEST_INPUT - _UID
        if self.diversification and not shortest <= len(self.diversification) // 2 <= longest:
            raise ValueError(f"`diversification` must be {shortest} to {longest} bytes in hexadecimal")


class DesfireFile(KeyedFile, frozen=True, forbid_unknown_fields=True):
    """The part of a file where the card number stands."""

    offset: Annotated[int, msgspec.Meta(ge=0, le=8191)] = 0
    length: Annotated[int, msgspec.Meta(ge=1, le=desfire.MOST_READ)] = 16
    form: Form = "ascii"


class Iso7816Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An application by its name (AID) and the commands that follow its SELECT.

    The number is in the last answer: the value of the BER-TLV `tag` where one is given, of that `length` bytes from
    `offset` on (0: all the rest).
    """

    application: Hex
    commands: Annotated[tuple[Hex, ...], msgspec.Meta(max_length=8)] = ()
    tag: Annotated[str, msgspec.Meta(pattern=r"^([0-9A-Fa-f]{2}){0,3}$")] = ""
    offset: Byte = 0
    length: Byte = 0
    form: Form = "ascii"

    def __post_init__(self) -> None:
        if not 10 <= len(self.application) <= 32:
            raise ValueError("`application` must be a name (AID) of 5 to 16 bytes in hexadecimal")
        if self.application[:10].lower() in PAYMENT_SCHEMES:
            raise ValueError("`application` belongs to a payment scheme: tilld reads nothing of payment cards")
        if any(len(one) < 8 for one in self.commands):
            raise ValueError("each of `commands` must be an APDU in hexadecimal, 4 bytes at least")


def open_desfire(
    wanted: KeyedFile, keys: Keys, uid: str | None, exchange: Exchange, random: desfire.Random
) -> desfire.Session:
    """Raises desfire.NotHere, desfire.NotAuthentic, Damaged, KeysUnusable."""
    desfire.select(exchange, bytes.fromhex(wanted.application))
    key = _card_key(keys.get(wanted.key, KEY), wanted.diversification, uid)
    authenticate = desfire.authenticate_ev1 if wanted.authentication == "ev1" else desfire.authenticate_ev2
    return authenticate(exchange, wanted.key_number, key, random)


def read_desfire(wanted: DesfireFile, keys: Keys, uid: str | None, exchange: Exchange, random: desfire.Random) -> str:
    """The number in the file. Raises desfire.NotHere, desfire.NotAuthentic, Damaged, KeysUnusable."""
    session = open_desfire(wanted, keys, uid, exchange, random)
    return number_of(session.read(exchange, wanted.file, wanted.offset, wanted.length), wanted.form)


def read_iso7816(wanted: Iso7816Profile, exchange: Exchange) -> str:
    """The number. Raises desfire.NotHere when the card has no such application, Damaged when it is not as expected."""
    answer = ask(exchange, select(bytes.fromhex(wanted.application)))
    if answer[-2:] != OK:
        raise desfire.NotHere
    for one in wanted.commands:
        answer = ask(exchange, bytes.fromhex(one))
        if answer[-2:] != OK:
            raise Damaged(f"status {answer[-2:].hex()} to a command of the profile")
    return number_of(_place(wanted, answer[:-2]), wanted.form)


def number_of(data: bytes, form: Form) -> str:
    """Raises Damaged for what is no number in this form."""
    match form:
        case "ascii":
            text, right = data.strip(_PADDING).decode("latin-1"), _TEXT
        case "bcd":
            text, right = data.hex(), _BCD
        case "hex":
            return data.hex().upper()
    found = right.match(text)
    if found is None:
        raise Damaged(f"{len(data)} bytes that are no number in {form}")
    return found.group(found.lastindex or 0)


def _place(wanted: Iso7816Profile, data: bytes) -> bytes:
    if wanted.tag:
        value = find(data, int(wanted.tag, 16))
        if value is None:
            raise Damaged(f"no tag {wanted.tag} in the answer")
        data = value
    end = wanted.offset + wanted.length if wanted.length else len(data)
    if end > len(data) or not data[wanted.offset : end]:
        raise Damaged(f"an answer of {len(data)} bytes is too short")
    return data[wanted.offset : end]


def _card_key(key: bytes, diversification: str, uid: str | None) -> bytes:
    if not diversification:
        return key
    if uid is None or len(uid) != 2 * _UID:
        raise desfire.NotAuthentic("a card that hides its serial number has no key of its own")
    return diversified(key, bytes.fromhex(uid + diversification))
