"""A PN532 on a serial line: its frames on a pseudo-terminal, its speed, its sleep, and a card in its field.

What nfcpy's driver needs of NXP's user manual UM0701-02, and the ways in which boards and cables fail:

    with Pn532(folder) as chip:
        open(chip.path)             # a lasting name that leads to the terminal, as under /dev/serial/by-id
        chip.insert(NtagCard.with_text("2990000000017"))
        chip.remove()
        chip.unplug(); chip.plug()
"""

import contextlib
import os
import select
import termios
import threading
import tty
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.virtual.air import Placed
from tests.virtual.cards import Card

START = b"\x00\x00\xff"
ACK = bytes.fromhex("0000ff00ff00")
SYNTAX_ERROR = bytes.fromhex("0000ff01ff7f8100")
SPEEDS = (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1288000)
TERMIOS_SPEEDS = {getattr(termios, f"B{speed}"): speed for speed in SPEEDS[:-1]}
LOST_IN_SLEEP = 5
"""Bytes that a sleeping chip misses."""
FIFO_DATA = 0x6339
RX_MODE = 0x6303
SENS_REQ = 0x26
PATIENCE_S = 60.0


def framed(body: bytes) -> bytes:
    check = bytes([-sum(body) & 0xFF, 0x00])
    if len(body) < 256:
        return START + bytes([len(body), -len(body) & 0xFF]) + body + check
    length = len(body).to_bytes(2, "big")
    return START + b"\xff\xff" + length + bytes([-sum(length) & 0xFF]) + body + check


def crc_a(data: bytes) -> bytes:
    """ISO/IEC 14443-3 annex B."""
    crc = 0x6363
    for byte in data:
        byte ^= crc & 0xFF
        byte = (byte ^ byte << 4) & 0xFF
        crc = (crc >> 8) ^ (byte << 8) ^ (byte << 3) ^ (byte >> 4)
    return crc.to_bytes(2, "little")


