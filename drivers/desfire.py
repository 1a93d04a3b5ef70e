"""MIFARE DESFire: what it is, and a file of an application that it opens to nobody but the holder of an AES key.

Two authentications: that of EV1 (AES, 0xAA) and EV2First (0x71) of EV2, EV3, DESFire Light and NTAG 424 DNA. The card
proves that it knows the key, and signs what it sends with a session key. Commands are wrapped in ISO/IEC 7816-4 APDUs
of class 90. Sources: NXP AN12196 (EV2), AN12343, and public traces of EV1 cards. Nothing here does I/O of its own.
"""

from collections.abc import Callable
from typing import Final, Protocol

from drivers.aes import BLOCK, ZERO, cmac, decrypt, encrypt, is_same, short_mac
from drivers.apdu import OK, Exchange
from drivers.apdu import select as select_by_name
from drivers.ndef import Damaged

Random = Callable[[int], bytes]

MOST_READ: Final = 32
"""Bytes of a file in one answer, with room for padding and MAC in a frame of 59 (DESFire EV1)."""

IDENTIFIER: Final = 3
"""Bytes of an application's identifier."""

_GET_VERSION: Final = 0x60
_SELECT: Final = 0x5A
_AUTHENTICATE_EV1: Final = 0xAA
_AUTHENTICATE_EV2: Final = 0x71
_READ_EV1: Final = 0xBD
_READ_EV2: Final = 0xAD
_WRITE_EV1: Final = 0x3D
_WRITE_EV2: Final = 0x8D
"""The second of each is known to EV2 and later, and alone to NTAG 424 DNA (AN12196 sections 5.12 and 5.13)."""
_FURTHER: Final = 0xAF

_DONE: Final = b"\x91\x00"
_MORE: Final = b"\x91\xaf"
_NOT_HERE: Final = frozenset({b"\x91\xa0", b"\x91\x1c"})
"""No such application; no such command. What is no DESFire says so in its own words, which do not begin with 91."""
_MAC: Final = 8
_PADDING_STARTS: Final = 0x80

_GENERATIONS: Final = {
    # Hardware type and major version, bytes 1 and 3 of the first frame (AN10833, AN12196 section 5.5).
    (0x01, 0x00): "DESFire",
    (0x01, 0x01): "DESFire EV1",
    (0x01, 0x12): "DESFire EV2",
    (0x01, 0x33): "DESFire EV3",
    (0x04, 0x30): "NTAG 424 DNA",
    (0x08, 0x30): "DESFire Light",
}


class NotHere(Exception):
    """The card has no such application: it is another card, perhaps another kind of card."""


class NotAuthentic(Exception):
    """The card does not know the key, or what it says is not signed with it."""


class Session(Protocol):
    """What both authentications lead to."""

    def read(self, exchange: Exchange, file: int, offset: int, length: int) -> bytes:
        """`length` bytes (up to MOST_READ) of a file, their MAC checked. Raises NotAuthentic, Damaged."""

    def write(self, exchange: Exchange, file: int, offset: int, data: bytes, *, maced: bool) -> None:
        """Up to MOST_READ - 1 bytes; `maced` is of files that want a MAC with them (EV1). Raises NotAuthentic."""

    def ask(self, exchange: Exchange, code: int, data: bytes = b"") -> bytes:
        """The answer to a command that the card answers with a MAC alone. Raises NotAuthentic."""


def command(code: int, data: bytes = b"") -> bytes:
    """A native command in its ISO wrapping (AN12196 section 4.3)."""
    return bytes([0x90, code, 0, 0]) + (bytes([len(data)]) + data if data else b"") + b"\x00"


def model_in(frame: bytes) -> str | None:
    """By the hardware's frame of GetVersion; None for one that we do not know."""
    return _GENERATIONS.get((frame[1], frame[3])) if len(frame) == 7 and frame[0] == 0x04 else None


def read_model(exchange: Exchange) -> str | None:
    """All three frames are fetched: a card that is left in the middle of an answer refuses the next command."""
    answers = [exchange(command(_GET_VERSION))]
    while answers[-1][-2:] == _MORE and len(answers) < 3:
        answers.append(exchange(command(_FURTHER)))
    return model_in(answers[0][:-2]) if answers[-1][-2:] == _DONE else None


