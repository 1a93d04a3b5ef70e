"""From the kernel's input events to the bytes of a scan: pure, one keyboard's state (linux, Documentation/input).

| the scanner types | it becomes |
|---|---|
| a key of the layout, with shift, AltGr or a dead key before it | its character |
| Enter, keypad Enter, Tab, Ctrl+M, Ctrl+J | the ending |
| Ctrl+], F8 | GS, the separator of GS1 (scanners differ) |
| digits of the keypad while Alt is held | the character with that number |
| a key that the layout lacks | nothing: the scan is dropped |
"""

import re
from collections.abc import Iterable
from typing import Final

from drivers.framing import Flaw, Framer, Scan
from drivers.keyboard_layouts import KEYPAD, SPACE, Layout, composed, is_dead

EV_SYN: Final = 0
EV_KEY: Final = 1
SYN_REPORT: Final = 0
SYN_DROPPED: Final = 3
"""The kernel's buffer for this reader has run over: events are missing (event-codes.rst)."""

PRESSED: Final = 1
RELEASED: Final = 0

_ENDINGS: Final = {28: "\r", 96: "\r", 15: "\t"}
_SHIFTS: Final = frozenset({42, 54})
_CONTROLS: Final = frozenset({29, 97})
_ALT: Final = 56
_ALTGR: Final = 100
_METAS: Final = frozenset({125, 126})
_MODIFIERS: Final = _SHIFTS | _CONTROLS | _METAS | {_ALT, _ALTGR}
_RIGHT_BRACE: Final = 27
_F8: Final = 66
_GS: Final = "\x1d"
_CONTROLLED: Final = re.compile(r"[a-z\]]")
_SILENT: Final = frozenset({58, 69, 70})
"""Caps, num and scroll lock: some scanners toggle them around a scan."""


class Keystrokes:
    """What is held down, and what waits for the next key. Time in seconds of any clock, as the events have it."""

    def __init__(self, layout: Layout, silence_s: float) -> None:
        self._layout = layout
        self._silence_s = silence_s
        self._held: set[int] = set()
        self._dead = ""
        self._number = ""
        self._dropping = False
        self._last = 0.0

    def take(self, framer: Framer, kind: int, code: int, value: int, at: float) -> list[Scan]:
        """The scans that one event completes."""
        if kind == EV_SYN:
            self._synchronise(framer, code)
        elif kind == EV_KEY and not self._dropping:
            return self._key(framer, code, value, at)
        return []

    @property
    def dropping(self) -> bool:
        """Events are missing up to the next report; then `hold` must be told what is held down."""
        return self._dropping

    def hold(self, keys: Iterable[int]) -> None:
        """What the kernel says is held down now."""
        self._held = set(keys) & _MODIFIERS

    def _synchronise(self, framer: Framer, code: int) -> None:
        if code == SYN_DROPPED:
            self._dropping = True
            self._dead = self._number = ""
            framer.spoil(Flaw.LOST)
        elif code == SYN_REPORT:
            self._dropping = False

    def _key(self, framer: Framer, code: int, value: int, at: float) -> list[Scan]:
        if value not in {PRESSED, RELEASED}:  # a key that repeats is stuck: scanners do not hold keys
            return []
        if code in _MODIFIERS:
            return framer.feed(self._modified(code, value).encode())
        if value == RELEASED:
            return []
        scans = framer.silence() if abs(at - self._last) >= self._silence_s else []
        self._last = at
        typed = self._typed(code)
        if typed is None:
            framer.spoil(Flaw.LAYOUT)
            return scans
        return scans + framer.feed(typed.encode())

    def _modified(self, code: int, value: int) -> str:
        """A modifier goes down or up; with Alt's release the number typed on the keypad is complete."""
        (self._held.add if value else self._held.discard)(code)
        if code != _ALT or value:
            return ""
        number, self._number = self._number, ""
        return chr(int(number)) if number and int(number) < 0x100 else ""

    def _typed(self, code: int) -> str | None:
        """The characters of a key that goes down, None for one that the layout lacks."""
        if code in _ENDINGS:
            self._dead = ""
            return _ENDINGS[code]
        if code in _SILENT:
            return ""
        if self._held & _METAS:
            return None
        controls, alt = bool(self._held & _CONTROLS), _ALT in self._held
        if code == _F8 or (controls and not alt and code == _RIGHT_BRACE):
            return _GS
        if alt and not controls and KEYPAD.get(code, ".").isdigit():
            self._number = (self._number + KEYPAD[code])[-4:]
            return ""
        altgr = _ALTGR in self._held or (controls and alt)  # Windows takes Ctrl+Alt for AltGr
        return self._control(code) if controls and not altgr else self._character(code, altgr=altgr)

    def _control(self, code: int) -> str | None:
        """Ctrl with a letter or ] is a control character, of which the framer knows the endings and GS."""
        letter = self._layout.plain.get(code, "")
        return chr(ord(letter) & 0x1F) if _CONTROLLED.fullmatch(letter) else None

    def _character(self, code: int, *, altgr: bool) -> str | None:
        keys = self._layout.altgr if altgr else self._layout.shift if self._held & _SHIFTS else self._layout.plain
        character = KEYPAD.get(code) or (" " if code == SPACE else keys.get(code))
        if character is None:
            return None
        if is_dead(character) and not self._dead:
            self._dead = character
            return ""
        dead, self._dead = self._dead, ""
        return composed(dead, character) if not is_dead(character) else composed(dead, " ") + composed(character, " ")