class Chip:
    """What keeps while it has power. `speed` is what its UART is set to, `looks` counts searches that found nothing."""

    def __init__(self) -> None:
        self.speed = SPEEDS[4]
        self.next_speed: int | None = None
        self.asleep = False
        self.placed: Placed | None = None
        self.looks = 0
        self._registers = {RX_MODE: 0x80}
        self._commands: dict[int, Callable[[bytes], bytes | None]] = {
            0x00: lambda data: data,
            0x02: lambda _: bytes.fromhex("32010607"),
            0x06: self._read_registers,
            0x08: self._write_registers,
            0x10: self._set_speed,
            0x12: lambda _: b"",
            0x14: lambda _: b"",
            0x16: self._power_down,
            0x32: self._configure_rf,
            0x42: self._through,
            0x4A: self._list_targets,
        }

    def answer(self, code: int, data: bytes) -> bytes | None:
        """Raises KeyError for a command that it does not know."""
        return self._commands[code](data)

    def _read_registers(self, data: bytes) -> bytes:
        addresses = [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
        return bytes(self._registers.get(address, 0) for address in addresses)

    def _write_registers(self, data: bytes) -> bytes:
        for at in range(0, len(data), 3):
            self._registers[int.from_bytes(data[at : at + 2], "big")] = data[at + 2]
        return b""

    def _set_speed(self, data: bytes) -> bytes:
        self.next_speed = SPEEDS[data[0]]
        return b""

    def _power_down(self, _: bytes) -> bytes:
        self._field_off()
        self.asleep = True
        return b"\x00"

    def _configure_rf(self, data: bytes) -> bytes:
        if data[0] == 0x01 and not data[1] & 1:
            self._field_off()
        return b""

    def _field_off(self) -> None:
        if self.placed is not None:
            self.placed.power_off()

    def _list_targets(self, data: bytes) -> bytes:
        self._registers[RX_MODE] = 0x80
        self._registers[FIFO_DATA] = SENS_REQ
        placed = self.placed
        wanted = data[2:].removeprefix(b"\x88") if len(data) > 6 else data[2:]
        if data[1] != 0 or placed is None or placed.gone.is_set() or (wanted and wanted != placed.uid):
            self.looks += not wanted
            return b"\x00"
        return b"\x01\x01" + placed.selection()

    def _through(self, data: bytes) -> bytes:
        answer = None if self.placed is None else self.placed.hear(data)
        if answer is None:
            return b"\x01"  # time-out
        with_check = not self._registers[RX_MODE] & 0x80 and len(answer) > 1
        return b"\x00" + answer + (crc_a(answer) if with_check else b"")


class Pn532:
    """The chip, its line and the hand that lays cards down. `commands` are the codes of all that it was asked.

    A `deaf` chip answers nothing, one that `babbles` acknowledges without end, and the next `garbles` answers are
    damaged on the line. `delay_s` is what it takes for each command.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "usb-Virtual_PN532-if00-port0"
        self.commands: list[int] = []
        self.chip = Chip()
        self.deaf = False
        self.babbles = False
        self.garbles = 0
        self.delay_s = 0.0
        self._changed = threading.Condition()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unplug()

    def plug(self) -> None:
        """A new terminal and a chip that has just got power."""
        placed, self.chip = self.chip.placed, Chip()
        self.chip.placed = placed
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.path.symlink_to(os.ttyname(slave))
        os.close(slave)
        self._ending.clear()
        self._thread = threading.Thread(target=self._serve, args=(self._master,), daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        if self._thread is None:
            return
        self.path.unlink()
        self._ending.set()
        self._thread.join(PATIENCE_S)
        self._thread = None
        os.close(self._master)

    def insert(self, card: Card, *, stalls: bool = False) -> Placed:
        """Lays a card down; one that lies there is taken away first."""
        self.remove()
        self.chip.placed = Placed(card, stalls=stalls)
        return self.chip.placed

    def remove(self) -> None:
        """Takes the card away, if there is one, and returns when the chip has looked for another three times."""
        if self.chip.placed is None:
            return
        self.chip.placed = None
        self.wait_for_looks(3)

    def wait_for_looks(self, count: int) -> None:
        """Until so many searches have found nothing. Raises AssertionError when nobody searches."""
        with self._changed:
            seen = self.chip.looks
            assert self._changed.wait_for(lambda: self.chip.looks >= seen + count, PATIENCE_S), "nobody looks for cards"

    def wait_for_commands(self, count: int) -> None:
        """Until the chip was asked so many more things. Raises AssertionError when it is not."""
        with self._changed:
            seen = len(self.commands)
            assert self._changed.wait_for(lambda: len(self.commands) >= seen + count, PATIENCE_S), "nothing is asked"

    @property
    def host_speed(self) -> int | None:
        """What the host's side of the line is set to."""
        return TERMIOS_SPEEDS.get(termios.tcgetattr(self._master)[5])

    def _serve(self, master: int) -> None:
        received = b""
        while not self._ending.is_set():
            received += self._heard(master)
            received = self._work(master, received)

    def _heard(self, master: int) -> bytes:
        """Empty while the host is silent, has not opened the line, or speaks at another speed."""
        if not select.select([master], [], [], 0.02)[0]:
            return b""
        try:
            data = os.read(master, 4096)
        except OSError:  # nobody has the other end open
            self._ending.wait(0.005)
            return b""
        return data if self._understands() else b""

    def _understands(self) -> bool:
        chip = self.chip
        if chip.next_speed is not None and self.host_speed == chip.next_speed:
            chip.speed, chip.next_speed = chip.next_speed, None  # its acknowledgement was on the line before
        return not self.deaf and self.host_speed in (chip.speed, None)

    def _work(self, master: int, received: bytes) -> bytes:
        """Obeys every whole frame; gives back what is left over."""
        if received and self.chip.asleep:
            received, self.chip.asleep = received[LOST_IN_SLEEP:], False
        while (at := received.find(START)) >= 0:
            received = received[at:]
            if received.startswith(ACK):
                received = received[len(ACK) :]
                self._acknowledged()
                continue
            body, size = parsed(received)
            if size == 0:
                return received
            received = received[size:]
            if body[:1] == b"\xd4" and len(body) > 1:
                self._obey(master, body[1], body[2:])
        return received[-2:]

    def _acknowledged(self) -> None:
        if self.chip.next_speed is not None:
            self.chip.speed, self.chip.next_speed = self.chip.next_speed, None

    def _obey(self, master: int, code: int, data: bytes) -> None:
        self.commands.append(code)
        self._ending.wait(self.delay_s)
        try:
            answer = self.chip.answer(code, data)
        except KeyError:
            self._say(master, ACK + SYNTAX_ERROR)
            return
        self._say(master, ACK)
        while self.babbles and not self._ending.wait(0.01):
            self._say(master, ACK)
        answer_frame = bytearray(framed(bytes([0xD5, code + 1]) + (answer or b"")))
        if self.garbles:
            self.garbles -= 1
            answer_frame[5] ^= 0x10
        self._say(master, bytes(answer_frame))
        with self._changed:
            self._changed.notify_all()

    def _say(self, master: int, data: bytes) -> None:
        with contextlib.suppress(OSError):  # the host has gone
            os.write(master, data)


def parsed(received: bytes) -> tuple[bytes, int]:
    """Body and size of the frame at the start; size 0 while it is not whole, an empty body when it is damaged."""
    if len(received) < 8:
        return b"", 0
    head, length = 5, received[3]
    if received[3:5] == b"\xff\xff":
        head, length = 8, int.from_bytes(received[5:7], "big")
    size = head + length + 2
    if len(received) < size:
        return b"", 0
    body = received[head : head + length]
    return (body, size) if not (sum(body) + received[head + length]) & 0xFF else (b"", size)
