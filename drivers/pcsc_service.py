"""PC/SC as a driver wants it: a context and cards in it, every failure one exception with a meaning.

One thread, one context: libpcsclite blocks for ever when a second thread touches a context that is busy.
After a failure the handle or context is not used again.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from drivers.presence import CardTrouble, Connection, Seen, Trouble

NEW_READER: Final = "\\\\?PnP?\\Notification"
"""The reader name that stands for a reader being plugged in or out."""

_PLAIN: Final = 0xFFFF_FFFF
"""Some builds of pyscard give codes as signed numbers."""
_NO_READERS: Final = 0x8010002E
_TIMEOUT: Final = 0x8010000A
_NO_ANSWER: Final = 0
"""Success with no answer in it: the card was pulled while it was asked."""


TROUBLES: Final = {
    _NO_ANSWER: Trouble.CARD_GONE,
    0x80100069: Trouble.CARD_GONE,  # removed
    0x8010000C: Trouble.CARD_GONE,  # no smart card
    0x80100068: Trouble.CARD_GONE,  # reset by another program: what was selected is lost
    0x80100016: Trouble.MUTE,  # not transacted: libccid after 3 s of silence, vpcd once after a swap
    0x8010000F: Trouble.MUTE,  # "protocol mismatch" is what connecting says when power-up has failed
    0x80100066: Trouble.MUTE,  # unresponsive
    0x80100067: Trouble.MUTE,  # unpowered
    0x8010000B: Trouble.CARD_HELD,  # sharing violation
    0x80100009: Trouble.READER_GONE,  # unknown reader
    0x80100017: Trouble.READER_GONE,  # reader unavailable
    0x80100011: Trouble.READER_GONE,  # invalid value: calls on the handle after the reader was unplugged
    0x80100013: Trouble.SERVICE_GONE,  # transport error of the call in flight
    0x8010001D: Trouble.SERVICE_GONE,  # no service
    0x8010001E: Trouble.SERVICE_GONE,  # service stopped
    0x80100003: Trouble.SERVICE_GONE,  # invalid handle: of the pcscd before
    0x8010006A: Trouble.FORBIDDEN,  # security violation: polkit
    0x80100027: Trouble.FORBIDDEN,  # no access
}
"""Codes seen with pcscd 1.9.9, libccid 1.5.2 and vpcd 3.3; names in PC/SC part 5 appendix A."""


class PcscError(CardTrouble):
    """`code` as PC/SC gave it, `trouble` what it means."""

    def __init__(self, code: int, doing: str) -> None:
        self.code = code & _PLAIN
        super().__init__(TROUBLES.get(self.code, Trouble.OTHER), f"0x{self.code:08X} on {doing}")


class Service:
    """A context of PC/SC. Raises PcscError from every method."""

    def __init__(self, scard: Any) -> None:
        self._scard = scard
        code, self._context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
        _check(code, "EstablishContext")

    def readers(self) -> list[str]:
        code, names = self._scard.SCardListReaders(self._context, [])
        if code & _PLAIN == _NO_READERS:
            return []
        _check(code, "ListReaders")
        return list(names)

    def wait(self, known: Mapping[str, int], timeout_s: float) -> list[Seen]:
        """Readers whose state is no longer the known one; empty after `timeout_s` or when a reader came or went."""
        asked = [*known.items(), (NEW_READER, self._scard.SCARD_STATE_UNAWARE)]
        code, states = self._scard.SCardGetStatusChange(self._context, round(timeout_s * 1000), asked)
        if code & _PLAIN == _TIMEOUT:
            return []
        _check(code, "GetStatusChange")
        changed = self._scard.SCARD_STATE_CHANGED
        gone = self._scard.SCARD_STATE_UNKNOWN
        return [
            Seen(name, state & ~changed, bytes(atr))
            for name, state, atr in states
            if name != NEW_READER and state & changed and not state & gone
        ]

    @contextlib.contextmanager
    def card(self, reader: str) -> Iterator[Connection]:
        """A connection to the card in one transaction; left powered, for its next user, unless told otherwise."""
        scard = self._scard
        protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        code, handle, protocol = scard.SCardConnect(self._context, reader, scard.SCARD_SHARE_SHARED, protocols)
        _check(code, "Connect")
        try:
            _check(scard.SCardBeginTransaction(handle), "BeginTransaction")
            connection = Connection(lambda apdu: self._transmit(handle, protocol, apdu))
            try:
                yield connection
            finally:
                off = scard.SCARD_UNPOWER_CARD if connection.powers_down else scard.SCARD_LEAVE_CARD
                scard.SCardEndTransaction(handle, off)
        finally:
            # Never left to the garbage collector: that would switch the card off under its next user.
            scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)

    def _transmit(self, handle: int, protocol: int, apdu: bytes) -> bytes:
        code, answer = self._scard.SCardTransmit(handle, protocol, list(apdu))
        _check(code, "Transmit")
        if len(answer) < 2:
            raise PcscError(_NO_ANSWER, "Transmit")
        return bytes(answer)

    def release(self) -> None:
        self._scard.SCardReleaseContext(self._context)


def _check(code: int, doing: str) -> None:
    if code & _PLAIN:
        raise PcscError(code, doing)
