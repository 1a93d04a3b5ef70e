"""A card in the field of a bare NFC chip: the models of tests/virtual/cards.py as they answer over the air.

ISO/IEC 14443-3 type A for selection, Type 2 Tag READ for memory, ISO/IEC 14443-4 for APDUs; without check bytes.
"""

import secrets
import threading
from typing import Any

from tests.virtual.cards import OK, Card, Mute, Pulled, Swapped

STORAGE = bytes.fromhex("804f0ca00000030603")
SAKS = {0x0001: 0x08, 0x0002: 0x18, 0x0003: 0x00}
ANTICOLLISION = {0x00: b"\x00\x44", 0x08: b"\x00\x04", 0x18: b"\x00\x02", 0x20: b"\x03\x44"}
FRAME_DATA = 250
"""Bytes of an answer that fit into one frame; longer ones are chained."""
NAK = b"\x00"
MORE_TIME = b"\xf2\x01"


class Placed:
    """A card that lies there. `asked` holds the APDUs that it saw; `heard`, `silent`, `gone` are set when it is so."""

    def __init__(self, card: Card, *, stalls: bool = False) -> None:
        self.asked: list[bytes] = []
        self.heard = threading.Event()
        self.silent = threading.Event()
        self.gone = threading.Event()
        self._stalls = stalls
        self._lie(card)

    def _lie(self, card: Card) -> None:
        self._card = card
        model: Any = getattr(card, "card", card)  # beneath a Scripted
        self._fixed_uid: bytes | None = model.uid
        self._raw = getattr(model, "raw", None)
        self.power_off()

    @property
    def sak(self) -> int:
        historical = self._card.atr[4:-1]
        return SAKS[int.from_bytes(historical[9:11], "big")] if historical.startswith(STORAGE) else 0x20

    def power_off(self) -> None:
        """The field is off: nothing that was agreed holds, and a number that is random is drawn anew."""
        self.selected = False
        self.uid = self._fixed_uid or b"\x08" + secrets.token_bytes(3)
        self._active = False
        self._block = 1
        self._command = b""
        self._waiting: list[bytes] = []
        self._last: bytes | None = None
        if hasattr(self._card, "silent"):
            self._card.silent = False

    def selection(self) -> bytes:
        """SENS_RES, SEL_RES, the length of the number and the number, as a PN532 tells them."""
        self.selected = True
        return ANTICOLLISION[self.sak] + bytes([self.sak, len(self.uid)]) + self.uid

    def hear(self, frame: bytes) -> bytes | None:
        """The answer, None for silence."""
        if not self.selected or self.silent.is_set() or self.gone.is_set():
            return None
        try:
            return self._iso_dep(frame) if self.sak == 0x20 else self._memory(frame)
        except Mute:
            self.silent.set()
        except Pulled:
            self.gone.set()
        except Swapped as swap:
            self._lie(swap.next_card)
        return None

    def _ask(self, apdu: bytes) -> bytes:
        self.asked.append(apdu)
        self.heard.set()
        return self._card.answer(apdu)

    def _memory(self, frame: bytes) -> bytes | None:
        if frame[:1] == b"\x30" and len(frame) == 2 and self.sak == 0x00:
            answer = self._ask(bytes([0xFF, 0xB0, 0x00, frame[1], 16]))
            return answer[:-2] if answer[-2:] == OK else NAK
        if frame[:1] == b"\xa2" and len(frame) == 6 and self.sak == 0x00:
            return b"\x0a" if self._ask(bytes([0xFF, 0xD6, 0x00, frame[1], 4]) + frame[2:]) == OK else NAK
        return self._raw(frame) if self._raw else None

    def _iso_dep(self, frame: bytes) -> bytes | None:
        if frame[:1] == b"\xe0":
            self._active = True
            historical = self._card.atr[4:-1]
            return bytes([5 + len(historical), 0x78, 0x80, 0x70, 0x02]) + historical
        if not self._active:
            return None
        self._last = self._block_after(frame)
        return self._last

    def _block_after(self, frame: bytes) -> bytes | None:
        control = frame[0]
        if control & 0xE2 == 0x02:
            return self._information(control, frame[1:])
        if control & 0xE6 == 0xA2:
            if control & 0x10:  # NAK: told again, or that we are here
                return self._last if control & 1 == self._block else bytes([0xA2 | self._block])
            self._block = control & 1
            return self._next_part()
        return MORE_TIME if control == MORE_TIME[0] else None

    def _information(self, control: int, data: bytes) -> bytes | None:
        self._block = control & 1
        self._command += data
        if control & 0x10:
            return bytes([0xA2 | self._block])
        if self._stalls:
            return MORE_TIME
        command, self._command = self._command, b""
        answer = self._ask(command)
        self._waiting = [answer[at : at + FRAME_DATA] for at in range(0, len(answer), FRAME_DATA)]
        return self._next_part()

    def _next_part(self) -> bytes | None:
        if not self._waiting:
            return None
        part = self._waiting.pop(0)
        return bytes([0x02 | self._block | (0x10 if self._waiting else 0)]) + part
