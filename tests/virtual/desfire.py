"""A model of DESFire from the card's side: one application with one key and one file, EV1 and EV2 authentication.

It shares no code with the reader's side: CMACs are computed as CBC with the subkeys of NIST SP 800-38B.
"""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.virtual.cards import NOT_SUPPORTED, OK, Pulled
from tests.virtual.dynamic import encrypted

DONE, MORE = b"\x91\x00", b"\x91\xaf"
NO_APPLICATION, WRONG_KEY, NOT_ALLOWED = b"\x91\xa0", b"\x91\xae", b"\x91\x9d"
VERSION = ("04010133001a05", "04010103001a05", "04de5f1eacc04001020304051234")
"""GetVersion of an EV3: hardware, software, production."""


def decrypted(key: bytes, data: bytes, vector: bytes = bytes(16)) -> bytes:
    decryptor = Cipher(algorithms.AES128(key), modes.CBC(vector)).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def chained_mac(key: bytes, message: bytes, vector: bytes = bytes(16)) -> bytes:
    """CMAC whose CBC starts with `vector`."""
    subkeys = [int.from_bytes(encrypted(key, bytes(16)), "big")]
    for _ in range(2):
        subkeys.append((subkeys[-1] << 1 ^ (0x87 if subkeys[-1] >> 127 else 0)) & (1 << 128) - 1)
    whole = bool(message) and len(message) % 16 == 0
    padded = message if whole else (message + b"\x80").ljust(len(message) // 16 * 16 + 16, b"\0")
    last = int.from_bytes(padded[-16:], "big") ^ subkeys[1 if whole else 2]
    return encrypted(key, padded[:-16] + last.to_bytes(16, "big"), vector)[-16:]


@dataclass
class NoteMemory:
    """File 2 of the application. What is written to a backup file (`kind` 1) is there after the commit, or never."""

    kind: int = 1
    mode: int = 3
    content: bytes = bytes(256)
    pending: bytes | None = None
    leaves_before_commit: bool = False

    def heard(self, code: int, header: bytes, data: bytes) -> bytes:
        if code == 0xF5:
            return bytes([self.kind, self.mode, 0x22, 0x22]) + len(self.content).to_bytes(3, "little")
        if code == 0xC7 and self.leaves_before_commit:
            self.forget()
            raise Pulled
        if code == 0xC7:
            self.content, self.pending = self.pending or self.content, None
            return b""
        offset, length = int.from_bytes(header[1:4], "little"), int.from_bytes(header[4:7], "little")
        assert length == len(data)
        before = self.pending or self.content
        self.pending = before[:offset] + data + before[offset + length :]
        assert len(self.pending) == len(self.content)
        return b""

    def forget(self) -> None:
        """The transaction ends without a commit: another application is selected, or the power fails."""
        self.pending = None


@dataclass
class DesfireCard:
    """`lies` makes it sign a wrong answer, as a card in the middle would."""

    application: bytes = bytes.fromhex("a1b2c3")
    name: bytes = bytes.fromhex("d2760000850101")
    key: bytes = bytes(range(16))
    content: bytes = b"2990000000017".ljust(32, b"\0")
    uid: bytes = bytes.fromhex("04de5f1eacc040")
    lies: bool = False
    notes: "NoteMemory | None" = None
    atr: bytes = bytes.fromhex("3b8180018080")
    challenge: bytes = bytes(range(100, 116))
    _selected: bool = False
    _pending: list[bytes] = field(default_factory=list)
    _session: "tuple[str, bytes, bytes] | None" = None
    _authenticating: str = ""
    _counter: int = 0
    _chain: bytes = bytes(16)

    def answer(self, apdu: bytes) -> bytes:
        if apdu[:4] == b"\xff\xca\x00\x00":
            return self.uid + OK
        if apdu[:1] != b"\x90" and self.notes:
            self.notes.forget()
        if apdu[:4] == b"\x00\xa4\x04\x00":
            self._selected = apdu[5 : 5 + apdu[4]] == self.name
            return OK if self._selected else b"\x6a\x82"
        if apdu[:1] != b"\x90":
            return NOT_SUPPORTED if apdu[:1] == b"\xff" else b"\x6d\x00"
        return self._native(apdu[1], apdu[5:-1] if len(apdu) > 5 else b"")

    def _native(self, code: int, data: bytes) -> bytes:
        match code:
            case 0x60:
                self._pending = [bytes.fromhex(frame) for frame in VERSION[1:]]
                return bytes.fromhex(VERSION[0]) + MORE
            case 0x5A:
                self._selected, self._session = data[::-1] == self.application, None
                if self.notes:
                    self.notes.forget()
                return DONE if self._selected else NO_APPLICATION
            case 0xAA | 0x71 if self._selected:
                self._authenticating = "ev1" if code == 0xAA else "ev2"
                return encrypted(self.key, self.challenge) + MORE
            case 0xAF:
                return self._further(data)
            case 0xBD | 0xAD if self._session:
                return self._read(code, data)
            case 0xF5 | 0x3D | 0x8D | 0xC7 if self._session and self.notes is not None:
                return self._changed(code, data, self.notes)
        return NOT_ALLOWED

    def _further(self, data: bytes) -> bytes:
        if self._pending:
            frame = self._pending.pop(0)
            return frame + (MORE if self._pending else DONE)
        ev1 = self._authenticating == "ev1"
        plain = decrypted(self.key, data, encrypted(self.key, self.challenge) if ev1 else bytes(16))
        theirs = plain[:16]
        if plain[16:] != self.challenge[1:] + self.challenge[:1]:
            return WRONG_KEY
        turned = theirs[1:] + theirs[:1]
        self._counter, self._chain = 0, bytes(16)
        if ev1:
            session = theirs[:4] + self.challenge[:4] + theirs[12:] + self.challenge[12:]
            self._session = ("ev1", session, session)
            return encrypted(self.key, turned, data[-16:]) + DONE
        mixed = (int.from_bytes(theirs[2:8], "big") ^ int.from_bytes(self.challenge[:6], "big")).to_bytes(6, "big")
        context = b"\x00\x01\x00\x80" + theirs[:2] + mixed + self.challenge[6:] + theirs[8:]
        reading, signing = (chained_mac(self.key, start + context) for start in (b"\xa5\x5a", b"\x5a\xa5"))
        self._session = ("ev2", reading, signing)
        return encrypted(self.key, b"TIID" + turned + bytes(12)) + DONE

    def _read(self, code: int, data: bytes) -> bytes:
        assert self._session is not None
        kind, reading, signing = self._session
        offset, length = int.from_bytes(data[1:4], "little"), int.from_bytes(data[4:7], "little")
        content = self.notes.content if self.notes and data[0] == 2 else self.content
        part = content[offset : offset + length]
        if kind == "ev1":
            self._chain = chained_mac(signing, bytes([code]) + data[:7], self._chain)
            self._chain = chained_mac(signing, part + b"\x00", self._chain)
            return self._told(part, self._chain[:8])
        asked = bytes([code]) + self._counter.to_bytes(2, "little") + b"TIID" + data[:7]
        if chained_mac(signing, asked)[1::2] != data[7:]:
            return b"\x91\x1e"
        self._counter += 1
        count = self._counter.to_bytes(2, "little")
        padded = (part + b"\x80").ljust((len(part) // 16 + 1) * 16, b"\0")
        hidden = encrypted(reading, padded, encrypted(reading, b"\x5a\xa5TIID" + count + bytes(8)))
        return self._told(hidden, chained_mac(signing, b"\x00" + count + b"TIID" + hidden)[1::2])

    def _changed(self, code: int, data: bytes, notes: "NoteMemory") -> bytes:
        """Settings, writes and the commit of the note file, whose MACs are checked."""
        assert self._session is not None
        kind, sealing, signing = self._session
        size = {0xF5: 1, 0xC7: 0}.get(code, len(data))
        if kind == "ev1":
            macs = code == 0x3D and notes.mode == 1
            heard, mac = (data[:-8], data[-8:]) if macs else (data, b"")
            self._chain = chained_mac(signing, bytes([code]) + heard, self._chain)
            if macs and mac != self._chain[:8]:
                return b"\x91\x1e"
            part = heard[7:]
        else:
            heard, mac = data[:-8], data[-8:]
            if chained_mac(signing, bytes([code]) + self._counter.to_bytes(2, "little") + b"TIID" + heard)[1::2] != mac:
                return b"\x91\x1e"
            vector = encrypted(sealing, b"\xa5\x5aTIID" + self._counter.to_bytes(2, "little") + bytes(8))
            part = b"" if size < 8 else decrypted(sealing, heard[7:], vector).rstrip(b"\0")[:-1]
        said = notes.heard(code, heard[:7], part)
        if kind == "ev1":
            self._chain = chained_mac(signing, said + b"\x00", self._chain)
            return self._told(said, self._chain[:8])
        self._counter += 1
        return self._told(
            said, chained_mac(signing, b"\x00" + self._counter.to_bytes(2, "little") + b"TIID" + said)[1::2]
        )

    def _told(self, data: bytes, mac: bytes) -> bytes:
        if self.lies and data:
            data = bytes([data[0] ^ 1]) + data[1:]
        return data + mac + DONE