def select(exchange: Exchange, application: bytes) -> None:
    """By its identifier of 3 bytes, as tools print it, most significant byte first, or by its longer ISO name.

    Raises NotHere.
    """
    by_name = len(application) != IDENTIFIER
    status = exchange(select_by_name(application) if by_name else command(_SELECT, application[::-1]))[-2:]
    if status in (_DONE, OK):
        return
    if status in _NOT_HERE or status[:1] != _DONE[:1]:
        raise NotHere
    raise Damaged(f"selecting the application: status {status.hex()}")


def authenticate_ev1(exchange: Exchange, number: int, key: bytes, random: Random) -> Session:
    """Raises NotAuthentic."""
    challenge = _asked(exchange, command(_AUTHENTICATE_EV1, bytes([number])), _MORE, BLOCK)
    theirs, ours = decrypt(key, challenge), random(BLOCK)
    response = encrypt(key, ours + _rotated(theirs), challenge)
    answer = _asked(exchange, command(_FURTHER, response), _DONE, BLOCK)
    if not is_same(decrypt(key, answer, response[-BLOCK:]), _rotated(ours)):
        raise NotAuthentic("the card has not decrypted our challenge")
    return Ev1Session(ours[:4] + theirs[:4] + ours[12:] + theirs[12:])


def authenticate_ev2(exchange: Exchange, number: int, key: bytes, random: Random) -> Session:
    """EV2First. Raises NotAuthentic."""
    challenge = _asked(exchange, command(_AUTHENTICATE_EV2, bytes([number, 0])), _MORE, BLOCK)
    theirs, ours = decrypt(key, challenge), random(BLOCK)
    answer = _asked(exchange, command(_FURTHER, encrypt(key, ours + _rotated(theirs))), _DONE, 2 * BLOCK)
    plain = decrypt(key, answer)
    if not is_same(plain[4 : 4 + BLOCK], _rotated(ours)):
        raise NotAuthentic("the card has not decrypted our challenge")
    return Ev2Session(*ev2_keys(key, ours, theirs), plain[:4])


def ev2_keys(key: bytes, ours: bytes, theirs: bytes) -> tuple[bytes, bytes]:
    """The session's keys for encryption and MAC (AN12196 section 5.6 table 13)."""
    mixed = bytes(a ^ b for a, b in zip(ours[2:8], theirs[:6], strict=True))
    context = b"\x00\x01\x00\x80" + ours[:2] + mixed + theirs[6:] + ours[8:]
    return cmac(key, b"\xa5\x5a" + context), cmac(key, b"\x5a\xa5" + context)


