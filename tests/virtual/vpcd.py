"""A card in a reader of the vpcd driver (frankmorgner/vsmartcard): vpcd listens, the card connects.

Frames are a big-endian u16 length and that many bytes. One byte is an order to the card - off, on, reset,
tell the ATR - and anything longer a command APDU. Connecting is inserting, closing is removing.
"""

import contextlib
import ctypes
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

from tests.virtual.cards import Card, Mute, Pulled, Swapped

CLONE_NEWNET = 0x40000000
TELL_ATR = b"\x04"
POWER_OFF = b"\x00"
ORDERS = (POWER_OFF, b"\x01", b"\x02", TELL_ATR)

Connect = Callable[[], socket.socket]


def connector(holder: int, port: int) -> Connect:
    """How to reach `port` on the loopback of the network namespace of process `holder`.

    setns(2) moves one thread only, and a socket stays where it was made: so a thread goes there and comes
    back with the socket.
    """

    def connect() -> socket.socket:
        outcome: list[socket.socket | OSError] = []

        def enter() -> None:
            try:
                with Path(f"/proc/{holder}/ns/net").open() as namespace:
                    if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                outcome.append(socket.create_connection(("127.0.0.1", port), timeout=60))
            except OSError as error:
                outcome.append(error)

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if isinstance(outcome[0], OSError):
            raise outcome[0]
        outcome[0].settimeout(None)
        return outcome[0]

    return connect


class InsertedCard:
    """Serves one card until it is removed, pulled or its reader goes away.

    `asked` holds the APDUs that the card has seen; `silent` is set when it leaves one unanswered, `gone` when
    it has left, `off` when it has been switched off.
    """

    def __init__(self, card: Card, connect: Connect) -> None:
        self.asked: list[bytes] = []
        self.silent = threading.Event()
        self.gone = threading.Event()
        self.off = threading.Event()
        self._connect = connect
        self._socket = connect()
        self._thread = threading.Thread(target=self._serve, args=(card,), daemon=True)
        self._thread.start()

    def remove(self) -> None:
        with contextlib.suppress(OSError):  # it may be gone already
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(60)

    def _serve(self, card: Card) -> None:
        while True:
            try:
                self._talk(card)
            except Swapped as swap:
                self._socket.close()
                self._socket = self._connect()
                card = swap.next_card
                continue
            except (Pulled, OSError):
                pass
            except Mute:
                self.silent.set()
                self._wait_for_removal()
            self._socket.close()
            self.gone.set()
            return

    def _talk(self, card: Card) -> None:
        while (order := self._receive()) is not None:
            if order == TELL_ATR:
                self._send(card.atr)
            elif order == POWER_OFF:
                self.off.set()
            elif order not in ORDERS:
                self.asked.append(order)
                self._send(card.answer(order))

    def _receive(self) -> bytes | None:
        header = self._exactly(2)
        return None if header is None else self._exactly(struct.unpack(">H", header)[0])

    def _exactly(self, count: int) -> bytes | None:
        data = b""
        while len(data) < count:
            # vpcd 3.3 sends length and payload apart: without this each APDU waits 40 ms for a delayed ACK.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            part = self._socket.recv(count - len(data))
            if not part:
                return None
            data += part
        return data

    def _send(self, payload: bytes) -> None:
        self._socket.sendall(struct.pack(">H", len(payload)) + payload)

    def _wait_for_removal(self) -> None:
        with contextlib.suppress(OSError):
            while self._socket.recv(1024):
                pass
