"""NTAG and Ultralight chips with their own commands, behind readers that let those through or not."""

from dataclasses import dataclass, field

from tests.virtual.cards import NOT_SUPPORTED, OK, NtagCard

NTAG213 = bytes.fromhex("0004040201000f03")
NTAG_UID = bytes.fromhex("04e10cda993c80")
NTAG_SIGNATURE = bytes.fromhex("8b76052ee42f5567beb53238b3e3f9950707c0dcc956b5c5efcfdb709b2d82b3")
"""Of a real chip, published with proxmark3's tools/recover_pk.py."""


@dataclass
class ChipCard(NtagCard):
    """`raw()` is what goes over the air; after a command that it does not know the chip is silent for good."""

    uid: bytes = NTAG_UID
    version: bytes | None = NTAG213
    signature: bytes | None = NTAG_SIGNATURE
    taps: int | None = 7
    silent: bool = False
    heard: list[bytes] = field(default_factory=list)

    def raw(self, frame: bytes) -> bytes | None:
        self.heard.append(frame)
        known = {b"\x60": self.version, b"\x3c\x00": self.signature}
        if self.taps is not None:
            known[b"\x39\x02"] = self.taps.to_bytes(3, "little")
        answer = None if self.silent else known.get(frame)
        self.silent = answer is None
        return answer

    def answer(self, apdu: bytes) -> bytes:
        if self.silent and apdu[:2] == b"\xff\xb0":
            return b"\x63\x00"
        return super().answer(apdu)


@dataclass
class DirectReader:
    """A reader with a PN532 (ACR122U): FF 00 00 00 passes a command to that chip."""

    card: ChipCard

    def __post_init__(self) -> None:
        self.atr = self.card.atr

    def answer(self, apdu: bytes) -> bytes:
        if apdu[:4] != b"\xff\x00\x00\x00":
            return self.card.answer(apdu)
        command = apdu[5 : 5 + apdu[4]]
        if command == b"\xd4\x02":
            return bytes.fromhex("d50332010607") + OK
        answer = self.card.raw(command[2:])
        return (b"\xd5\x43\x01" if answer is None else b"\xd5\x43\x00" + answer) + OK


@dataclass
class SessionReader:
    """A reader with transparent sessions (PC/SC part 3 section 3.2.3)."""

    card: ChipCard
    in_session: bool = False

    def __post_init__(self) -> None:
        self.atr = self.card.atr

    def answer(self, apdu: bytes) -> bytes:
        if apdu[:2] != b"\xff\xc2":
            return self.card.answer(apdu) if apdu[:2] != b"\xff\x00" else NOT_SUPPORTED
        if apdu[2:4] == b"\x00\x00":
            self.in_session = apdu[5] == 0x81
            return bytes.fromhex("c003009000") + OK
        if apdu[2:4] == b"\x00\x02":
            return bytes.fromhex("c003009000") + OK
        assert self.in_session
        frame = apdu[apdu.index(b"\x95", 12) + 2 : -1]
        answer = self.card.raw(frame)
        if answer is None:
            return bytes.fromhex("c003016401") + OK
        return bytes.fromhex("c0030090009201009602000097") + bytes([len(answer)]) + answer + OK
