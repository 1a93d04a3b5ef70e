"""Models of cards as a PC/SC reader shows them: an ATR and an answer to each command APDU.

`answer()` gives the response APDU with its status word, or one of three things that real cards do instead:
stay silent (`Mute`), leave in the middle of the exchange (`Pulled`), or be replaced by another (`Swapped`).
"""

from dataclasses import dataclass, field
from typing import Protocol

OK = b"\x90\x00"
NOT_SUPPORTED = b"\x6a\x81"
NOT_FOUND = b"\x6a\x82"

STORAGE_ATR = "3b8f8001804f0ca000000306{standard:02x}{name:04x}00000000"
"""PC/SC part 3 section 3.1.3.2.3.2; the check byte TCK follows."""
ULTRALIGHT = 0x0003
CLASSIC_1K = 0x0001


class Mute(Exception):
    """The card takes the command and never answers."""


class Pulled(Exception):
    """The card is gone before it has answered."""


class Swapped(Exception):
    """The card is gone, and `next_card` lies there at once."""

    def __init__(self, next_card: "Card") -> None:
        super().__init__()
        self.next_card = next_card


class Card(Protocol):
    atr: bytes

    def answer(self, apdu: bytes) -> bytes:
        """The response APDU. Raises Mute, Pulled or Swapped."""


def storage_atr(name: int, standard: int = 0x03) -> bytes:
    atr = bytes.fromhex(STORAGE_ATR.format(standard=standard, name=name))
    check = 0
    for byte in atr[1:]:
        check ^= byte
    return atr + bytes([check])


def text_record(text: str, language: str = "en") -> bytes:
    """An NDEF message of one text record (NFC Forum RTD Text 1.0)."""
    payload = bytes([len(language)]) + language.encode() + text.encode()
    return short_record(b"T", payload)


def uri_record(code: int, rest: str) -> bytes:
    """An NDEF message of one URI record; `code` abbreviates its beginning (NFC Forum RTD URI 1.0 table 3)."""
    return short_record(b"U", bytes([code]) + rest.encode())


def short_record(kind: bytes, payload: bytes) -> bytes:
    return bytes([0xD1, len(kind), len(payload)]) + kind + payload


@dataclass
class UidCard:
    """A card that tells its serial number and nothing else, such as an unformatted MIFARE Classic."""

    uid: bytes
    atr: bytes = field(default_factory=lambda: storage_atr(CLASSIC_1K))

    def answer(self, apdu: bytes) -> bytes:
        return self.uid + OK if apdu[:4] == b"\xff\xca\x00\x00" else NOT_SUPPORTED


@dataclass
class NtagCard:
    """An NTAG213 as its data sheet describes it: 45 pages of 4 bytes, capability container in page 3."""

    uid: bytes = bytes.fromhex("04a1b2c3d4e5f6")
    message: bytes | None = None
    capability: bytes = bytes.fromhex("e1101200")
    atr: bytes = field(default_factory=lambda: storage_atr(ULTRALIGHT))
    pages: int = 45

    def __post_init__(self) -> None:
        area = b"" if self.message is None else bytes([0x03, len(self.message)]) + self.message + b"\xfe"
        self.memory = bytearray((bytes(12) + self.capability + area).ljust(self.pages * 4, b"\0"))

    @classmethod
    def with_text(cls, text: str, uid: str = "04a1b2c3d4e5f6") -> "NtagCard":
        return cls(bytes.fromhex(uid), text_record(text))

    @classmethod
    def with_notes(cls, text: str, uid: str = "04a1b2c3d4e5f6", model: int = 215) -> "NtagCard":
        """An NTAG215 or 216 as it leaves the works: dynamic lock bytes and configuration behind the user memory."""
        size, user = {215: (0x3E, 130), 216: (0x6D, 226)}[model]
        card = cls(bytes.fromhex(uid), text_record(text), bytes([0xE1, 0x10, size, 0]), pages=user + 5)
        card.memory[user * 4 :] = bytes.fromhex("000000bd 040000ff 00050000 00000000 00000000")
        return card

    def answer(self, apdu: bytes) -> bytes:
        if apdu[:4] == b"\xff\xca\x00\x00":
            return self.uid + OK
        if apdu[:3] == b"\xff\xb0\x00" and apdu[3] < self.pages:
            return self._read(apdu[3], apdu[4]) + OK
        if apdu[:3] == b"\xff\xd6\x00" and 4 <= apdu[3] < self.pages and apdu[4] == len(apdu[5:]) == 4:
            self.write(apdu[3], apdu[5:])
            return OK
        return NOT_SUPPORTED

    def write(self, page: int, data: bytes) -> None:
        self.memory[page * 4 : page * 4 + 4] = data

    def _read(self, page: int, length: int) -> bytes:
        # READ rolls over to page 0 at the end of the memory (NTAG213 data sheet section 10.2).
        return bytes((self.memory + self.memory)[page * 4 : page * 4 + length])