class Ev1Session:
    """Each command and each answer goes into one chain of CMACs; answers end with eight bytes of it."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._chain = ZERO

    def read(self, exchange: Exchange, file: int, offset: int, length: int) -> bytes:
        data = _file_part(file, offset, length)
        self.sent(bytes([_READ_EV1]) + data)
        answer = exchange(command(_READ_EV1, data))
        return _of_length(self.received(answer), length)

    def write(self, exchange: Exchange, file: int, offset: int, data: bytes, *, maced: bool) -> None:
        message = _file_part(file, offset, len(data)) + data
        self.sent(bytes([_WRITE_EV1]) + message)
        self.received(exchange(command(_WRITE_EV1, message + (self._chain[:_MAC] if maced else b""))))

    def ask(self, exchange: Exchange, code: int, data: bytes = b"") -> bytes:
        self.sent(bytes([code]) + data)
        return self.received(exchange(command(code, data)))

    def sent(self, message: bytes) -> None:
        self._chain = _chained(self._key, message, self._chain)

    def received(self, answer: bytes) -> bytes:
        """The data of an answer that is whole and right. Raises NotAuthentic."""
        if answer[-2:] != _DONE or len(answer) < _MAC + 2:
            raise NotAuthentic(f"status {answer[-2:].hex()}")
        data, mac = answer[: -_MAC - 2], answer[-_MAC - 2 : -2]
        self._chain = _chained(self._key, data + b"\x00", self._chain)
        if not is_same(self._chain[:_MAC], mac):
            raise NotAuthentic("an answer with a wrong MAC")
        return data


class Ev2Session:
    """Every MAC covers a counter of commands and the session's identifier; file data is encrypted (CommMode.Full)."""

    def __init__(self, encryption: bytes, mac: bytes, identifier: bytes, counter: int = 0) -> None:
        self._encryption = encryption
        self._mac = mac
        self._identifier = identifier
        self._counter = counter

    def read(self, exchange: Exchange, file: int, offset: int, length: int) -> bytes:
        data = _file_part(file, offset, length)
        answer = exchange(self.command(_READ_EV2, data))
        return _of_length(self.opened(self.received(answer)), length)

    def write(self, exchange: Exchange, file: int, offset: int, data: bytes, *, maced: bool) -> None:
        del maced  # all is encrypted and has a MAC
        self.ask(exchange, _WRITE_EV2, _file_part(file, offset, len(data)) + self._sealed(data))

    def ask(self, exchange: Exchange, code: int, data: bytes = b"") -> bytes:
        return self.received(exchange(self.command(code, data)))

    def command(self, code: int, header: bytes = b"") -> bytes:
        """A command with its MAC."""
        return command(code, header + short_mac(self._mac, bytes([code]) + self._context() + header))

    def received(self, answer: bytes) -> bytes:
        """The data of an answer that is whole and right, still encrypted. Raises NotAuthentic."""
        if answer[-2:] != _DONE or len(answer) < _MAC + 2:
            raise NotAuthentic(f"status {answer[-2:].hex()}")
        self._counter += 1
        data, mac = answer[: -_MAC - 2], answer[-_MAC - 2 : -2]
        if not is_same(short_mac(self._mac, b"\x00" + self._context() + data), mac):
            raise NotAuthentic("an answer with a wrong MAC")
        return data

    def opened(self, data: bytes) -> bytes:
        """Decrypted, without its padding (ISO/IEC 9797-1 method 2). Raises Damaged."""
        if not data or len(data) % BLOCK:
            raise Damaged(f"{len(data)} encrypted bytes")
        plain = decrypt(self._encryption, data, self._vector(b"\x5a\xa5")).rstrip(b"\x00")
        if not plain or plain[-1] != _PADDING_STARTS:
            raise Damaged("a padding that is none")
        return plain[:-1]

    def _sealed(self, data: bytes) -> bytes:
        padded = data + bytes([_PADDING_STARTS])
        whole = padded.ljust(-(-len(padded) // BLOCK) * BLOCK, b"\x00")
        return encrypt(self._encryption, whole, self._vector(b"\xa5\x5a"))

    def _vector(self, direction: bytes) -> bytes:
        return encrypt(self._encryption, direction + self._identifier + self._count() + bytes(8))

    def _context(self) -> bytes:
        return self._count() + self._identifier

    def _count(self) -> bytes:
        return self._counter.to_bytes(2, "little")


def _asked(exchange: Exchange, apdu: bytes, status: bytes, length: int) -> bytes:
    answer = exchange(apdu)
    if answer[-2:] != status or len(answer) != length + 2:
        raise NotAuthentic(f"status {answer[-2:].hex()} to an authentication")
    return answer[:-2]


def _file_part(file: int, offset: int, length: int) -> bytes:
    return bytes([file]) + offset.to_bytes(3, "little") + length.to_bytes(3, "little")


def _of_length(data: bytes, length: int) -> bytes:
    if len(data) != length:
        raise Damaged(f"{len(data)} of {length} bytes")
    return data


def _rotated(block: bytes) -> bytes:
    return block[1:] + block[:1]


def _chained(key: bytes, message: bytes, vector: bytes) -> bytes:
    """CMAC that starts from a vector: CBC is linear in its first block, so the vector goes into that."""
    if len(message) < BLOCK:
        return _short_chained(key, message, vector)
    first = bytes(a ^ b for a, b in zip(message[:BLOCK], vector, strict=True))
    return cmac(key, first + message[BLOCK:])


def _short_chained(key: bytes, message: bytes, vector: bytes) -> bytes:
    """Padded here, so that the vector meets a whole block; the subkey is the second one all the same."""
    doubled = _doubled(_doubled(encrypt(key, ZERO)))
    padded = (message + bytes([_PADDING_STARTS])).ljust(BLOCK, b"\x00")
    return encrypt(key, bytes(a ^ b ^ c for a, b, c in zip(padded, vector, doubled, strict=True)))


def _doubled(block: bytes) -> bytes:
    """In GF(2^128), as NIST SP 800-38B section 6.1 derives subkeys."""
    value = int.from_bytes(block, "big") << 1
    carried = 0x87 if value >> 128 else 0
    return ((value & (1 << 128) - 1) ^ carried).to_bytes(BLOCK, "big")