@dataclass
class Type4Card:
    """An NFC Forum Type 4 Tag (version 2.0): the NDEF application with its two files."""

    message: bytes
    uid: bytes | None = bytes.fromhex("0801020304")[1:]
    atr: bytes = bytes.fromhex("3b8180018080")
    max_read: int = 0x3B
    applications: frozenset[str] = frozenset({"d2760000850101"})

    def __post_init__(self) -> None:
        control = bytes([0x04, 0x06, 0xE1, 0x04, 0x04, 0x00, 0x00, 0xFF])
        container = bytes([0x00, 0x0F, 0x20]) + self.max_read.to_bytes(2, "big") + b"\x00\x34" + control
        self._files = {0xE103: container, 0xE104: len(self.message).to_bytes(2, "big") + self.message}
        self._selected: bytes | None = None
        self._in_application = False

    def answer(self, apdu: bytes) -> bytes:
        if apdu[:4] == b"\xff\xca\x00\x00":
            return NOT_SUPPORTED if self.uid is None else self.uid + OK
        if apdu[:4] == b"\x00\xa4\x04\x00":
            self._in_application = apdu[5 : 5 + apdu[4]].hex() in self.applications
            return OK if self._in_application else NOT_FOUND
        if apdu[:4] == b"\x00\xa4\x00\x0c" and self._in_application:
            self._selected = self._files.get(int.from_bytes(apdu[5:7], "big"))
            return NOT_FOUND if self._selected is None else OK
        if apdu[:2] == b"\x00\xb0" and self._selected is not None:
            offset = int.from_bytes(apdu[2:4], "big")
            return self._selected[offset : offset + min(apdu[4] or 256, self.max_read)] + OK
        return b"\x6d\x00"


def tlv(tag: str, *values: bytes) -> bytes:
    """A BER-TLV item of less than 128 bytes."""
    value = b"".join(values)
    return bytes.fromhex(tag) + bytes([len(value)]) + value


@dataclass
class ApplicationCard:
    """A card of ISO/IEC 7816-4: for each application's name (hex) what SELECT answers; it knows no other command."""

    applications: dict[str, bytes]
    uid: bytes | None = bytes.fromhex("01020304")
    atr: bytes = bytes.fromhex("3b8180018080")

    def answer(self, apdu: bytes) -> bytes:
        if apdu[:4] == b"\xff\xca\x00\x00":
            return NOT_SUPPORTED if self.uid is None else self.uid + OK
        if apdu[:4] == b"\x00\xa4\x04\x00":
            found = self.applications.get(apdu[5 : 5 + apdu[4]].hex())
            return NOT_FOUND if found is None else found
        return b"\x6d\x00"


PAYMENT_ENVIRONMENT = b"2PAY.SYS.DDF01".hex()
CONTACT_ENVIRONMENT = b"1PAY.SYS.DDF01".hex()
WALLET_ENVIRONMENT = b"OSE.VAS.01".hex()
PAYMENT_DIRECTORY = tlv(
    "6f",
    tlv("84", b"2PAY.SYS.DDF01"),
    tlv("a5", tlv("bf0c", tlv("61", tlv("4f", bytes.fromhex("a0000000041010")), tlv("87", b"\x01")))),
)
"""What a bank card says of itself (EMV Contactless Book B table 3-1): one entry, no number."""


def payment_card(uid: str = "01020304") -> ApplicationCard:
    return ApplicationCard({PAYMENT_ENVIRONMENT: PAYMENT_DIRECTORY + OK}, bytes.fromhex(uid))


def contact_payment_card() -> ApplicationCard:
    """Of the protocol T=0: it says that an answer of 30 bytes waits."""
    return ApplicationCard({CONTACT_ENVIRONMENT: b"\x61\x1e"}, None, bytes.fromhex("3b6500002063cb6800"))


def phone(wallet: str = "AndroidPay") -> ApplicationCard:
    """A telephone with a wallet for passes and one for payments; its serial number is random."""
    wallets = tlv(
        "6f", tlv("50", wallet.encode()), tlv("a5", tlv("bf0c", tlv("61", tlv("4f", b"\xa0\x00\x00\x04\x76"))))
    )
    applications = {WALLET_ENVIRONMENT: wallets + OK, PAYMENT_ENVIRONMENT: PAYMENT_DIRECTORY + OK}
    return ApplicationCard(applications, bytes.fromhex("08a1b2c3"))


@dataclass
class Scripted:
    """A card that does `event` in place of its answer number `at`, counted from 0, and is itself otherwise."""

    card: Card
    at: int
    event: Exception

    def __post_init__(self) -> None:
        self.atr = self.card.atr
        self._asked = -1

    def answer(self, apdu: bytes) -> bytes:
        self._asked += 1
        if self._asked == self.at:
            raise self.event
        return self.card.answer(apdu)


def pulled(card: Card, at: int) -> Scripted:
    return Scripted(card, at, Pulled())


def mute(card: Card, at: int = 0) -> Scripted:
    return Scripted(card, at, Mute())


def swapped(first: Card, second: Card, at: int) -> Scripted:
    return Scripted(first, at, Swapped(second))
